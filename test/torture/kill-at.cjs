// Loaded into do-bootstrap with NODE_OPTIONS. Sends a signal to the process at a moment right before
// or right after a call that changes a file.
//
// KILL_AT: the number of the moment, or its name, such as "before rename .env".
// KILL_BY: the signal.
// KILL_LOG: a file for the moment's name; without KILL_AT, for all names.
"use strict";

const fs = require("node:fs");
const { basename } = require("node:path");

const { KILL_AT, KILL_BY = "SIGKILL", KILL_LOG } = process.env;
const write = fs.writeFileSync;
const names = [];

if (/bin\.cjs$/.test(process.argv[1])) {
  hookPromises(fs.promises);
  hookSync();
  require("node:module").syncBuiltinESMExports();
  if (KILL_AT === undefined) process.on("exit", () => write(KILL_LOG, names.join("\n")));
}

function moment(name) {
  names.push(name);
  if (KILL_AT !== name && Number(KILL_AT) !== names.length) return;
  write(KILL_LOG, `${names.length} ${name}`);
  process.kill(process.pid, KILL_BY);
}

function hookPromises(promises) {
  const { open } = promises;
  promises.open = async (path, flags = "r", mode = 0o666) => {
    if (flags === "r" || typeof flags === "number") return open(path, flags, mode);
    const name = `open ${short(path)}`;
    moment(`before ${name}`);
    const handle = await open(path, flags, mode);
    moment(`after ${name}`);
    for (const call of ["chmod", "writeFile", "sync", "close"]) {
      hook(handle, call, () => short(path));
    }
    return handle;
  };
  // Its steps are moments too.
  promises.writeFile = async (path, data, { flag = "w", mode, flush } = {}) => {
    const handle = await promises.open(path, flag, mode);
    try {
      await handle.writeFile(data);
      if (flush) await handle.sync();
    } finally {
      await handle.close();
    }
  };
  for (const call of ["chmod", "link", "mkdir", "mkdtemp", "rename", "rm", "rmdir", "unlink"]) {
    hook(promises, call, (...args) => short(args[call === "rename" || call === "link" ? 1 : 0]));
  }
}

function hook(owner, call, nameOf) {
  const original = owner[call].bind(owner);
  owner[call] = async (...args) => {
    const name = `${call} ${nameOf(...args)}`;
    moment(`before ${name}`);
    const result = await original(...args);
    moment(`after ${name}`);
    return result;
  };
}

function hookSync() {
  const written = new Map();
  const { openSync } = fs;
  fs.openSync = (path, flags, ...rest) => {
    const fd = openSync(path, flags, ...rest);
    if (flags === "w" || flags === "wx") {
      written.set(fd, short(path));
      moment(`after openSync ${short(path)}`);
    }
    return fd;
  };
  for (const call of ["writeSync", "fsyncSync", "closeSync"]) {
    hookCall(call, (fd) => written.get(fd));
  }
  for (const call of ["mkdirSync", "renameSync", "unlinkSync", "writeFileSync"]) {
    hookCall(call, (...args) => short(args[call === "renameSync" ? 1 : 0]));
  }

  function hookCall(call, nameOf) {
    const original = fs[call];
    fs[call] = (...args) => {
      const name = nameOf(...args);
      if (name === undefined) return original(...args);
      moment(`before ${call} ${name}`);
      const result = original(...args);
      moment(`after ${call} ${name}`);
      return result;
    };
  }
}

/** Replaces the parts that differ in each run. */
function short(path) {
  return basename(String(path)).replace(
    /[0-9a-f]{32,64}|[0-9a-f]{8}-\d+-(?:[0-9a-zA-Z]{6})?/g,
    "…",
  );
}
