// Runs under Windows' Node. Starts processes with exactly the folder and environment that it is told, which
// Wine itself would change, and reports how they end: one line of JSON for each, over loopback, since Node
// cannot open the standard input that Wine gives it.
"use strict";
const { spawn } = require("node:child_process");
const { connect } = require("node:net");
const { createInterface } = require("node:readline");

// What Windows needs to start anything, and where Node and Git keep temporary files.
const OF_WINDOWS = ["SystemRoot", "SystemDrive", "ComSpec", "PATHEXT", "WINDIR", "TEMP", "TMP"];

const socket = connect(Number(process.argv[2]), "127.0.0.1");
const send = (message) => socket.write(`${JSON.stringify(message)}\n`);

createInterface({ input: socket })
  .on("line", (line) => {
    const { id, file, args, cwd, env, input } = JSON.parse(line);
    const own = Object.fromEntries(OF_WINDOWS.map((name) => [name, process.env[name]]));
    const said = { stdout: "", stderr: "" };
    const end = (status) => send({ id, status, ...said });
    try {
      // Else the child would be told another path of this folder.
      process.chdir(cwd);
      const child = spawn(file, args, { env: { ...own, ...env }, windowsHide: true });
      for (const name of ["stdout", "stderr"]) {
        child[name].setEncoding("utf8").on("data", (text) => {
          said[name] += text;
        });
      }
      child.on("error", ({ code }) => end(code)).on("close", end);
      child.stdin.on("error", () => undefined).end(Buffer.from(input, "base64"));
    } catch ({ code }) {
      end(code);
    }
  })
  .on("close", () => process.exit());
