import { format, inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { AppError, asAppError } from "../../../src/errors/app-error.ts";
import { hint, run } from "../../../src/errors/hint.ts";
import { printable } from "../../../src/lib/printable.ts";
import { redact } from "../../../src/secret/redact.ts";
import { describeOrigin, Secret, type TokenOrigin } from "../../../src/secret/secret.ts";
import { said } from "../../fixtures/hint.ts";
import { LEGACY, OAUTH, OTHER, PERSONAL, REFRESH, secret } from "../samples.ts";

const SHOWN = /^\[secret [0-9a-f]{8}\]$/;

describe("a secret shows only its fingerprint", () => {
  it.each<[string, (it: Secret) => string]>([
    ["toString()", (it) => it.toString()],
    ["String()", (it) => String(it)],
    ["a template literal", (it) => `${it}`],
    ["an addition", (it) => ("" as unknown as string) + it],
    ["join", (it) => [it].join()],
    ["JSON", (it) => JSON.parse(JSON.stringify(it))],
    ["inspect", (it) => inspect(it)],
    ["inspect, with everything hidden", (it) => inspect(it, { showHidden: true, depth: 9 })],
    ["console's %s", (it) => format("%s", it)],
    ["console's %o", (it) => format("%o", it)],
  ])("%s", (_, show) => {
    expect(show(secret())).toMatch(SHOWN);
  });

  it.each<[string, (it: Secret) => string]>([
    ["nested JSON", (it) => JSON.stringify({ a: [{ it }] })],
    ["nested inspect", (it) => inspect({ a: [{ it }] }, { depth: 9 })],
    ["its keys and values", (it) => JSON.stringify(Object.entries(it))],
    [
      "all its properties",
      (it) =>
        Reflect.ownKeys(it)
          .map((key) => String(Reflect.get(it, key)))
          .join(),
    ],
    ["a copy", (it) => JSON.stringify({ ...it })],
    ["a clone", (it) => inspect(structuredClone({ ...it }))],
    ["an error's message", (it) => new Error(`no good: ${it}`).message],
    ["an error's cause", (it) => inspect(new Error("no good", { cause: it }))],
  ])("%s", (_, show) => {
    expect(show(secret(LEGACY))).not.toContain(LEGACY.slice(0, 9));
  });

  it("reveals itself when asked", () => {
    expect(secret(PERSONAL).reveal()).toBe(PERSONAL);
  });

  it("has a fingerprint that depends only on the value", () => {
    const fromDoctl = Secret.of(PERSONAL, { kind: "doctl", context: "default" });
    expect(fromDoctl.fingerprint).toBe(secret(PERSONAL).fingerprint);
    expect(secret(OTHER).fingerprint).not.toBe(secret(PERSONAL).fingerprint);
    // printf %s abc | sha256sum
    expect(secret("abc").fingerprint).toBe("ba7816bf");
  });

  it.each([
    ["the same value", secret(PERSONAL), true],
    ["another value", secret(OTHER), false],
    ["nothing", undefined, false],
  ])("equals %s: %#", (_, other, expected) => {
    expect(secret(PERSONAL).equals(other)).toBe(expected);
  });
});

describe("the origin of a secret", () => {
  it.each<[TokenOrigin, string]>([
    [{ kind: "stdin" }, "standard input"],
    [{ kind: "environment", name: "T" }, "T in the environment"],
    [{ kind: "env-file", name: "T", path: "/r/.env" }, "T in /r/.env"],
    [{ kind: "tfvars", path: "/r/a.json" }, "/r/a.json"],
    [{ kind: "doctl", context: "prod" }, "doctl context prod"],
  ])("%j", (origin, words) => {
    expect(describeOrigin(origin)).toBe(words);
  });
});

describe("an error never shows a token", () => {
  const MARK = "_v1_[redacted]";

  it.each([
    [`GET with ${PERSONAL}: 401`, `GET with dop${MARK}: 401`],
    [`"${OAUTH}"`, `"doo${MARK}"`],
    [`${REFRESH}.`, `dor${MARK}.`],
    [PERSONAL.toUpperCase(), `DOP${MARK}`],
    [PERSONAL.slice(0, 20), `dop${MARK}`],
    [`${PERSONAL} ${OTHER}`, `dop${MARK} dop${MARK}`],
    [`TOKEN=${PERSONAL}`, `TOKEN=dop${MARK}`],
    [`a_${PERSONAL}`, `a_dop${MARK}`],
    [`Bearer%20${PERSONAL}`, `Bearer%20dop${MARK}`],
    [`x=%20${PERSONAL.slice(0, 30)}`, `x=%20dop${MARK}`],
    [`${LEGACY}: 401`, "[redacted]: 401"],
    [`dop%5Fv1%5F${LEGACY}`, `dop${MARK}`],
    [JSON.stringify(`doo\\u005fv1\\u005f${LEGACY}`), `"doo${MARK}"`],
    ...["", ":", "u:"].map((before) => {
      const text = Buffer.from(before + PERSONAL).toString("base64url");
      const start = Math.ceil(before.length / 3) * 4;
      return [`a ${text}.pem`, `a ${text.slice(0, start)}[redacted].pem`];
    }),
    ["dop_v1_ and 64 characters", "dop_v1_ and 64 characters"],
    ["nothing here", "nothing here"],
  ])("redact, case %#", (text, expected) => {
    expect(redact(text)).toBe(expected);
  });

  it("in its message or hint", () => {
    const step = hint`not ${PERSONAL}: ${run("echo", PERSONAL)}`;
    const error = new AppError("USAGE", `bad ${PERSONAL}`, { hint: step });
    expect(error.message).toBe(`bad dop${MARK}`);
    expect(said(error.hint)).toBe(`not dop${MARK}: echo 'dop${MARK}'`);
  });

  it("if something else was thrown", () => {
    expect(asAppError(new Error(PERSONAL)).message).toBe(`dop${MARK}`);
    expect(asAppError(PERSONAL)).toMatchObject({ code: "UNEXPECTED", status: 1 });
  });

  it("and an AppError is returned unchanged", () => {
    const error = new AppError("DECLINED", "no");
    expect(asAppError(error)).toBe(error);
  });
});

describe("text from others", () => {
  it.each([
    ["\u001b[31mred", "\\x1b[31mred"],
    ["a\nb\tc", "a\\x0ab\\x09c"],
    ["\u009b1m", "\\x9b1m"],
    ["\u202egnp.exe", "\\x202egnp.exe"],
    ["équipe ✔", "équipe ✔"],
  ])("%j is shown escaped", (text, expected) => {
    expect(printable(text)).toBe(expected);
  });
});
