import { dirname } from "node:path";
import { describe, expect, it } from "vitest";
import { judgePlace, planDoctl } from "../../../../src/concerns/doctl/plan.ts";
import type { ApplyContext } from "../../../../src/core/change.ts";
import type { ToolCall, ToolResult } from "../../../../src/host/host.ts";
import { diffOf } from "../../../../src/report/diff.ts";
import {
  alive,
  consent,
  DOCTL_CONFIG,
  type Flags,
  facts,
  found,
  type Given,
  inspection,
  MISSING,
  planned,
  secretFrom,
} from "../../../fixtures/facts.ts";
import { said } from "../../../fixtures/hint.ts";
import { LEGACY, OTHER, PERSONAL } from "../../samples.ts";

const plan = async (given: Given, ...flags: Flags) =>
  planDoctl(await facts(given), consent(...flags));
const stored = (entry: NonNullable<Given["files"]>[string]): Pick<Given, "files"> => ({
  files: { [DOCTL_CONFIG]: entry },
});
const OTHERS = `access-token: ${OTHER}\n`;
const ACME_TOKEN = { uuid: "acme", name: "Acme" };
const OF_ACME = alive("env-file", { team: ACME_TOKEN });
const says = (state: "alive" | "refused" | "unknown", team?: typeof ACME_TOKEN): Given => ({
  others: { [OTHER]: inspection(state, { team }) },
});

describe("which context gets the token", () => {
  it.each<[string, Given, readonly string[]]>([
    ["default has it: no change", {}, []],
    ["no config yet: default", stored(undefined), ["+ doctl context default login"]],
    ["no context yet: default", stored("output: text\n"), ["+ doctl context default login"]],
    [
      "default holds another token: the project's name",
      stored(OTHERS),
      ["+ doctl context repo login"],
    ],
    [
      "default holds a refused token: the project's name",
      { ...stored(OTHERS), ...says("refused") },
      ["+ doctl context repo login"],
    ],
    [
      "default holds a token of the same team: no change",
      { ...stored(OTHERS), token: OF_ACME, ...says("alive", ACME_TOKEN) },
      ["warning doctl.same-team-login"],
    ],
    [
      "the configured context",
      { config: "doctl: { context: web }" },
      ["+ doctl context web login"],
    ],
    [
      "the configured context has it: no change",
      { config: "doctl: { context: web }", ...stored(`auth-contexts: { web: ${PERSONAL} }\n`) },
      [],
    ],
    ["doctl: false", { config: "doctl: false", ...stored(OTHERS) }, []],
  ])("%s", async (_, given, expected) => {
    expect(planned(await plan(given))).toEqual(expected);
  });
});

