import { chmod, readFile, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { execa } from "execa";
import { describe, type ExpectStatic, it, type TestContext } from "vitest";
import { judge, readAnswer } from "../../src/concerns/token/verdict.ts";
import type { HttpAnswer } from "../../src/host/host.ts";
import { send } from "../../src/host/http.ts";
import { run } from "../../src/host/run.ts";
import { wholeEnvironment } from "../../src/secret/child-environment.ts";
import { fakeDoctl } from "../fixtures/tools.ts";
import { fileTree } from "../fixtures/tree.ts";
import { type RunResult, type Workbench, workbench } from "../fixtures/workbench.ts";
import { COUNT, figures, random, SEED } from "./figures.ts";

const PEAK_MEMORY = join(import.meta.dirname, "../bench/peak-memory.cjs");
const NEVER = new AbortController().signal;
const LIMIT_MS = 700;
const HEAD = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
const ACCOUNT = '{"account":{"uuid":"u","team":{"uuid":"t","name":"Team"}}}';

/** Answers a client with raw bytes, since Node's own server only sends valid HTTP. */
type Server = (socket: Socket) => void;

const says =
  (...parts: (string | Buffer)[]): Server =>
  (socket) => {
    for (const part of parts) socket.write(part);
    socket.end();
  };

/** Sends until the client disconnects. */
const endless =
  (start: string, more: string | Buffer): Server =>
  (socket) => {
    socket.write(start);
    const chunk = typeof more === "string" ? more.repeat(Math.ceil(65_536 / more.length)) : more;
    const pour = (): void => {
      while (socket.writable) if (!socket.write(chunk)) return void socket.once("drain", pour);
    };
    pour();
  };

const drip =
  (start: string, byte = " "): Server =>
  (socket) => {
    socket.write(start);
    const timer = setInterval(() => socket.writable && socket.write(byte), 50);
    socket.on("close", () => clearInterval(timer));
  };

const sized = (body: string | Buffer, more = "") =>
  says(`${HEAD}${more}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n`, body);
const zeros = Buffer.alloc(30 * 1024 * 1024);

/** Each server, and the result: why there is no answer, or the token's state. */
const SERVERS: Readonly<Record<string, readonly [Server, RegExp]>> = {
  "sends an endless body": [endless(`${HEAD}\r\n`, "x"), /too-large/],
  "sends endless chunks": [
    endless(`${HEAD}Transfer-Encoding: chunked\r\n\r\n`, "4\r\nabcd\r\n"),
    /too-large/,
  ],
  "sends endless headers": [endless(HEAD, "X-A: b\r\n"), /headers/],
  "sends one endless header": [endless(`${HEAD}X-A: `, "b"), /headers/],
  "sends endless trailers": [
    endless(`${HEAD}Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n`, "X-A: b\r\n"),
    /headers/,
  ],
  "sends an endless chunk extension": [
    endless(`${HEAD}Transfer-Encoding: chunked\r\n\r\n1;`, "x"),
    /closed/,
  ],
  "sends an endless status line": [endless("HTTP/1.1 200 ", "x"), /headers|closed|timeout/],
  "sends 102 forever": [endless("", "HTTP/1.1 102 Processing\r\n\r\n"), /timeout/],
  "sends 103 with hints forever": [
    endless("", "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"),
    /timeout/,
  ],
  "sends 100, then an answer": [
    says(`HTTP/1.1 100 Continue\r\n\r\n${HEAD}Content-Length: ${ACCOUNT.length}\r\n\r\n${ACCOUNT}`),
    /alive/,
  ],
  "sends a body byte by byte": [drip(`${HEAD}\r\n{`), /timeout/],
  "sends headers byte by byte": [drip(`${HEAD}X-A: `, "b"), /timeout/],
  "sends nothing": [() => {}, /timeout/],
  "sends a body shorter than its length": [
    says(`${HEAD}Content-Length: 999\r\n\r\n{"account":`),
    /closed/,
  ],
  "sends a body longer than its length": [says(`${HEAD}Content-Length: 2\r\n\r\n{}{}{}{}`), /./],
  "sends two lengths": [
    says(`${HEAD}Content-Length: 2\r\nContent-Length: 4\r\n\r\n{}{}`),
    /closed/,
  ],
  "sends a negative length": [says(`${HEAD}Content-Length: -2\r\n\r\n{}`), /closed/],
  "sends a length and chunks": [
    says(`${HEAD}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}`),
    /closed/,
  ],
  "sends a gzip bomb that was not requested": [
    sized(gzipSync(zeros), "Content-Encoding: gzip\r\n"),
    /invalid JSON/,
  ],
  "sends a brotli bomb that was not requested": [
    sized(brotliCompressSync(zeros), "Content-Encoding: br\r\n"),
    /invalid JSON/,
  ],
  "sends invalid UTF-8": [sized(Buffer.from([0x7b, 0xff, 0xfe, 0x7d])), /invalid JSON/],
  "sends deeply nested objects": [
    sized(`${'{"account":'.repeat(60_000)}1${"}".repeat(60_000)}`),
    /alive/,
  ],
  "sends deeply nested lists": [sized("[".repeat(900_000)), /invalid JSON/],
  "sends __proto__ as a key": [
    sized('{"__proto__":{"account":{}},"constructor":{}}'),
    /unknown response format/,
  ],
  "switches the protocol unasked": [
    (socket) =>
      void socket.write("HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"),
    /closed/,
  ],
  "does not speak HTTP": [says("SSH-2.0-OpenSSH_9.9\r\n"), /closed/],
  "redirects to itself": [says("HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n"), /redirects/],
  "sends an unknown status": [says("HTTP/1.1 999 \x1b[31m\r\nContent-Length: 0\r\n\r\n"), /./],
  "sends a NUL in a header": [says("HTTP/1.1 200 OK\r\nX-A: \0\r\n\r\n"), /closed/],
  "resets the connection": [(socket) => socket.resetAndDestroy(), /closed/],
};

async function listening({ onTestFinished }: Pick<TestContext, "onTestFinished">, serve: Server) {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.once("data", () => serve(socket));
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** The result as a text. */
function comesTo(answer: HttpAnswer): string {
  if (answer.kind === "failure") return `${answer.why}: ${answer.detail}`;
  const { state, doubts } = judge(readAnswer(answer), { kind: "nothing", why: "" });
  return `${state} ${doubts.join(" ")}`;
}

describe.concurrent("a server that", () => {
  it.for(Object.entries(SERVERS))("%s", async ([, [serve, expected]], context) => {
    const url = new URL(await listening(context, serve));
    const timeoutMs = expected.source === "timeout" ? LIMIT_MS : 10_000;
    const answer = await send({ url, headers: {}, timeoutMs }, { env: {}, interrupted: NEVER });
    context.expect(comesTo(answer)).toMatch(expected);
  });
});

interface Tool {
  readonly script: string;
  readonly end: string;
}

/** Tools as shell scripts. */
const TOOLS: Readonly<Record<string, Tool>> = {
  "hangs and ignores signals": { script: "trap '' TERM INT HUP; sleep 9", end: "timed-out" },
  "leaves a background process": { script: "sleep 9 & sleep 9", end: "timed-out" },
  "prints forever": {
    script: "while :; do echo aaaaaaaaaaaaaaaaaaaa; done",
    end: "timed-out",
  },
  "prints 50 MB": { script: "head -c 52428800 /dev/zero", end: "exited" },
  "prints 50 MB of errors": { script: "head -c 52428800 /dev/zero >&2; exit 1", end: "exited" },
  "dies by a signal": { script: "kill -SEGV $$", end: "signalled" },
  "closes its streams and keeps running": { script: "exec >&- 2>&-; sleep 9", end: "timed-out" },
  "ends at once": { script: "exit 0", end: "exited" },
};

describe.concurrent("a tool that", () => {
  it.for(Object.entries(TOOLS))("%s", async ([, { script, end }], { expect }) => {
    const call = {
      file: "/bin/sh",
      args: ["-c", script],
      env: wholeEnvironment({ PATH: "/usr/bin:/bin" }),
    };
    const result = await run(
      { ...call, timeoutMs: end === "timed-out" ? LIMIT_MS : 20_000 },
      NEVER,
    );
    expect(result.end).toBe(end);
    expect(result.stdout.length + result.stderr.length).toBeLessThanOrEqual(512 * 1024);
  });
});

const EVIL = "\x1b]0;owned\x07\x1b[2J\r\n\x9b31m\u202e";

describe.concurrent("text from others has no effect on the terminal", () => {
  it("from the API, in every field of its answers", async (context) => {
    const { expect } = context;
    const bench = await workbench(context);
    const reply = (status: number, body: object) => ({
      status,
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    const account = { uuid: EVIL, email: EVIL, name: EVIL, team: { uuid: EVIL, name: EVIL } };
    bench.sandbox.answer("GET /v2/account", reply(200, { account }));
    const info = { scopes: [EVIL, "read"], expires_in_seconds: 1e300, application: { uid: EVIL } };
    bench.sandbox.answer("GET /v1/oauth/token/info", reply(200, info));
    for (const args of ["--token-stdin", "check", "scopes --token-stdin", "logout --yes"]) {
      const result = await bench.run(args.split(" "), { input: bench.token });
      expectHarmless(expect, result, bench);
    }
    bench.sandbox.answer("GET /v2/account", reply(403, { id: EVIL, message: EVIL }));
    bench.sandbox.answer("GET /v1/oauth/token/info", reply(200, { scopes: [], message: EVIL }));
    expectHarmless(expect, await bench.run(["--token-stdin"], { input: bench.token }), bench);
  });

  it("from doctl and terraform", async (context) => {
    const { expect } = context;
    const bench = await workbench(context);
    const evil = JSON.stringify(EVIL);
    const tool = `#!${process.execPath}
for (const to of ["stdout", "stderr"]) process[to].write(${evil} + "\\n\\"terraform_version\\": \\"1.11.4\\" (default \\"/" + ${evil} + "\\")" + process.argv.join(" "));
process.exitCode = process.argv[2] === "version" ? 0 : 1;
`;
    for (const name of ["doctl", "terraform", "tofu"]) {
      await writeFile(join(bench.bin, name), tool);
      await chmod(join(bench.bin, name), 0o755);
    }
    for (const args of ["--token-stdin", "check", "check --debug", "logout --yes"]) {
      const result = await bench.run(args.split(" "), { input: bench.token });
      expectHarmless(expect, result, bench);
    }
  });

  it("from git, when it fails", async (context) => {
    const { expect } = context;
    const bench = await workbench(context);
    await execa("rm", [join(bench.bin, "git")]);
    await bench.write(
      "../bin/git",
      `#!/bin/sh\nprintf 'fatal: \\033]0;x\\007\\n' >&2; exit 128\n`,
      0o755,
    );
    const result = await bench.run(["check"]);
    expectHarmless(expect, result, bench);
    expect(result.stderr).toMatch(/\\x1b\]0;x\\x07.*\[GIT_FAILED\]\n {2}→ /);
    expect(result.status).toBe(1);
  });
});

function expectHarmless(expect: ExpectStatic, { stdout, stderr }: RunResult, { token }: Workbench) {
  expect(stdout + stderr).not.toContain("UNEXPECTED");
  expect(stdout + stderr).not.toMatch(
    /[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]/,
  );
  expect(stdout + stderr).not.toContain(token.slice(7, 23));
}

/** Those that end before the time limit of 10 s. */
const QUICK = Object.keys(SERVERS).filter(
  (name) => !/timeout/.test(String(SERVERS[name]?.[1])) && name !== "sends 100, then an answer",
);
const DOCTLS = [null, "megabytes", "die-by-signal", "old-wording"] as const;

describe("a whole run", () => {
  const times = 5 * COUNT;
  it(
    `${times} times with two random servers and a random doctl (seed ${SEED}): everything is done or nothing`,
    async (context) => {
      const { expect } = context;
      const chance = random(`${SEED} api`);
      const among = <T>(all: readonly T[]): T => all[Math.floor(chance() * all.length)] as T;
      let [done, halfWritten] = [0, 0];
      for (let i = 0; i < times; i++) {
        const bench = await workbench(context);
        const [api, oauth, mode] = [among(QUICK), among(QUICK), among(DOCTLS)];
        await fakeDoctl(bench.bin, { writeDelayMs: 0, mode });
        await bench.write(".env", "PORT=80\n", 0o600);
        const before = await fileTree(bench.repo);
        const [apiUrl, oauthUrl] = await Promise.all(
          [api, oauth].map((name) => listening(context, SERVERS[name]?.[0] ?? (() => {}))),
        );
        const peak = join(bench.root, "peak");
        const result = await bench.run(["--token-stdin"], {
          input: bench.token,
          env: {
            DIGITALOCEAN_API_URL: apiUrl,
            DO_BOOTSTRAP_OAUTH_URL: oauthUrl,
            NODE_OPTIONS: `--require ${PEAK_MEMORY}`,
            PEAK_MEMORY: peak,
          },
        });
        const what = `${api}; ${oauth}; doctl ${mode}\n${result.stderr}`;
        expectHarmless(expect, result, bench);
        expect(Number(await readFile(peak, "utf8")) / 1024, what).toBeLessThan(250);
        expect([0, 7], what).toContain(result.status);
        if (result.status === 0) done++;
        else {
          if (JSON.stringify(await fileTree(bench.repo)) !== JSON.stringify(before)) halfWritten++;
          expect(result.stderr).toMatch(/\[token\.unverified\]\n {2}→ /);
        }
      }
      expect(halfWritten).toBe(0);
      expect(done).toBeLessThan(times);
      figures("hostile API", { runs: times, faults: 2 * times, lost: 0, halfWritten, leftOver: 0 });
    },
    60_000 * COUNT,
  );
});
