import { describe, expect, it } from "vitest";
import {
  changePlace,
  holding,
  readPlaces,
  type TokenPlace,
} from "../../../../src/commands/credentials/token-places.ts";
import { joined } from "../../../../src/core/plan.ts";
import { diffOf } from "../../../../src/report/diff.ts";
import { content } from "../../../../src/secret/content.ts";
import type { Secret } from "../../../../src/secret/secret.ts";
import {
  afterwards,
  DOCTL_CONFIG,
  type Entry,
  facts,
  filesOf,
  type Given,
  planned,
  secretFrom,
  textsAfter,
} from "../../../fixtures/facts.ts";
import { said } from "../../../fixtures/hint.ts";
import { LEGACY, OAUTH, OTHER, PERSONAL } from "../../samples.ts";

const T = "DIGITALOCEAN_TOKEN";
const A = "DIGITALOCEAN_ACCESS_TOKEN";
const NEW = PERSONAL.replaceAll("0", "9");
const SECRET = "infra/do-bootstrap.secret.auto.tfvars.json";

const placesOf = async (given: Given) => readPlaces({ files: filesOf(given) }, await facts(given));
const nameOf = (place: TokenPlace) =>
  place.kind === "doctl"
    ? `doctl context ${place.context}`
    : `${place.kind} ${place.snapshot.path.replace("/repo/", "")}`;
const valuesIn = ({ holds }: TokenPlace) => holds.map((held) => held.reveal());