describe("an existing login", () => {
  const web = "doctl: { context: web }";
  const holds = (token: string): Given => ({
    config: web,
    ...stored(`auth-contexts:\n  web: ${token}\n`),
  });

  const renewed = (token: string): Given => ({
    config: web,
    ...stored(
      `auth-contexts:\n  web: ${token}\noauth-tokens:\n  web:\n    refresh-token: dor_v1_x\n`,
    ),
  });

  it.each<[string, Given, Flags, readonly string[]]>([
    ["refused", { ...holds(OTHER), ...says("refused") }, [], ["~ doctl context web login"]],
    [
      "of another team",
      { ...holds(OTHER), token: OF_ACME, ...says("alive", { uuid: "b", name: "b" }) },
      [],
      ["error doctl.other-login"],
    ],
    [
      "valid, and our team is unknown",
      { ...holds(OTHER), ...says("alive", ACME_TOKEN) },
      [],
      ["error doctl.other-login"],
    ],
    [
      "could not be checked: counts as another's",
      { ...holds(OTHER), token: OF_ACME, ...says("unknown", ACME_TOKEN) },
      [],
      ["error doctl.other-login"],
    ],
    [
      "a browser login whose token has expired: doctl renews it",
      { ...renewed(OTHER), ...says("refused") },
      [],
      ["error doctl.other-login"],
    ],
    [
      "a browser login whose token has expired, --force",
      { ...renewed(OTHER), ...says("refused") },
      ["force"],
      ["~ doctl context web login"],
    ],
    ["this token and a browser login", renewed(PERSONAL), [], ["warning doctl.session-left"]],
    [
      "this token and a browser login, --force",
      renewed(PERSONAL),
      ["force"],
      ["~ doctl context web login"],
    ],
    [
      "another login, --force",
      { ...holds(OTHER), ...says("alive") },
      ["force"],
      ["~ doctl context web login"],
    ],
    [
      "of the same team",
      { ...holds(OTHER), token: OF_ACME, ...says("alive", ACME_TOKEN) },
      [],
      ["warning doctl.same-team-login"],
    ],
    [
      "of the same team, --force",
      { ...holds(OTHER), token: OF_ACME, ...says("alive", ACME_TOKEN) },
      ["force"],
      ["~ doctl context web login"],
    ],
    [
      "a token from before 2022",
      { ...holds(LEGACY), others: { [LEGACY]: inspection("refused") } },
      [],
      ["~ doctl context web login"],
    ],
    [
      "our token is refused: no change",
      { ...holds(OTHER), token: found("refused", "env-file") },
      ["force"],
      [],
    ],
    [
      "our token could not be checked: no change",
      { ...holds(OTHER), token: found("unknown", "env-file") },
      ["force"],
      [],
    ],
    ["we have no token: no change", { ...holds(OTHER), token: MISSING }, ["force"], []],
  ])("%s", async (_, given, flags, expected) => {
    expect(planned(await plan(given, ...flags))).toEqual(expected);
  });

  it.each<[string, Given, Flags, string]>([
    ["nothing", stored(undefined), [], "a new context"],
    ["a refused token", { ...holds(OTHER), ...says("refused") }, [], "401"],
    ["another login", { ...holds(OTHER), ...says("alive") }, ["force"], "another valid login"],
    [
      "a login of the same team",
      { ...holds(OTHER), token: OF_ACME, ...says("alive", ACME_TOKEN) },
      ["force"],
      "same team",
    ],
  ])("the reason, if the context has %s", async (_, given, flags, why) => {
    expect((await plan(given, ...flags)).changes?.map((each) => each.why)).toEqual([
      expect.stringContaining(why),
    ]);
  });

  it("is compared with ours by fingerprint; no token is shown", async () => {
    const made = await plan({ ...holds(OTHER), ...says("alive") });
    const { fingerprint } = secretFrom("doctl", OTHER);
    expect(JSON.stringify(made.findings)).toContain(fingerprint);
    expect(JSON.stringify(made.findings)).not.toContain(OTHER);
    const [change] = (await plan({ ...holds(OTHER), ...says("alive") }, "force")).changes ?? [];
    const difference = change?.diff();
    expect(difference && diffOf(difference)).toEqual([
      { kind: "removed", text: `[secret ${fingerprint}]` },
      { kind: "added", text: `[secret ${secretFrom("doctl").fingerprint}]` },
    ]);
    expect(change?.json()).toMatchObject({ kind: "doctl-context", context: "web" });
  });
});

