import { readFile } from "node:fs/promises";
import { Ajv } from "ajv";
import { describe, expect, it } from "vitest";
import { reportSchema } from "../../src/report/json-schema.ts";
import { fakeDoctl } from "../fixtures/tools.ts";
import { randomToken, type Workbench, workbench } from "../fixtures/workbench.ts";

const published = JSON.parse(await readFile("report.schema.json", "utf8"));
const validate = new Ajv({ allErrors: true, strict: true, allowUnionTypes: true }).compile(
  published,
);

const ENV = (token: string) => `DIGITALOCEAN_TOKEN=${token}\n`;
const OTHER = randomToken();
type Arrange = (bench: Workbench) => Promise<unknown>;

describe.concurrent("report.schema.json", () => {
  it("is generated from this source", ({ expect }) => {
    expect(published).toEqual(JSON.parse(JSON.stringify(reportSchema())));
  });

  it.for<[what: string, arrange: Arrange, args: string[], status: number]>([
    ["an empty repo", async () => undefined, ["check"], 4],
    ["a new repo", (bench) => bench.write(".env", ENV(bench.token)), ["check"], 3],
    ["a new repo, prepared", (bench) => bench.write(".env", ENV(bench.token)), ["init"], 0],
    [
      "a finished repo",
      async (bench) => {
        await fakeDoctl(bench.bin);
        await bench.write(".env", ENV(bench.token), 0o600);
        await bench.run(["--yes"]);
      },
      ["check"],
      0,
    ],
    ["a rejected token", (bench) => bench.write(".env", ENV(OTHER), 0o600), ["check"], 4],
    [
      "every field of a finding",
      async (bench) => {
        await fakeDoctl(bench.bin);
        await bench.write("../home/.config/doctl/config.yaml", "context: Prod\noutput: json\n");
        await bench.write(".env", ENV(bench.token), 0o600);
        await bench.write(".env.local", ENV(OTHER));
        await bench.write("main.tf", `provider "digitalocean" {\n  token = "${OTHER}"\n}\n`);
      },
      ["check"],
      3,
    ],
    [
      "without doctl and Terraform",
      async (bench) => {
        await bench.write("do-bootstrap.config.yaml", "doctl: false\nterraform: false\n");
        await bench.write(".env", ENV(bench.token), 0o600);
      },
      ["check"],
      3,
    ],
    ["an invalid config", (bench) => bench.write(".do-bootstraprc", "tokne: {}\n"), ["check"], 2],
  ])("describes %s", async ([, arrange, args, status], { expect, onTestFinished }) => {
    const bench = await workbench({ onTestFinished });
    await arrange(bench);
    const { stdout, status: ended } = await bench.run([...args, "--json"]);
    expect(ended).toBe(status);
    const document = JSON.parse(stdout);
    validate(document);
    expect(validate.errors).toBeNull();
    expect(document.status).toBe(status);
  });
});

describe("the schema is closed", () => {
  it("accepts no unknown field", () => {
    const document = {
      schemaVersion: 1,
      status: 2,
      error: { code: "X", message: "m", hint: null },
    };
    expect(validate(document)).toBe(true);
    expect(validate({ ...document, more: 1 })).toBe(false);
  });
});