describe("places that are searched for tokens", () => {
  const DOCTL = "doctl context default";
  const LOGIN = `access-token: ${OTHER}\nauth-contexts: { web: ${OAUTH} }\noauth-tokens: { web: { refresh-token: R } }\n`;

  it.each<[string, Given, readonly string[]]>([
    ["the env file, and doctl", {}, ["env-file .env", DOCTL]],
    [
      "a missing env file is a place too",
      { files: { ".env": undefined } },
      ["env-file .env", DOCTL],
    ],
    [
      "other env files in its folder",
      { files: { ".env.local": "", ".env.a-b.c": "" } },
      ["env-file .env", "env-file .env.a-b.c", "env-file .env.local", DOCTL],
    ],
    [
      "files with similar names, which are not env files",
      {
        files: {
          ".env.sample": "",
          ".env.template": "",
          ".env.dist": "",
          ".envrc": "",
          "a.env": "",
          "x/.env": "",
        },
      },
      ["env-file .env", DOCTL],
    ],
    [
      "an env file whose name starts like the example's",
      { files: { ".env.example.local": "" } },
      ["env-file .env", "env-file .env.example.local", DOCTL],
    ],
    [
      "a run's temporary file, which is not an env file",
      { files: { ".env.do-bootstrap-1.local": "" } },
      ["env-file .env", DOCTL],
    ],
    [
      "env files of all environments",
      { config: "environments: { a: { token: { envFile: x/a.env } }, b: {} }" },
      ["env-file .env", "env-file x/a.env", DOCTL],
    ],
    [
      "a root's tfvars files",
      { config: "terraform: {}", files: { "infra/a.tfvars": "", "infra/b.auto.tfvars.json": "" } },
      [
        "env-file .env",
        `tfvars ${SECRET}`,
        "tfvars infra/a.tfvars",
        "tfvars infra/b.auto.tfvars.json",
        DOCTL,
      ],
    ],
    [
      "doctl contexts",
      { files: { [DOCTL_CONFIG]: `access-token: ${OTHER}\nauth-contexts: { web: ${LEGACY} }\n` } },
      ["env-file .env", DOCTL, "doctl context web"],
    ],
    [
      "a browser login that the config does not name",
      { files: { [DOCTL_CONFIG]: LOGIN } },
      ["env-file .env", DOCTL],
    ],
    [
      "a browser login that the config names",
      { config: "token: { doctl: web }", files: { [DOCTL_CONFIG]: LOGIN } },
      ["env-file .env", DOCTL, "doctl context web"],
    ],
    [
      "a personal token beside a browser login's",
      { files: { [DOCTL_CONFIG]: LOGIN.replace(OAUTH, OTHER) } },
      ["env-file .env", DOCTL, "doctl context web"],
    ],
    ["doctl: false", { config: "doctl: false" }, ["env-file .env"]],
    ["an invalid doctl config", { files: { [DOCTL_CONFIG]: "" } }, ["env-file .env"]],
    [
      "a link to another env file: one place",
      { files: { ".env": { text: "", leadsTo: "/repo/.env.a" }, ".env.a": "" } },
      ["env-file .env.a", DOCTL],
    ],
    [
      "two links to one file elsewhere",
      { files: { ".env": { text: "", leadsTo: "/x" }, ".env.a": { text: "", leadsTo: "/x" } } },
      ["env-file .env.a", DOCTL],
    ],
  ])("%s", async (_, given, expected) => {
    expect((await placesOf(given)).map(nameOf)).toEqual(expected);
  });

  it.each<[string, string, Entry, readonly string[]]>([
    ["every value of an env file", ".env", `${T}=${PERSONAL}\nA='x'\n`, [PERSONAL, "x"]],
    ["nothing of a FIFO", ".env", { fifo: `${T}=x` }, []],
    ["quoted values", "infra/a.tfvars", `a = "${PERSONAL}"\nb = ["x"]\n`, [PERSONAL, "x"]],
    [
      "JSON values, not keys",
      "infra/a.tfvars.json",
      `{"k":"${PERSONAL}","l":["x"]}`,
      [PERSONAL, "x"],
    ],
  ])("what a place holds: %s", async (_, name, entry, expected) => {
    const places = await placesOf({ config: "terraform: {}", files: { [name]: entry } });
    const place = places.find((each) => nameOf(each).endsWith(` ${name}`));
    expect(place && valuesIn(place)).toEqual(expected);
  });

  it("finds the places that hold an old token, each with its tokens", async () => {
    const given = { files: { ".env": `${T}=${PERSONAL}\n${A}=${OTHER}\n`, ".env.a": "A=1\n" } };
    const olds = [secretFrom("stdin"), secretFrom("stdin", OTHER), secretFrom("stdin", LEGACY)];
    const held = holding(await placesOf(given), olds);
    expect(held.map(({ place, olds }) => [nameOf(place), olds.map((old) => old.reveal())])).toEqual(
      [
        ["env-file .env", [PERSONAL, OTHER]],
        ["doctl context default", [PERSONAL]],
      ],
    );
  });
});

/** What rotate and logout change: every place with one of these tokens. */
async function change(given: Given, token: Secret | undefined, { olds = [PERSONAL] } = {}) {
  const known = await facts(given);
  const held = holding(
    await placesOf(given),
    olds.map((old) => secretFrom("stdin", old)),
  );
  return joined(held.map((each) => changePlace(known, each, token && (() => token))));
}

const root = (name: string, entry: Entry, more: Given = {}): Given => ({
  config: "terraform: {}\ndoctl: false",
  ...more,
  files: { ".env": undefined, [`infra/${name}`]: entry },
});
const env = (entry: Entry, more: Given = {}): Given => ({
  config: "doctl: false",
  ...more,
  files: { ".env": entry },
});

