import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { dir } from "tmp-promise";
import { describe, expect, it, onTestFinished } from "vitest";
import { editValues, hidden, valuesOf } from "../../src/commands/credentials/edit-values.ts";
import { loadConfig } from "../../src/concerns/config/load.ts";
import { resolveConfig } from "../../src/concerns/config/resolve.ts";
import { validateConfig } from "../../src/concerns/config/validate.ts";
import {
  readDoctlConfig,
  withContext,
  withoutContext,
} from "../../src/concerns/doctl/config-file.ts";
import {
  withNames,
  withoutToken,
  withReplaced,
  withToken,
} from "../../src/concerns/env-file/edit.ts";
import { describeModule } from "../../src/concerns/terraform/root/describe-module.ts";
import { judge, readAnswer } from "../../src/concerns/token/verdict.ts";
import { recognise } from "../../src/core/generated.ts";
import { withoutBlock } from "../../src/core/ignore-block.ts";
import { AppError } from "../../src/errors/app-error.ts";
import { readEnvFile } from "../../src/exec/read-env-file.ts";
import { chooseToken } from "../../src/exec/token-sources.ts";
import { piecesOf } from "../../src/hcl/template.ts";
import { readTfJson } from "../../src/hcl/tf-json.ts";
import { nodeFiles } from "../../src/host/files.ts";
import { allowsFrom } from "../../src/lib/version.ts";
import { failuresIn } from "../../src/scopes/failures.ts";
import { actionsInPlan } from "../../src/scopes/plan-file.ts";
import { decode, encode } from "../../src/secret/content.ts";
import { cpuTimer } from "../fixtures/cpu.ts";
import { said } from "../fixtures/hint.ts";
import { NO_RECORDS, OTHER, PERSONAL, secret } from "./samples.ts";

/** Arbitrary bytes, and valid samples with some bytes removed, inserted or repeated. */
function soupOf(...samples: readonly string[]): fc.Arbitrary<Buffer> {
  const sample = fc.constantFrom(...samples).map((text) => Buffer.from(text));
  const bits = fc.constantFrom(
    ..."{}[]\"'`:=,#&*!|<\\$%\n\r\t \0\x1b",
    "\ufeff",
    "\u2028",
    "\ud800",
  );
  const put = fc.oneof(
    fc.uint8Array({ maxLength: 4 }).map((bytes) => Buffer.from(bytes)),
    fc.array(bits, { maxLength: 4 }).map((all) => Buffer.from(all.join(""))),
    sample,
  );
  const edit = fc.record({ at: fc.double({ min: 0, max: 1, noNaN: true }), cut: fc.nat(12), put });
  const mutated = fc.tuple(sample, fc.array(edit, { maxLength: 4 })).map(([start, edits]) =>
    edits.reduce((bytes, { at, cut, put }) => {
      const place = Math.floor(at * bytes.length);
      return Buffer.concat([bytes.subarray(0, place), put, bytes.subarray(place + cut)]);
    }, start),
  );
  return fc.oneof(
    { weight: 12, arbitrary: mutated },
    { weight: 4, arbitrary: fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)) },
  );
}

/** Passes each input to the reader, which may throw an AppError and no other error. */
function survives(read: (bytes: Buffer) => unknown, ...samples: readonly string[]): void {
  const property = fc.property(soupOf(...samples), (bytes) => {
    const seconds = cpuTimer();
    try {
      read(bytes);
    } catch (error) {
      expectClean(error);
    }
    expect(seconds()).toBeLessThan(10);
  });
  fc.assert(property, { numRuns: 400, endOnFailure: true });
}

function expectClean(error: unknown): void {
  if (!(error instanceof AppError)) throw error;
  expect(error.code).not.toBe("UNEXPECTED");
  expect(said(error.hint)).not.toBe("");
  expect(`${error.message}${said(error.hint)}`).not.toContain(PERSONAL.slice(7, 23));
}

/** Decodes like a text file. Bytes that are not text read as empty. */
const text = (bytes: Buffer) => decode(bytes)?.text ?? "";

const YAML = `project: web
token: { name: DO_TOKEN, envFile: .env.local, minTtl: 7d, command: [op, read] }
account: { team: x }
doctl: &d { context: acme }
terraform:
  - { dir: infra, tool: tofu, variables: { a: 1, b: [x, { c: null }] } }
environments: { prod: { doctl: *d, terraform: false } }
`;
const JSON_CONFIG =
  '{"$schema":"x","project":"web","terraform":{"variables":{"a":[1,{"b":null}]}}}';
