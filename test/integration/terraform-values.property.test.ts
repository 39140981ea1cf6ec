import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import { stringify } from "yaml";
import { TERRAFORM } from "../fixtures/terraform.ts";
import { workbench } from "../fixtures/workbench.ts";

const needs = TERRAFORM ? "" : " (needs terraform)";

/** In NFC, since Terraform normalizes every text. */
const text = fc.oneof(
  fc.string({ unit: "binary" }).map((each) => each.normalize("NFC")),
  fc.string({ unit: "grapheme" }).map((each) => each.normalize("NFC")),
  fc.stringMatching(/^[$%{}"\\~ if]{1,12}$/),
  fc.constantFrom(
    "${var.a}",
    "%{ if true }",
    "$${a}",
    "%%{",
    "\u0000",
    "\u2028",
    "😀",
    "\r\n",
    "<>&",
    "null",
  ),
);
const key = fc.oneof(
  fc
    .stringMatching(/^[a-z][a-z0-9_-]{0,6}$/)
    .filter((each) => !/^(constructor|prototype)$/.test(each)),
  fc.constantFrom("a.b", "${x}", "", "é", '"', "a b"),
);
const number = fc.oneof(
  fc.maxSafeInteger(),
  fc.integer(),
  fc.double({ noNaN: true, min: -1e9, max: 1e9 }).map((each) => each + 0),
);
const { value } = fc.letrec<{ value: unknown; list: unknown[]; map: Record<string, unknown> }>(
  (tie) => ({
    value: fc.oneof(
      { depthSize: "small" },
      text,
      text,
      number,
      fc.boolean(),
      tie("list"),
      tie("map"),
    ),
    list: fc.array(tie("value"), { maxLength: 3 }),
    map: fc.dictionary(key, tie("value"), { maxKeys: 3, noNullPrototype: true }),
  }),
);

/** Through JSON, which has no -0. */
const plain = (values: unknown) => JSON.parse(JSON.stringify(values)) as unknown;

describe.skipIf(!TERRAFORM)(`terraform.variables, in a real Terraform${needs}`, () => {
  it.each(["json", "yaml"])("Terraform gets any value unchanged: %s", async (format) => {
    const seed = Math.floor(Math.random() * 2 ** 31);
    const sampled = fc.sample(value, { numRuns: 150, seed });
    const values = Object.fromEntries(sampled.map((each, i) => [`v${i}`, plain(each)]));
    const config = { doctl: false, terraform: { credentials: "env", variables: values } };

    const bench = await workbench({ git: false });
    const name = `do-bootstrap.config.${format}`;
    await bench.write(name, format === "json" ? JSON.stringify(config) : stringify(config));
    const run = await bench.run(["--token-stdin"], { input: bench.token });
    expect(run.status, `seed ${seed}: ${run.stderr}`).toBe(0);

    // Without the provider, which is not available here.
    const folder = await mkdtemp(join(tmpdir(), "do-bootstrap-test-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    const names = Object.keys(values);
    const outputs = names.map((each) => `output "${each}" {\n  value = var.${each}\n}\n`);
    await writeFile(join(folder, "outputs.tf"), outputs.join(""));
    for (const file of ["variables.tf", "do-bootstrap.auto.tfvars.json"]) {
      await writeFile(join(folder, file), await readFile(join(bench.repo, file)));
    }
    const terraform = (...args: string[]) =>
      execa(TERRAFORM ?? "", args, {
        cwd: folder,
        env: { ...bench.env, CHECKPOINT_DISABLE: "1" },
        extendEnv: false,
        stdin: "ignore",
      });
    await terraform("apply", "-auto-approve", "-input=false", "-no-color");
    const { stdout } = await terraform("output", "-json");
    const arrived = JSON.parse(stdout) as Record<string, { value: unknown }>;
    for (const each of names) {
      expect(arrived[each]?.value, `seed ${seed}: ${JSON.stringify(values[each])}`).toEqual(
        values[each],
      );
    }
  });
});