describe("doctl's installation and config", () => {
  const NO_DOCTL: Given = { tools: [], ...stored(undefined) };
  const CI: Given = { isCi: true, ...stored(undefined) };
  const NO_HOME: Given = { home: false };
  const NEW = ["+ doctl context default login"];

  it.each<[string, Given, Flags, readonly string[]]>([
    ["no doctl", NO_DOCTL, [], ["info doctl.missing"]],
    ["no doctl, --doctl-config", NO_DOCTL, ["doctlConfig"], NEW],
    ["no doctl, --force", NO_DOCTL, ["force"], ["info doctl.missing"]],
    ["CI", CI, [], ["info doctl.not-in-ci"]],
    ["CI, --save", CI, ["save"], NEW],
    ["CI, --doctl-config", CI, ["doctlConfig"], NEW],
    ["CI without doctl", { ...CI, tools: [] }, ["save"], ["info doctl.missing"]],
    ["no HOME", NO_HOME, [], ["warning doctl.no-config-folder"]],
    ["no APPDATA", { platform: "win32" }, [], ["warning doctl.no-config-folder"]],
    [
      "no HOME, but DIGITALOCEAN_CONFIG",
      { ...NO_HOME, env: { DIGITALOCEAN_CONFIG: "/x.yaml" } },
      [],
      NEW,
    ],
    ["an empty config", stored(""), [], ["error doctl.config-broken"]],
    ["a config that is a list, --force", stored("- a\n"), ["force"], ["error doctl.config-broken"]],
    [
      "a broken config, and no token to store",
      { token: MISSING, ...stored("") },
      [],
      ["error doctl.config-broken"],
    ],
    ["a broken config, in CI", { isCi: true, ...stored("") }, [], ["info doctl.not-in-ci"]],
    ["a directory", stored({ unusable: "a directory" }), [], ["error doctl.config-broken"]],
    ["a FIFO", stored({ fifo: "" }), [], ["error doctl.config-broken"]],
    [
      "a config with our token, readable by others",
      stored({ text: `access-token: ${PERSONAL}\n`, mode: 0o640 }),
      [],
      ["warning doctl.readable"],
    ],
    [
      "a config with our token, readable by others, on Windows",
      {
        platform: "win32",
        env: { DIGITALOCEAN_CONFIG: "/home/sammy/.config/doctl/config.yaml" },
        ...stored({ text: `access-token: ${PERSONAL}\n`, mode: "none" }),
      },
      [],
      [],
    ],
    [
      "in a repo that does not ignore it",
      { doctlInGit: { root: "/home/sammy", isTracked: false } },
      [],
      ["error doctl.in-git"],
    ],
    [
      "tracked by a repo, --force",
      { ...stored(undefined), doctlInGit: { root: "/home/sammy", isTracked: true } },
      ["force"],
      ["error doctl.in-git"],
    ],
    [
      "tracked by a repo, and no token to store",
      { token: MISSING, doctlInGit: { root: "/home/sammy", isTracked: true } },
      [],
      [],
    ],
  ])("%s", async (_, given, flags, expected) => {
    expect(planned(await plan(given, ...flags))).toEqual(expected);
  });
});

describe("the suggested fix", () => {
  it.each<[string, Given, string]>([
    ["no doctl", { tools: [] }, "do-bootstrap --doctl-config"],
    [
      "CI, with a custom variable name",
      { isCi: true, config: "token: { name: ACME_TOKEN }" },
      'export DIGITALOCEAN_ACCESS_TOKEN="$ACME_TOKEN"; or',
    ],
    [
      "CI, with doctl's variable name",
      { isCi: true, env: { DIGITALOCEAN_ACCESS_TOKEN: "x" } },
      "do-bootstrap --doctl-config writes",
    ],
    [
      "an unreadable config",
      stored({ unusable: "not readable (EACCES)" }),
      `chmod u+rw ${DOCTL_CONFIG}`,
    ],
    ["a broken config", stored(""), `mv ${DOCTL_CONFIG} ${DOCTL_CONFIG}.broken`],
    [
      "a config that other users can read",
      stored({ text: `access-token: ${PERSONAL}\n`, mode: 0o644 }),
      `chmod 600 ${DOCTL_CONFIG}`,
    ],
    [
      "a repo that does not ignore it",
      { doctlInGit: { root: "/home/sammy", isTracked: false } },
      "/home/sammy/.gitignore: /.config/doctl/config.yaml",
    ],
    [
      "a repo that tracks it",
      { doctlInGit: { root: "/home/sammy", isTracked: true } },
      "git -C /home/sammy rm --cached -- .config/doctl/config.yaml",
    ],
  ])("%s", async (_, given, step) => {
    const [finding] = (await plan(given)).findings ?? [];
    expect(said(finding?.fix)).toContain(step);
  });
});