const ENV = `# c\nexport DIGITALOCEAN_TOKEN='${OTHER}' # n\nA="x\ny"\nB: z\r\nC=\`q\`\n`;
const DOCTL = `access-token: ${PERSONAL}\nauth-contexts: { a: ${OTHER}, B: "x" }\ncontext: a\n# c\nm: &x 1\nn: *x\n`;
const PLAN = `{"format_version":"1.2","resource_changes":[{"address":"module.a.digitalocean_droplet.b[0]","mode":"managed","type":"digitalocean_droplet","name":"b","change":{"actions":["delete","create"],"before":{"name":"x","tags":["a"]},"after":{"name":"y","tags":null},"after_unknown":{"id":true,"tags":[true,false]},"importing":{"id":"1"}}}]}`;
const TF_JSON = `{"terraform":{"required_providers":{"digitalocean":{"source":"a/b"}}},"provider":{"digitalocean":[{"token":"\${var.t}"},{"alias":"b"}]},"variable":{"t":{"ephemeral":true,"default":null}},"resource":{"digitalocean_tag":{"a":{"name":"x"}}}}`;
const TFVARS = `# c\nregion = "nyc3"\ntoken = "${PERSONAL}" // d\na = { "b" : "${PERSONAL}", c = ["x"] }\n`;
const TFVARS_JSON = `{\n  "a": "\\u0041",\n  "t": "${PERSONAL}", "b": [1, {"c": "${PERSONAL}"}],\n  "d": null\n}\n`;
const ERRORS = `╷\n│ Error: creating: POST https://api.digitalocean.com/v2/tags: 403 (request "x") You are not authorized\n│   with digitalocean_tag.a,\n│   on main.tf line 3, in resource:\n╵\n{"diagnostic":{"severity":"error","summary":"s","detail":"d","address":"a","range":{"filename":"f","start":{"line":1}}}}\n{"errors":[{"detail":"GET https://x/v2/y: 401"}]}\nGet "https://api.digitalocean.com/v2/account": dial tcp: lookup: no such host\n`;