describe("the change of a place", () => {
  const OUT: Entry = { text: `${T}=${PERSONAL}\n`, leadsTo: "/else/.env" };
  const OLD_MAC = `${T}=${PERSONAL}\rA=1`;
  const AMBIGUOUS = `A:\r\n${PERSONAL}#`;
  const alone = `{"do_token":"${PERSONAL}"}`;
  const secret = "do-bootstrap.secret.auto.tfvars.json";

  it.each<[string, Given, readonly string[], readonly string[]]>([
    ["an env file", env(`${T}=${PERSONAL}\n`), ["~ .env secret 0600"], ["~ .env removal 0600"]],
    [
      "an env file with other values",
      env(`A=1\n${T}=${PERSONAL}\n`),
      ["~ .env secret 0600"],
      ["~ .env removal secret 0600"],
    ],
    [
      "an env file that others may read",
      env({ text: `${T}=${PERSONAL}\n`, mode: 0o644 }),
      ["~ .env secret 0600"],
      ["~ .env removal 0600"],
    ],
    [
      "an env file that others may read, on Windows",
      env({ text: `${T}=${PERSONAL}\n`, mode: "none" }),
      ["~ .env secret 0600"],
      ["~ .env removal 0600"],
    ],
    // unread-places.test.ts tests its finding.
    ["a link out of the repo", env(OUT), [], []],
    [
      "an env file in a read-only folder",
      env(`${T}=${PERSONAL}\n`, { readOnly: ["."] }),
      ["error file.not-writable"],
      ["error file.not-writable"],
    ],
    ["CR line endings", env(OLD_MAC), ["~ .env secret 0600"], ["error file.unusable"]],
    [
      "a text that would parse differently",
      env(AMBIGUOUS),
      ["error file.unusable"],
      ["error file.unusable"],
    ],
    ["the secret file", root(secret, alone), [`~ ${SECRET} secret 0600`], [`- ${SECRET}`]],
    [
      "the secret file, a link",
      root(secret, { text: alone, leadsTo: "/repo/x.json" }),
      [`~ ${SECRET} secret 0600`],
      [`~ ${SECRET} removal 0600`],
    ],
    [
      "the secret file with other values",
      root(secret, `{"a":"b","do_token":"${PERSONAL}"}`),
      [`~ ${SECRET} secret 0600`],
      [`~ ${SECRET} removal secret 0600`],
    ],
    [
      "HCL values",
      root("a.tfvars", `do_token = "${PERSONAL}" # mine\n`),
      ["~ infra/a.tfvars secret 0600"],
      ["- infra/a.tfvars"],
    ],
    [
      "HCL values, in a list",
      root("a.tfvars", `t = ["${PERSONAL}"]\n`),
      ["~ infra/a.tfvars secret 0600"],
      ["error file.unusable"],
    ],
    [
      "a context",
      { files: { ".env": undefined } },
      ["~ doctl context default login"],
      ["- doctl context default"],
    ],
    [
      "a context, with doctl's config in a git repo",
      { doctlInGit: { root: "/home", isTracked: false }, files: { ".env": undefined } },
      ["error doctl.in-git"],
      ["- doctl context default"],
    ],
  ])("%s: rotate, logout", async (_, given, rotated, loggedOut) => {
    expect(planned(await change(given, secretFrom("stdin", NEW)))).toEqual(rotated);
    expect(planned(await change(given, undefined))).toEqual(loggedOut);
  });

  it.each<[string, Given, string, string, string | undefined]>([
    [
      "every assignment is edited",
      env(`A=1\n${T}="${PERSONAL}" # mine\n${A}=${PERSONAL}\n`),
      ".env",
      `A=1\n${T}="${NEW}" # mine\n${A}=${NEW}\n`,
      "A=1\n",
    ],
    [
      "another token stays",
      env(`${T}=${PERSONAL}\n${A}=${OTHER}\n`),
      ".env",
      `${T}=${NEW}\n${A}=${OTHER}\n`,
      `${A}=${OTHER}\n`,
    ],
    [
      "the other values of a tfvars file stay",
      root("a.tfvars", `a = "x"\nb = "${PERSONAL}"\nc = 1\n`),
      "infra/a.tfvars",
      `a = "x"\nb = "${NEW}"\nc = 1\n`,
      'a = "x"\nc = 1\n',
    ],
  ])("%s", async (_, given, name, rotated, loggedOut) => {
    expect(textsAfter(await change(given, secretFrom("stdin", NEW)))[name]).toBe(rotated);
    expect(textsAfter(await change(given, undefined))[name]).toBe(loggedOut);
  });

  it("two old tokens in one place are both replaced", async () => {
    const olds = { olds: [PERSONAL, OTHER] };
    const given = env(`${T}=${PERSONAL}\n${A}=${OTHER}\nL=${LEGACY}\n`);
    const text = async (token: Secret | undefined) =>
      textsAfter(await change(given, token, olds))[".env"];
    expect(await text(secretFrom("stdin", NEW))).toBe(`${T}=${NEW}\n${A}=${NEW}\nL=${LEGACY}\n`);
    expect(await text(undefined)).toBe(`L=${LEGACY}\n`);
  });

  it("two old tokens in one place get a new one each", async () => {
    const newer = LEGACY.replaceAll("0", "9");
    const given = env(`${T}=${PERSONAL} # ${OTHER}\n${A}=${OTHER}\nB="Bearer ${PERSONAL}"\n`);
    const olds = [secretFrom("stdin"), secretFrom("stdin", OTHER)];
    const tokenFor = (old: Secret) => secretFrom("stdin", old.holds(OTHER) ? newer : NEW);
    const known = await facts(given);
    const held = holding(await placesOf(given), olds);
    const plan = joined(held.map((each) => changePlace(known, each, tokenFor)));
    expect(textsAfter(plan)[".env"]).toBe(
      `${T}=${NEW} # ${newer}\n${A}=${newer}\nB="Bearer ${NEW}"\n`,
    );
    const [change] = plan.changes;
    const lines = JSON.stringify(diffOf(change?.diff() ?? { before: content(), after: content() }));
    expect(lines).not.toMatch(new RegExp([PERSONAL, OTHER, NEW, newer].join("|")));
  });

  it.each<[string, Secret | undefined]>([
    ["rotate", secretFrom("stdin", NEW)],
    ["logout", undefined],
  ])("after %s no place holds the old one", async (_, token) => {
    const given: Given = {
      config: "terraform: {}\ndoctl: false",
      files: {
        ".env.a": `X=${PERSONAL}\n`,
        [SECRET]: alone,
        "infra/z.auto.tfvars": `t = "${PERSONAL}"\n`,
      },
    };
    const again = afterwards(given, await change(given, token));
    expect(planned(await change(again, token))).toEqual([]);
  });

  it.each<[string, Given]>([
    ["an env file", env(`A=hunter2\n${T}=${PERSONAL}\n`)],
    [
      "a tfvars file",
      root("a.tfvars", { text: `a = "hunter2"\nb = "${PERSONAL}"\n`, mode: 0o600 }),
    ],
  ])("no diff shows a value: %s", async (_, given) => {
    for (const token of [secretFrom("stdin", NEW), undefined]) {
      const [found] = (await change(given, token)).changes;
      const lines = diffOf(found?.diff() ?? { before: content(), after: content() });
      expect(JSON.stringify(lines)).not.toMatch(new RegExp(`hunter2|${PERSONAL}|${NEW}`));
      expect(JSON.stringify(lines)).toContain(secretFrom("stdin").fingerprint);
      expect(lines.length).toBe(token === undefined ? 1 : 2);
    }
  });

  it.each<[string, Given, Secret | undefined, RegExp]>([
    ["rotate", env(`${T}=${PERSONAL}\n`), secretFrom("stdin", NEW), /new token/],
    ["logout", env(`${T}=${PERSONAL}\n`), undefined, /remove the token/],
    ["logout that deletes the file", root(secret, alone), undefined, /only the token/],
    [
      "rotate of a doctl context",
      { files: { ".env": undefined } },
      secretFrom("stdin", NEW),
      /new token/,
    ],
  ])("the reason of a change: %s", async (_, given, token, why) => {
    const { changes } = await change(given, token);
    expect(changes.map((each) => each.why)).toEqual([expect.stringMatching(why)]);
  });

  it("a file that can't be edited is left to the user", async () => {
    const [finding] = (await change(env(OLD_MAC), undefined)).findings;
    expect(finding?.where).toBe("/repo/.env");
    expect(said(finding?.fix)).toMatch(/by hand/);
  });
});