it.each<[string, Given, readonly string[]]>([
  ["not in a repo", {}, []],
  [
    "in a repo that does not ignore it",
    { doctlInGit: { root: "/home", isTracked: false } },
    ["error doctl.in-git"],
  ],
  ["doctl: false", { config: "doctl: false", doctlInGit: { root: "/home", isTracked: false } }, []],
])("rotate also checks the config's place: %s", async (_, given, expected) => {
  expect(planned({ findings: judgePlace(await facts(given)) })).toEqual(expected);
});

describe("before a context is written, doctl checks the token", () => {
  /** Runs the check of the plan's one change with this doctl, and logs how doctl got the token. */
  async function check(
    given: Given,
    flags: Flags,
    answer: Partial<ToolResult> = {},
    isShared = false,
  ) {
    const [change] = (await plan({ ...stored(undefined), ...given }, ...flags)).changes ?? [];
    const log: string[] = [];
    const files = {
      realpath: async (path: string) => path,
      makeDirectory: async (path: string, mode: number) =>
        log.push(`mkdir ${path} ${mode.toString(8)}`),
      sweep: async () => [],
      withDoctlFile: async <T>(_: string, use: (path: string) => Promise<T>) =>
        isShared ? undefined : use("/private/config.yaml"),
    };
    const run = async ({ file, args, env }: ToolCall): Promise<ToolResult> => {
      const places = [args.includes(PERSONAL) ? "argv" : "", env[ACCESS] === PERSONAL ? "env" : ""];
      log.push(`${file} by ${places.join("")}`);
      return { end: "exited", exitCode: 1, stdout: "", stderr: "", ...answer };
    };
    const warnings = await change?.check?.({
      host: { files, run, env: {} },
      progress: () => undefined,
      step: async (action: Promise<unknown>) => void (await action),
    } as unknown as ApplyContext);
    return { log, warnings };
  }
  const ACCESS = "DIGITALOCEAN_ACCESS_TOKEN";
  const FOLDER = `mkdir ${dirname(DOCTL_CONFIG)} 700`;

  it.each<[string, Given, Flags, readonly string[]]>([
    ["passes the token in the environment", {}, [], [FOLDER, "/usr/bin/doctl by env"]],
    [
      "passes the token in argv with --access-token-flag",
      {},
      ["asFlag"],
      [FOLDER, "/usr/bin/doctl by argv"],
    ],
    ["checks nothing without doctl", { tools: [] }, ["doctlConfig"], [FOLDER]],
  ])("%s", async (_, given, flags, expected) => {
    const { log, warnings } = await check(given, flags, { exitCode: 0 });
    expect({ log, warnings }).toEqual({ log: expected, warnings: [] });
  });

  it.each<[string, Partial<ToolResult>, RegExp]>([
    ["doctl has no network", { stderr: "dial tcp" }, /could not reach/],
    ["its server fails", { stderr: "GET /v2/account: 503 (request x)" }, /HTTP 503/],
    ["doctl takes too long", { end: "timed-out", exitCode: undefined }, /no answer/],
  ])("gives a warning if the result is unknown: %s", async (_, answer, words) => {
    const { warnings } = await check({}, [], answer);
    expect(warnings).toEqual([expect.stringMatching(words)]);
  });

  it("does not start doctl if other users can write to its config folder", async () => {
    const { log, warnings } = await check({}, [], {}, true);
    expect(log).toEqual([FOLDER]);
    expect(warnings).toEqual([expect.stringMatching(/other users can write to its config folder/)]);
  });

  it("fails if the server refuses the token", async () => {
    const refused = check({}, [], { stderr: "GET /v2/account: 401 (request x)" });
    await expect(refused).rejects.toMatchObject({ code: "DOCTL_REFUSED_TOKEN", status: 4 });
  });
});