describe("any bytes cause no crash and leak no token in", () => {
  it("a config", async () => {
    const { path, cleanup } = await dir({ prefix: "do-bootstrap-test-", unsafeCleanup: true });
    onTestFinished(() => cleanup());
    const host = { files: nodeFiles, records: NO_RECORDS };
    const file = fc.constantFrom(".do-bootstraprc", ".do-bootstraprc.json", "package.json");
    const property = fc.asyncProperty(file, soupOf(YAML, JSON_CONFIG), async (name, bytes) => {
      await writeFile(join(path, name), bytes);
      try {
        const { written, base } = await loadConfig(host, path, path);
        resolveConfig(written, undefined, {
          file: name,
          base,
          packageName: "x",
          defaultDirs: ["."],
        });
      } catch (error) {
        expectClean(error);
      } finally {
        await writeFile(join(path, name), name === "package.json" ? "{}" : "");
      }
    });
    await fc.assert(property, {
      numRuns: 150,
      interruptAfterTimeLimit: 20_000,
      markInterruptAsFailure: true,
    });
  });

  it("the values of a config", () => {
    const known = fc.constantFrom(
      "project",
      "token",
      "terraform",
      "environments",
      "variables",
      "__proto__",
      "$import",
    );
    const { any } = fc.letrec<{ any: unknown }>((tie) => ({
      any: fc.oneof(
        fc.anything({ withNullPrototype: true }),
        fc.array(tie("any"), { maxLength: 3 }),
        fc.dictionary(fc.oneof(known, fc.string()), tie("any"), { maxKeys: 3 }),
      ),
    }));
    fc.assert(
      fc.property(any, (value) => {
        try {
          validateConfig(value, "config");
        } catch (error) {
          expectClean(error);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it("an env file", () => {
    survives((bytes) => {
      const given = text(bytes);
      withToken(given, ".env", "DIGITALOCEAN_TOKEN", secret());
      withReplaced(given, ".env", { olds: [secret(OTHER)], tokenFor: () => secret() });
      withoutToken(given, ".env", [secret(OTHER)]);
      withNames(given, [...readEnvFile(given).keys(), "X"]);
    }, ENV);
  });

  it("a .gitignore and a generated file", () => {
    const block =
      "a\n# do-bootstrap: keep secrets and state out of git\n.env\n# do-bootstrap: end\nb\n";
    const own = "# Generated by do-bootstrap (template 1, sha256:0123456789abcdef)\nx\n";
    survives((bytes) => [withoutBlock(text(bytes)), recognise(text(bytes))], block, own);
  });

  it("a Terraform expression, and every piece ends inside the text", () => {
    const sample = 'a ? "x${f(var.b, [1])}%{ if c }" : <<-EOT\n y ${local.d ~}\n EOT\n';
    survives((bytes) => {
      for (const isTemplate of [false, true]) {
        const pieces = piecesOf(text(bytes), isTemplate);
        for (const [at, { end }] of pieces.entries()) {
          expect(end).toBeGreaterThan(at);
          expect(end).toBeLessThanOrEqual(pieces.length);
        }
      }
    }, sample);
  });

  it("a .tf.json file", () => {
    survives((bytes) => {
      const given = text(bytes);
      const file = readTfJson(given, "a.tf.json");
      describeModule([file]);
    }, TF_JSON);
  });

  it.each([
    ["a .tfvars file", "a.tfvars", TFVARS],
    ["a .tfvars.json file", "a.tfvars.json", TFVARS_JSON],
  ])("%s, and hiding its values keeps every byte", (_, path, sample) => {
    survives((bytes) => {
      const read = decode(bytes);
      if (read === undefined) return;
      const { text, encoding } = read;
      expect(encode({ parts: hidden(text, path), encoding }).equals(bytes)).toBe(true);
      editValues(text, { path, olds: [secret()], tokenFor: () => secret(OTHER) });
      const parts = editValues(text, { path, olds: [secret()], tokenFor: undefined });
      if (parts === undefined) return;
      const left = valuesOf(encode({ parts, encoding }).toString(encoding), path);
      expect(left.some((value) => value.equals(secret()))).toBe(false);
    }, sample);
  });

  it("a version constraint", () => {
    survives((bytes) => allowsFrom([text(bytes)], "1.10"), ">= 1.5, ~> 1.9.0, != 1.11", "v1.2.3");
  });

  it("a plan's JSON", () => {
    survives((bytes) => actionsInPlan(bytes.toString("utf8"), "tfplan", []), PLAN);
  });

  it("doctl's config", () => {
    survives(
      (bytes) => {
        const given = text(bytes);
        readDoctlConfig(given);
        withContext(given, "new", secret());
        withoutContext(given, "a");
      },
      DOCTL,
      DOCTL.replaceAll("\n", "\r\n"),
    );
  });

  it("API answers", () => {
    const account = '{"account":{"uuid":"u","email":"e","team":{"uuid":"t","name":"Team"}}}';
    const info = '{"scopes":["read"],"expires_in_seconds":5,"application":{}}';
    const statuses = [0, 101, 200, 204, 302, 401, 403, 404, 429, 500, 999];
    survives(
      (bytes) => {
        const body = bytes.toString("utf8");
        const answers = statuses.map((status) =>
          readAnswer({ kind: "answer", status, contentType: "application/json", body }),
        );
        for (const one of answers) for (const other of answers) judge(one, other);
      },
      account,
      info,
    );
  });

  it("a token command's output or a typed token", () => {
    survives(
      (bytes) => {
        const given = bytes.toString("utf8");
        const state = chooseToken({
          stdin: undefined,
          env: {},
          envFile: { path: ".env", values: new Map() },
          name: "DIGITALOCEAN_TOKEN",
          command: { program: "op", text: given },
          prompted: undefined,
          inCode: undefined,
          environment: undefined,
        });
        if (state.kind === "unusable") expect(state.why).not.toMatch(/[^ -~]/);
      },
      `${PERSONAL}\n`,
      `"${OTHER}"`,
    );
  });

  it("an error text to explain", () => {
    survives((bytes) => failuresIn(bytes.toString("utf8")), ERRORS);
  });

  it("a file, and writing it back unchanged keeps every byte", () => {
    survives(
      (bytes) => {
        const read = decode(bytes);
        if (read === undefined) return;
        expect(encode({ parts: [read.text], encoding: read.encoding }).equals(bytes)).toBe(true);
      },
      ENV,
      DOCTL,
    );
  });
});

describe("20,000 nested openings cause no crash and no hang", () => {
  const opens = ["[", '{"a":', "{a = ", "- ", "? ", "a: ", "${", "(", '"${', "\\'", "A='"];
  const noToken = {
    stdin: undefined,
    prompted: undefined,
    inCode: undefined,
    environment: undefined,
  };
  const readers: Readonly<Record<string, (given: string) => unknown>> = {
    "an env file": (given) => withToken(given, ".env", "DIGITALOCEAN_TOKEN", secret()),
    "a .tf.json": (given) => describeModule([readTfJson(given, "a.tf.json")]),
    "the JSON of a plan": (given) => actionsInPlan(given, "tfplan", []),
    "an answer of the API": (body) =>
      readAnswer({ kind: "answer", status: 200, contentType: "application/json", body }),
    "an error text": failuresIn,
    "doctl's config": (given) => withContext(given, "new", secret()),
    "a .gitignore": withoutBlock,
    "a token": (given) =>
      chooseToken({
        ...noToken,
        env: { DO_TOKEN: given },
        envFile: { path: ".env", values: new Map() },
        name: "DO_TOKEN",
      }),
  };
  it.each(Object.keys(readers))("in %s", (name) => {
    for (const open of opens) {
      const seconds = cpuTimer();
      try {
        readers[name]?.(open.repeat(20_000));
      } catch (error) {
        expectClean(error);
      }
      expect(seconds()).toBeLessThan(10);
    }
  });
});
