import { once } from "node:events";
import { chmod, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, connect, createServer } from "node:net";
import { delimiter, join } from "node:path";
import { execa } from "execa";
import { describe, expect, it, type TestContext } from "vitest";
import { hasProc, needsProc } from "../fixtures/proc.ts";
import {
  ASKS,
  CONFIRMS,
  expectRestored,
  expectUntouched,
  guided,
  needsScript,
  start,
  type Terminal,
  tooLong,
  words,
} from "../fixtures/terminal.ts";
import { fakeDoctl } from "../fixtures/tools.ts";
import { fileTree } from "../fixtures/tree.ts";
import { randomToken, type Workbench, workbench } from "../fixtures/workbench.ts";

const FORM = "https://cloud.digitalocean.com/account/api/tokens/new";
/** The sandbox's team. */
const TEAM = "5df3e3004a17e242b7c20ca6c9fc25b701a47ece";
const CTRL_C = "\x03";
const STYLE = /\x1b\[[\d;]*m/;
const COLOUR = /\x1b\[(?:\d+;)*(?:[34]\d|9[0-7]|10[0-7])[;m]/;
/** The words may be wrapped. */
const LEFT = [/2[\s│]+more[\s│]+tries\./, /one[\s│]+more[\s│]+try\./, /\[NO_TOKEN\]/];
/** The open question. */
const RETRIES = /Press[\s│]+Enter[\s│]+to[\s│]+retry,[\s│]+or[\s│]+Ctrl-C[\s│]+to[\s│]+stop\./;
const ACCOUNT = "GET /v2/account";
const INFO = "GET /v1/oauth/token/info";

describe
  .skipIf(needsScript !== "")
  .concurrent(`a user without a token gets a guide${needsScript}`, () => {
    it("headless: shows the address, a name, an expiry and the plan; yes writes everything", async (context) => {
      const { bench, terminal } = await guided(context);
      const guide = await terminal.until(ASKS);
      context.expect(guide).toContain(FORM);
      context.expect(guide).toMatch(/Token name +acme-web/);
      context.expect(guide).toMatch(/Expiration +30 days/);
      terminal.type(`${bench.token}\r`);
      const plan = await terminal.until(CONFIRMS);
      context
        .expect(plan)
        .toMatch(/Here's what will change:\s+\+ .gitignore +make git ignore secrets/);
      context.expect(plan).toContain("+ doctl context default");
      context.expect(plan).not.toContain("[secret ");
      terminal.type("d");
      const diff = await terminal.until(CONFIRMS);
      context.expect(diff).toContain("  + DIGITALOCEAN_TOKEN=[secret ");
      context.expect(Object.keys(await fileTree(bench.home))).toEqual([]);
      terminal.type("y");
      context.expect(await terminal.exit, terminal.screen()).toBe(0);
      context.expect(await bench.read(".env")).toBe(`DIGITALOCEAN_TOKEN=${bench.token}\n`);
      context.expect(await bench.read("../home/.config/doctl/config.yaml")).toContain(bench.token);
      context.expect((await bench.run(["check"])).status).toBe(0);
      context.expect(terminal.raw()).not.toContain(bench.token.slice(7, 23));
      await expectRestored(context, terminal);
    });

    it("lists the scopes that the code needs", async (context) => {
      const { terminal } = await guided(context, [], {}, async (bench) => {
        await bench.write("infra/main.tf", 'resource "digitalocean_tag" "a" {\n  name = "a"\n}\n');
        return undefined;
      });
      const guide = await terminal.until(ASKS);
      context.expect(guide).toMatch(/Custom Scopes: needed by this repo/);
      context.expect(guide).toMatch(/account +read/);
      context.expect(guide).toMatch(/tag +create, read, delete/);
      terminal.type(CTRL_C);
      context.expect(await terminal.exit).toBe(130);
    });

    it("with --env NAME, the token name contains the environment", async (context) => {
      const { bench, terminal } = await guided(context, ["--env", "prod"], {}, async (bench) => {
        const prod = "environments: { prod: { token: { envFile: .env.prod } } }\n";
        await bench.write(".do-bootstraprc", prod);
        bench.mayHold(".env.prod");
      });
      context.expect(await terminal.until(ASKS)).toMatch(/Token name +acme-web-prod/);
      terminal.type(`${bench.token}\r`);
      await terminal.waitFor(CONFIRMS);
      terminal.type("y");
      context.expect(await terminal.exit, terminal.screen()).toBe(0);
      context.expect(await bench.read(".env.prod")).toContain(bench.token);
    });

    it("without --env, a menu of environments comes first, and the choice works like --env", async (context) => {
      const { bench, terminal } = await guided(context, [], {}, async (bench) => {
        const of = (name: string) =>
          `{ token: { envFile: .env.${name} }, account: { team: ${TEAM} } }`;
        await bench.write(
          ".do-bootstraprc",
          `environments: { dev: ${of("dev")}, prod: ${of("prod")} }`,
        );
        bench.mayHold(".env.prod");
      });
      const menu = words(await terminal.until(/◆ +This repo has environments[\s\S]+none of them/));
      context.expect(menu).toContain(`dev team ${TEAM}, no token yet`);
      context.expect(menu).toContain(`prod team ${TEAM}, no token yet`);
      terminal.type("\x1b[B\r");
      context.expect(await terminal.until(ASKS)).toMatch(/Token name +acme-web-prod/);
      terminal.type(`${bench.token}\r`);
      await terminal.waitFor(CONFIRMS);
      terminal.type("y");
      context.expect(await terminal.exit, terminal.screen()).toBe(0);
      context.expect(await bench.read(".env.prod")).toContain(bench.token);
      context.expect(words(terminal.screen())).toContain("do-bootstrap exec --env prod -- ");
    });

    it.for([
      ["DISPLAY", { DISPLAY: ":0" }, true],
      ["WAYLAND_DISPLAY", { WAYLAND_DISPLAY: "wayland-0" }, true],
      ["DISPLAY over ssh", { DISPLAY: ":10", SSH_CONNECTION: "1 2 3 4" }, false],
    ] as const)(
      "%s: opens the form, or only prints its address",
      async ([, env, isOpened], context) => {
        const opened = (bench: Workbench) => join(bench.tmp, "opened");
        const { bench, terminal } = await guided(context, [], { env }, (bench) =>
          opener(bench.bin, opened(bench)),
        );
        const guide = await terminal.until(ASKS);
        context.expect(guide).toContain(FORM);
        context
          .expect(guide)
          .toMatch(isOpened ? /Your browser opens/ : /Open the form in a browser/);
        const log = () => readFile(opened(bench), "utf8").catch(() => "");
        if (isOpened) await context.expect.poll(log).toBe(`${FORM}\n`);
        terminal.type(CTRL_C);
        context.expect(await terminal.exit).toBe(130);
        context.expect(await log()).toBe(isOpened ? `${FORM}\n` : "");
      },
    );

    it("does not run an xdg-open from the repo (rule 7)", async (context) => {
      const env = { DISPLAY: ":0" };
      const { bench, terminal } = await guided(context, [], { env }, async (bench) => {
        const bin = join(bench.repo, "node_modules/.bin");
        await bench.write("node_modules/.bin/x", "");
        await opener(bin, join(bench.tmp, "opened"));
        return { env: { ...env, PATH: `${bin}${delimiter}${bench.bin}` } };
      });
      context.expect(await terminal.until(ASKS)).toContain("Open the form in a browser");
      terminal.type(CTRL_C);
      context.expect(await terminal.exit).toBe(130);
      context.expect(Object.keys(await fileTree(bench.tmp))).toEqual([]);
    });

    it("a token with a second line break: still asks about the plan", async (context) => {
      const { bench, terminal } = await guided(context);
      await terminal.waitFor(ASKS);
      terminal.type(`  ${bench.token} \r\r`);
      await terminal.waitFor(CONFIRMS);
      terminal.type("n");
      context.expect(await terminal.exit, terminal.screen()).toBe(1);
    });
  });

describe.skipIf(needsScript !== "").concurrent(`mistakes of the user${needsScript}`, () => {
  const malformed = `dop_v1_${"ab".repeat(16)}`;
  it.for<[name: string, make: () => string, why: RegExp]>([
    ["half a token", () => malformed, /32 characters after the prefix, not 64/],
    ["a refresh token", () => randomToken().replace("dop", "dor"), /refresh token \(dor_v1_\)/],
    ["a token that is rejected", randomToken, /DigitalOcean refuses this token \(401\)/],
  ])(
    "%s, three times: prints the reason and the tries left, exits with 4",
    async ([, make, why], context) => {
      const { bench, terminal, hash } = await guided(context);
      const pasted: string[] = [];
      for (const left of LEFT) {
        await terminal.waitFor(ASKS);
        pasted.push(make());
        terminal.type(`${pasted.at(-1)}\r`);
        const said = words(await terminal.until(left));
        context.expect(said).toMatch(why);
      }
      context.expect(await terminal.exit).toBe(4);
      for (const text of pasted.filter(Boolean)) {
        context.expect(terminal.raw()).not.toContain(text.slice(7, 23));
      }
      context.expect(words(terminal.screen())).toContain("Nothing was changed");
      await expectUntouched(context, { bench, terminal, hash });
    },
  );

  it("Enter alone does not count as a try", async (context) => {
    const { terminal } = await guided(context);
    for (let i = 0; i < 4; i++) {
      await terminal.waitFor(ASKS);
      terminal.type("\r");
      await terminal.waitFor(/Nothing was pasted\./);
    }
    await terminal.waitFor(ASKS);
    terminal.type(CTRL_C);
    context.expect(await terminal.exit).toBe(130);
  });

  it("a wrong token, then a valid one: writes everything", async (context) => {
    const { bench, terminal } = await guided(context);
    await terminal.waitFor(ASKS);
    terminal.type("hunter2\r");
    await terminal.waitFor(ASKS);
    terminal.type(`${bench.token}\r`);
    await terminal.waitFor(CONFIRMS);
    terminal.type("\r");
    context.expect(await terminal.exit, terminal.screen()).toBe(0);
    context.expect(terminal.raw()).not.toContain("hunter2");
    context.expect(await bench.read(".env")).toContain(bench.token);
  });

  it("answering no: exit 1", async (context) => {
    const { bench, terminal, hash } = await guided(context);
    await terminal.waitFor(ASKS);
    terminal.type(`${bench.token}\r`);
    await terminal.waitFor(CONFIRMS);
    terminal.type("n");
    context.expect(await terminal.exit).toBe(1);
    context.expect(terminal.screen()).toMatch(/Nothing was changed\. \[DECLINED\]/);
    await expectUntouched(context, { bench, terminal, hash });
  });
});

describe.skipIf(needsScript !== "").concurrent(`the network fails${needsScript}`, () => {
  /** Both are DigitalOcean's addresses. */
  const at = (url: string) => ({ DIGITALOCEAN_API_URL: url, DO_BOOTSTRAP_OAUTH_URL: url });
  const closed = { ...at("https://api.digitalocean.com"), HTTPS_PROXY: "http://127.0.0.1:1" };

  async function guidedBehindDoor(context: TestContext) {
    let open = async () => {};
    const started = await guided(context, [], {}, async (bench) => {
      const door = await closedDoor(context, bench.sandbox.url);
      open = door.open;
      return { env: at(door.url) };
    });
    return { ...started, open };
  }

  it("keeps the pasted token: Enter retries, as often as needed", async (context) => {
    const { bench, terminal, open } = await guidedBehindDoor(context);
    await terminal.waitFor(ASKS);
    // The second line break does not answer the next question.
    terminal.type(`${bench.token}\r\r`);
    for (let tries = 0; tries < 4; tries++) {
      const said = words(await terminal.until(RETRIES));
      context
        .expect(said)
        .toMatch(/Can't reach 127\.0\.0\.1:\d+: the connection was refused\. Press/);
      context.expect(bench.sandbox.requests).toEqual([]);
      if (tries === 3) await open();
      terminal.type(tries === 2 ? "hunter2\r" : "\r");
    }
    await terminal.waitFor(CONFIRMS);
    terminal.type("y");
    context.expect(await terminal.exit, terminal.screen()).toBe(0);
    context.expect(await bench.read(".env")).toBe(`DIGITALOCEAN_TOKEN=${bench.token}\n`);
    context.expect(terminal.raw()).not.toContain(bench.token.slice(7, 23));
    context.expect(terminal.raw()).not.toContain("hunter2");
    context.expect(terminal.screen()).not.toMatch(/more tries|one more try/);
    await expectRestored(context, terminal);
  });

  it("a token that is then rejected costs a try, and another can be pasted", async (context) => {
    const { bench, terminal, open } = await guidedBehindDoor(context);
    await terminal.waitFor(ASKS);
    terminal.type(`${randomToken()}\r`);
    await terminal.waitFor(RETRIES);
    await open();
    terminal.type("\r");
    context.expect(words(await terminal.until(LEFT[0] as RegExp))).toContain("refuses this token");
    await terminal.waitFor(ASKS);
    terminal.type(`${bench.token}\r`);
    await terminal.waitFor(CONFIRMS);
    terminal.type("y");
    context.expect(await terminal.exit, terminal.screen()).toBe(0);
  });

  it.for<[string, (bench: Workbench) => Record<string, string>, string]>([
    [
      "DNS",
      () => at("https://api.invalid"),
      "Can't reach api.invalid: DNS cannot resolve its name.",
    ],
    [
      "a proxy",
      () => closed,
      "Can't reach api.digitalocean.com: the proxy in HTTPS_PROXY blocks the connection.",
    ],
    [
      "the connection is closed",
      ({ sandbox }) => {
        for (const route of [ACCOUNT, INFO]) sandbox.answer(route, "disconnect");
        return {};
      },
      ": the connection was closed.",
    ],
    [
      "503",
      ({ sandbox }) => {
        for (const route of [ACCOUNT, INFO]) sandbox.answer(route, { status: 503 });
        return {};
      },
      " can't verify the token: the server failed (503).",
    ],
  ])(
    "%s: prints the host and the reason; Ctrl-C stops, exit 130",
    async ([, arrange, why], context) => {
      const { bench, terminal, hash } = await guided(context, [], {}, async (bench) => ({
        env: arrange(bench),
      }));
      await terminal.waitFor(ASKS);
      terminal.type(`${bench.token}\r`);
      for (const key of ["\r", CTRL_C]) {
        context.expect(words(await terminal.until(RETRIES))).toContain(why);
        terminal.type(key);
      }
      context.expect(await terminal.exit, terminal.screen()).toBe(130);
      context.expect(terminal.raw()).not.toContain(bench.token.slice(7, 23));
      await expectUntouched(context, { bench, terminal, hash });
    },
  );

  it.for([
    ["the environment", (token: string) => ({ env: { DIGITALOCEAN_TOKEN: token } })],
    [".env", (token: string) => ({ file: `DIGITALOCEAN_TOKEN=${token}\n` })],
  ] as const)("a token in %s: Enter retries", async ([, place], context) => {
    let open = async () => {};
    const { terminal } = await guided(context, [], {}, async (bench) => {
      const { env, file }: { env?: object; file?: string } = place(bench.token);
      if (file !== undefined) await bench.write(".env", file, 0o600);
      const door = await closedDoor(context, bench.sandbox.url);
      open = door.open;
      return { env: { ...at(door.url), ...env } };
    });
    await terminal.waitFor(RETRIES);
    terminal.type("\r");
    await terminal.waitFor(RETRIES);
    await open();
    terminal.type("\r");
    await terminal.waitFor(CONFIRMS);
    terminal.type("n");
    context.expect(await terminal.exit, terminal.screen()).toBe(1);
  });

  it("--yes: does not ask, exit 7", async (context) => {
    const { terminal } = await guided(context, ["--yes"], {}, async (bench) => ({
      env: { ...closed, DIGITALOCEAN_TOKEN: bench.token },
    }));
    context.expect(await terminal.exit, terminal.screen()).toBe(7);
    context.expect(terminal.screen()).toContain("[token.unverified]");
    context.expect(terminal.screen()).not.toContain("Press Enter");
  });
});

describe.skipIf(needsScript !== "").concurrent(`before the question appears${needsScript}`, () => {
  /** The program has started, and waits for git. */
  async function waiting(context: TestContext) {
    let hold = async () => async () => {};
    const scene = await guided(context, [], {}, async (bench) => {
      const [git, fifo] = [join(bench.bin, "git"), join(bench.root, "fifo")];
      const real = await realpath(git);
      await execa("mkfifo", [fifo]);
      await rm(git);
      const script = `#!/bin/sh\n[ -p '${fifo}' ] && read -r line < '${fifo}'\nexec '${real}' "$@"\n`;
      await writeFile(git, script, { mode: 0o755 });
      hold = async () => {
        // The shell's open() returns when a reader opens the FIFO. Our own would block one of
        // Node's few threads.
        const holder = execa("sh", ["-c", 'exec 3> "$0"; echo; read -r line; rm "$0"', fifo]);
        context.onTestFinished(async () => void holder.kill());
        holder.catch(() => undefined);
        await once(holder.stdout, "data");
        return async () => {
          holder.stdin.end("\n");
          await holder;
        };
      };
      return undefined;
    });
    const go = await hold();
    return { ...scene, go };
  }

  it.skipIf(!hasProc).for([
    ["a token and Enter are the answer", "\r", ""],
    ["a token is the answer after Enter", "", "\r"],
  ] as const)(
    `%s, and the token is never on the screen${needsProc}`,
    async ([, early, late], context) => {
      const { bench, terminal, go } = await waiting(context);
      terminal.type(`${bench.token}${early}`);
      await go();
      await terminal.waitFor(ASKS);
      await terminal.waitFor(/▪{71}/);
      terminal.type(late);
      await terminal.waitFor(CONFIRMS);
      terminal.type("y");
      context.expect(await terminal.exit, terminal.screen()).toBe(0);
      context.expect(await bench.read(".env")).toBe(`DIGITALOCEAN_TOKEN=${bench.token}\n`);
      context.expect(terminal.raw()).not.toContain(bench.token.slice(7, 23));
      await expectRestored(context, terminal);
    },
  );

  it.for<[string, (terminal: Terminal) => void, number]>([
    ["Ctrl-C", (terminal) => terminal.type(CTRL_C), 130],
    ["SIGINT", (terminal) => terminal.signal("SIGINT"), 130],
    ["SIGTERM", (terminal) => terminal.signal("SIGTERM"), 130],
    ["SIGHUP", (terminal) => terminal.signal("SIGHUP"), 130],
    ["SIGQUIT", (terminal) => terminal.signal("SIGQUIT"), 131],
  ])("%s ends the run and restores the terminal", async ([, end, status], context) => {
    const { bench, terminal, hash } = await waiting(context);
    end(terminal);
    context.expect(await terminal.exit, terminal.screen()).toBe(status);
    await expectUntouched(context, { bench, terminal, hash });
  });

  it("token.command gets the terminal in its normal mode", async (context) => {
    const { terminal } = await guided(context, ["--trust"], {}, async (bench) => {
      await bench.write("token.sh", `/bin/stty -a < /dev/tty >&2\necho ${bench.token}\n`);
      await bench.write(".do-bootstraprc", "token: { command: [/bin/sh, ./token.sh] }\n");
      return undefined;
    });
    const said = await terminal.until(/\bechoke\b/);
    context.expect(said).toMatch(/(?<!-)\becho\b/);
    await terminal.waitFor(CONFIRMS);
    terminal.type("n");
    context.expect(await terminal.exit, terminal.screen()).toBe(1);
    await expectRestored(context, terminal);
  });
});

/** Commands that need no token, what they need, and what they write. */
const WRITERS = [
  [["hook", "install"], {}, ".git/hooks/pre-commit"],
  [
    ["ci", "github"],
    { "main.tf": 'terraform {\n  backend "s3" {}\n}\n' },
    ".github/workflows/do-bootstrap.yml",
  ],
] as const;

describe
  .skipIf(needsScript !== "")
  .concurrent(`commands that write ask first${needsScript}`, () => {
    const writing = (context: TestContext, [args, files]: (typeof WRITERS)[number], more = "") =>
      guided(context, [...args, ...(more === "" ? [] : [more])], {}, async (bench) => {
        for (const [path, text] of Object.entries(files)) await bench.write(path, text);
        return undefined;
      });

    it.for(WRITERS)("%j: answering no changes nothing, exit 1", async (row, context) => {
      const { bench, terminal, hash } = await writing(context, row);
      const plan = await terminal.until(CONFIRMS);
      context.expect(plan).toContain(row[2]);
      terminal.type("n");
      context.expect(await terminal.exit, terminal.screen()).toBe(1);
      context.expect(terminal.screen()).toMatch(/Nothing was changed\. \[DECLINED\]/);
      await expectUntouched(context, { bench, terminal, hash });
    });

    it.for(WRITERS)("%j: answering yes writes; a second run does not ask", async (row, context) => {
      const { bench, terminal } = await writing(context, row);
      await terminal.waitFor(CONFIRMS);
      terminal.type("y");
      context.expect(await terminal.exit, terminal.screen()).toBe(0);
      context.expect(await bench.read(row[2])).not.toBe("");
      const again = start(context, bench, row[0]);
      context.expect(await again.exit, again.screen()).toBe(0);
      context.expect(again.screen()).not.toMatch(CONFIRMS);
    });

    it.for(WRITERS)("%j --yes: does not ask", async (row, context) => {
      const { bench, terminal } = await writing(context, row, "--yes");
      context.expect(await terminal.exit, terminal.screen()).toBe(0);
      context.expect(terminal.screen()).not.toMatch(CONFIRMS);
      context.expect(await bench.read(row[2])).not.toBe("");
    });
  });

describe
  .skipIf(needsScript !== "")
  .concurrent(`Ctrl-C changes nothing, exit 130${needsScript}`, () => {
    type Way = (terminal: Terminal, bench: Workbench) => Promise<unknown>;
    const paste: Way = async (terminal, bench) => {
      await terminal.waitFor(ASKS);
      terminal.type(`${bench.token}\r`);
    };
    it.for<[string, Way]>([
      ["at the token question", (terminal) => terminal.waitFor(ASKS)],
      [
        "in the middle of the token",
        async (terminal, bench) => {
          await terminal.waitFor(ASKS);
          terminal.type(bench.token.slice(0, 30));
          await terminal.waitFor(/▪{30}/);
        },
      ],
      [
        "at the second try",
        async (terminal) => {
          await terminal.waitFor(ASKS);
          terminal.type("no\r");
          await terminal.waitFor(ASKS);
        },
      ],
      [
        "while the API hangs",
        async (terminal, bench) => {
          for (const route of [ACCOUNT, INFO]) bench.sandbox.answer(route, "hang");
          await paste(terminal, bench);
          await terminal.waitFor(/Asking DigitalOcean about the token/);
        },
      ],
      [
        "at the plan",
        async (terminal, bench) => {
          await paste(terminal, bench);
          await terminal.waitFor(CONFIRMS);
        },
      ],
      [
        "while doctl hangs",
        async (terminal, bench) => {
          await fakeDoctl(bench.bin, { mode: "hang" });
          await paste(terminal, bench);
          await terminal.waitFor(CONFIRMS);
          terminal.type("y");
          await terminal.waitFor(/Checking the token with doctl/);
        },
      ],
    ])("%s", async ([, way], context) => {
      const { bench, terminal, hash } = await guided(context);
      await way(terminal, bench);
      terminal.type(CTRL_C);
      context.expect(await terminal.exit, terminal.screen()).toBe(130);
      context.expect(terminal.screen()).toMatch(/Interrupted\..* \[INTERRUPTED\]/);
      await expectUntouched(context, { bench, terminal, hash });
    });
  });

describe
  .skipIf(needsScript !== "")
  .concurrent(`anything that ends the question ends the run, exit 130${needsScript}`, () => {
    const ENDS: readonly (readonly [string, (terminal: Terminal) => void])[] = [
      ["Ctrl-D", (terminal) => terminal.type("\x04")],
      ...(["SIGTERM", "SIGHUP", "SIGINT"] as const).map(
        (signal) => [signal, (terminal: Terminal) => terminal.signal(signal)] as const,
      ),
    ];
    const ASKED: readonly (readonly [string, readonly string[], RegExp])[] = [
      ["the token", [], ASKS],
      ["the plan", ["hook", "install"], CONFIRMS],
    ];
    it.for(
      ENDS.flatMap(([name, end]) =>
        ASKED.map(([about, args, question]) => [name, about, end, args, question] as const),
      ),
    )("%s at the question about %s", async ([, , end, args, question], context) => {
      const { bench, terminal, hash } = await guided(context, [...args]);
      await terminal.waitFor(question);
      end(terminal);
      context.expect(await terminal.exit, terminal.screen()).toBe(130);
      context.expect(terminal.screen()).toMatch(/Interrupted\..* \[INTERRUPTED\]/);
      await expectUntouched(context, { bench, terminal, hash });
    });
  });

it("hook remove shows what it deletes before it asks", async (context) => {
  if (needsScript !== "") return context.skip();
  const { bench, terminal } = await guided(context, ["hook", "install", "--yes"]);
  expect(await terminal.exit).toBe(0);
  const again = start(context, bench, ["hook", "remove"]);
  expect(await again.until(CONFIRMS)).toContain("- .git/hooks/pre-commit");
  again.type("n");
  expect(await again.exit).toBe(1);
});

describe.skipIf(needsScript !== "").concurrent(`runs without questions${needsScript}`, () => {
  it.for([
    ["--yes, with a token in the environment", ["--yes"], {}, true, 0],
    ["CI=true without a token", [], { CI: "true" }, false, 4],
    ["CI=true with a token", [], { CI: "true" }, true, 0],
    ["check", ["check"], {}, false, 4],
    ["--dry-run", ["--dry-run"], {}, true, 0],
    ["--json", ["--json", "--yes"], {}, true, 0],
  ] as const)("%s", async ([, args, env, hasToken, status], context) => {
    const bench = await workbench(context);
    const given = hasToken ? { DIGITALOCEAN_TOKEN: bench.token } : {};
    const terminal = start(context, bench, args, { env: { ...env, ...given } });
    context.expect(await terminal.exit, terminal.screen()).toBe(status);
    context.expect(terminal.screen()).not.toMatch(/◆|Paste the token|Make th/);
  });

  it("standard input is not a terminal", async (context) => {
    const bench = await workbench(context);
    const terminal = start(context, bench, [], { redirect: "< /dev/null" });
    context.expect(await terminal.exit, terminal.screen()).toBe(4);
    context.expect(terminal.screen()).toContain("[token.missing]");
    context.expect(terminal.screen()).not.toContain("Paste");
  });
});

describe.skipIf(needsScript !== "").concurrent(`lines fit the terminal${needsScript}`, () => {
  const long = "environments/production/.env.production.local";
  const rows = [
    [80, []],
    [80, ["check"]],
    [80, ["--dry-run"]],
    [40, []],
    [40, ["check"]],
    [40, ["--dry-run"]],
  ] as const;
  it.for(rows)("%i columns: do-bootstrap %j", async ([columns, args], context) => {
    const bench = await workbench(context);
    await fakeDoctl(bench.bin, { writeDelayMs: 0 });
    bench.sandbox.accept(bench.token, {
      expiresInSeconds: 30 * 86_400,
      scopes: ["account:read", "droplet:create", "database:view_credentials", "x:read", "y:read"],
    });
    await bench.write(
      ".do-bootstraprc",
      `token: { envFile: ${long} }\nterraform: { dir: infra }\n`,
    );
    await bench.write(long, `DIGITALOCEAN_TOKEN=${bench.token}\n`, 0o600);
    await bench.write("../home/.config/doctl/config.yaml", `access-token: ${randomToken()}\n`);
    const terminal = start(context, bench, args, { columns });
    if (args.length === 0) {
      await terminal.waitFor(/current\s+[│ ]*context\?/);
      terminal.type("n");
      await terminal.waitFor(CONFIRMS);
      terminal.type("y");
    }
    const status = args[0] === "check" ? 3 : 0;
    context.expect(await terminal.exit, terminal.screen()).toBe(status);
    context.expect(tooLong(terminal, columns)).toEqual([]);

    if (args.length > 0) return;
    const again = start(context, bench, [], { columns });
    context.expect(await again.exit, again.screen()).toBe(0);
    context.expect(tooLong(again, columns)).toEqual([]);
  });

  it.for([40, 80])("%i columns: the guide, with the whole address", async (columns, context) => {
    const { terminal } = await guided(context, [], { columns });
    await terminal.waitFor(ASKS);
    terminal.type("nonsense\r");
    await terminal.waitFor(ASKS);
    terminal.type(CTRL_C);
    await terminal.exit;
    context.expect(terminal.screen()).toContain(FORM);
    context.expect(tooLong(terminal, columns)).toEqual([]);
  });

  it("works on a terminal without a known width", async (context) => {
    const { bench, terminal } = await guided(context, [], { columns: 0 });
    context.expect(await terminal.until(ASKS)).toContain(FORM);
    terminal.type(`${bench.token}\r`);
    await terminal.waitFor(CONFIRMS);
    terminal.type("y");
    context.expect(await terminal.exit, terminal.screen()).toBe(0);
  });
});

describe.skipIf(needsScript !== "").concurrent(`colour and second runs${needsScript}`, () => {
  it.for([
    ["a terminal", {}, true],
    ["NO_COLOR", { NO_COLOR: "1" }, false],
    ["TERM=dumb", { TERM: "dumb" }, false],
  ] as const)("%s: uses colour or not", async ([, env, isColoured], context) => {
    const { bench, terminal } = await guided(context, [], { env });
    await terminal.waitFor(ASKS);
    terminal.type("nonsense\r");
    await terminal.waitFor(ASKS);
    terminal.type(`${bench.token}\r`);
    await terminal.waitFor(CONFIRMS);
    terminal.type("y");
    context.expect(await terminal.exit, terminal.screen()).toBe(0);
    context.expect(COLOUR.test(terminal.raw())).toBe(isColoured);
    const check = start(context, bench, ["check"], { env });
    context.expect(await check.exit, check.screen()).toBe(0);
    context.expect(STYLE.test(check.raw())).toBe(isColoured);
    context.expect(check.screen()).toMatch(/· Nothing to change\./);
  });

  it.for([
    ["no setting", {}, [], false],
    ["FORCE_COLOR", { FORCE_COLOR: "1" }, [], true],
    ["FORCE_COLOR=0", { FORCE_COLOR: "0" }, [], false],
    ["--color", {}, ["--color"], true],
    ["--no-color, FORCE_COLOR", { FORCE_COLOR: "1" }, ["--no-color"], false],
  ] as const)("in a pipe, %s: uses colour or not", async ([, env, args, isColoured], context) => {
    const bench = await workbench(context);
    const given = { DIGITALOCEAN_TOKEN: bench.token, ...env };
    for (const command of [["check"], ["--dry-run"], []]) {
      const { stdout, stderr } = await bench.run([...command, ...args], { env: given });
      context.expect(STYLE.test(stdout + stderr)).toBe(isColoured);
    }
  });

  it("a second run prints one line", async (context) => {
    const bench = await workbench(context);
    await fakeDoctl(bench.bin, { writeDelayMs: 0 });
    await bench.run(["--token-stdin"], { input: bench.token });
    const terminal = start(context, bench, ["--strict"]);
    context.expect(await terminal.exit, terminal.screen()).toBe(0);
    // The spinner's output was erased.
    const lines = terminal
      .screen()
      .replace(/[^\n]*\r(?!\n)/g, "")
      .trim()
      .split("\n");
    context.expect(lines.filter((line) => !/^ /.test(line))).toHaveLength(1);
    context.expect(lines.at(0)).toMatch(/^· acme-web: nothing to change \(token [0-9a-f]{8}, /);
  });
});

/** An address that refuses connections until it is opened; then it forwards to the API. */
async function closedDoor({ onTestFinished }: TestContext, api: string) {
  const door = createServer((socket) => {
    const behind = connect(Number(new URL(api).port), "127.0.0.1");
    socket.on("error", () => behind.destroy()).pipe(behind);
    behind.on("error", () => socket.destroy()).pipe(socket);
  });
  const listen = (port: number) =>
    new Promise<void>((resolve) => door.listen(port, "127.0.0.1", resolve));
  const close = () => new Promise<unknown>((resolve) => door.close(resolve));
  await listen(0);
  const { port } = door.address() as AddressInfo;
  await close();
  onTestFinished(async () => void door.close());
  return { url: `http://127.0.0.1:${port}`, open: () => listen(port) };
}

async function opener(folder: string, log: string): Promise<undefined> {
  const file = join(folder, "xdg-open");
  await writeFile(file, `#!/bin/sh\necho "$1" >> '${log}'\n`);
  await chmod(file, 0o755);
}
