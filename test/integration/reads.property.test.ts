import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import { readsOf } from "../../src/hcl/reads.ts";
import { TERRAFORM } from "../fixtures/terraform.ts";

/** What the API leaves out for a token without the scopes, and how such an attribute looks then. */
const HIDDEN = { tags: "tolist([])", vpc: '""', image: "0" } as const;
const NAMES = Object.keys(HIDDEN) as (keyof typeof HIDDEN)[];

/** A resource as Terraform knows it, without some of the attributes. */
function droplet(id: string, hidden: readonly string[]): string {
  const shown = { tags: `["t${id}", "web"]`, vpc: `"vpc-${id}"`, image: `${id}0` };
  const values = NAMES.map(
    (name) => `${name} = ${hidden.includes(name) ? HIDDEN[name] : shown[name]}`,
  );
  const pool = `pool = [{ size = "s${id}", tags = ${hidden.includes("tags") ? HIDDEN.tags : '["p"]'} }]`;
  return `{ id = "${id}", name = "web", ip = "192.0.2.${id}", ${values.join(", ")}, ${pool} }`;
}

/** The three shapes of a resource: with count, with for_each, and alone. */
function shapes(hidden: readonly string[]): string {
  const [one, two] = [droplet("1", hidden), droplet("2", hidden)];
  return `{ list = [${one}, ${two}], map = { a = ${one}, b = ${two} }, alone = ${one} }`;
}

const { value } = fc.letrec<Record<"many" | "one" | "use" | "value" | "test", string>>((tie) => {
  const from = (template: string) => {
    const parts = template.split(/\b(MANY|ONE|USE|ATTR|TEST)\b/);
    return fc
      .tuple(
        ...parts.map((part) => {
          if (part === "ATTR")
            return fc.constantFrom("id", "ip", "name", ...NAMES, "pool[0].size", "pool[0].tags");
          return ["MANY", "ONE", "USE", "TEST"].includes(part)
            ? tie(part.toLowerCase() as "many")
            : fc.constant(part);
        }),
      )
      .map((texts) => texts.join(""));
  };
  const any = (...templates: string[]) => fc.oneof({ depthSize: "small" }, ...templates.map(from));
  return {
    many: any(
      ...["digitalocean_droplet.list", "digitalocean_droplet.map", "digitalocean_droplet.list[*]"],
      ...["values(digitalocean_droplet.map)", "reverse(digitalocean_droplet.list)"],
      ...[
        "concat(MANY, MANY)",
        "flatten([MANY, MANY])",
        "slice(MANY, 0, 1)",
        "(MANY)",
        "try(MANY, [])",
      ],
      ...["[for d in MANY : d]", "[for d in MANY : d if TEST]", "{ for d in MANY : d.id => d }"],
      ...["{ for k, d in MANY : k => d if TEST }", "tolist(toset(MANY))", "distinct(MANY)"],
      ...[
        "coalescelist(MANY, MANY)",
        "merge(digitalocean_droplet.map, { z = ONE })",
        "TEST ? MANY : MANY",
      ],
      ...[
        "[ONE, ONE]",
        "{ for d in MANY : d.name => d... }",
        "zipmap(MANY[*].id, MANY)",
        "chunklist(MANY, 1)",
      ],
      ...["matchkeys(MANY, MANY[*].ip, [ONE.ip])", "digitalocean_droplet.alone[*]"],
    ),
    one: any(
      ...[
        "digitalocean_droplet.alone",
        "digitalocean_droplet.list[0]",
        "digitalocean_droplet.list.0",
      ],
      ...[
        'digitalocean_droplet.map["a"]',

        "element(MANY, 1)",
        "MANY[0]",
      ],
      ...['lookup(digitalocean_droplet.map, "a", ONE)', "one(slice(MANY, 0, 1))", "try(ONE, ONE)"],
      ...["coalesce(ONE, ONE)", "TEST ? ONE : ONE", 'MANY["1"]', "element(values(MANY), 0)"],
      ...["[for d in MANY : d][0]", "MANY[0][0]", "digitalocean_droplet.list[length(MANY) - 1]"],
    ),
    // Inside a loop, d is also read by name.
    test: any(
      ...[
        'ONE.ATTR != "x"',
        "length(ONE.tags) > 0",
        "length(MANY) > 1",
        'try(d.ip == "192.0.2.1", false)',
      ],
      ...["try(length(d.tags) > 0, false)", 'contains(keys(MANY), "a")', "can(ONE.tags[0])"],
    ),
    use: any(
      ...[
        "ONE.ATTR",
        "MANY[*].ATTR",
        "MANY.*.ATTR",
        "[for d in MANY : d.ATTR]",
        "length(MANY)",
        "keys(MANY)",
      ],
      ...[
        "[for k, d in MANY : k]",
        '[for k, d in MANY : "${k}-${d.ATTR}" if TEST]',
        '"x${ONE.ATTR}y"',
      ],
      ...["{ for d in MANY : d.ATTR => d.ATTR... }", '"%{ for d in MANY }${d.ATTR}%{ endfor }"'],
      ...[
        "length([for d in MANY : d if TEST])",
        "length([for d in MANY : d.tags[0]])",
        "ONE",
        "MANY",
      ],
      ...[
        "[for v in ONE : v]",
        "[for v in ONE : try(v[0].tags, v.x, 1)]",
        'lookup(ONE, "tags", [])',
      ],
      ...[
        'ONE["tags"]',
        'ONE["pool"][0].tags',
        'ONE["pool"][0].size',
        'ONE.pool[0]["tags"]',
        "ONE.pool[*].size",
      ],
      ...[
        "[for d in MANY : [for p in d.pool : p.size]]",
        "[for d in MANY : [for p in d.pool : p]]",
      ],
      ...[
        "[for k, v in ONE : k if v == ONE.ATTR]",
        "[for d in MANY : { a = d.ATTR, b = [d.ATTR] }]",
      ],
      ...[
        "[for d in [for e in MANY : { x = e.ATTR, y = e }] : d.x]",
        "element(ONE.tags, 0)",
        "-length(MANY)",
      ],
      ...[
        "sort(MANY[*].ATTR)",
        "toset(MANY[*].ATTR)",
        "compact(MANY[*].ip)",
        'join(",", MANY[*].ATTR)',
      ],
      ...[
        "[for d in MANY : [for d in MANY : d.ATTR]]",
        "[for i in range(2) : MANY[i].ATTR]",
        "merge(MANY...)",
      ],
      ...[
        "[for k, d in toset(MANY) : k.ip]",
        "values(ONE)",
        "length(ONE.ATTR)",
        "{ (ONE.ATTR) = ONE.ATTR }",
      ],
      ...[
        "[for d in MANY : length(d)]",
        "<<-EOT\n  %{ for k, d in MANY ~}\n  ${d.ATTR}\n  %{ endfor ~}\n  EOT\n",
      ],
    ),
    value: any("USE", "USE", "[USE, USE]", "TEST ? [USE] : [USE]", "try(USE, USE)").map(
      // TEST may name d outside a loop.
      (text) => `[for d in digitalocean_droplet.list : ${text}]`,
    ),
  };
});

/** The attributes that the program says the code does not read. */
function unread(text: string): readonly (keyof typeof HIDDEN)[] {
  const asked = new Set<string>();
  for (const read of readsOf(text) ?? [{ kind: "other" } as const]) {
    if (read.kind !== "reference") continue;
    const { name, attributes, isElement } = read.reference;
    const [first, second] = attributes;
    const isWhole = first === undefined || (isElement === true && name === "alone");
    for (const hidden of NAMES) {
      const isInPool = hidden === "tags" && first === "pool" && (second ?? hidden) === hidden;
      if (isWhole || first === hidden || isInPool) asked.add(hidden);
    }
  }
  return NAMES.filter((name) => !asked.has(name));
}

const needs = TERRAFORM ? "" : " (needs terraform)";
describe.skipIf(!TERRAFORM)(`what an expression reads, in a real Terraform${needs}`, () => {
  it("the value does not depend on attributes that it is said not to read", async () => {
    const seed = Number(process.env["SEED"] ?? Math.floor(Math.random() * 2 ** 31));
    const numRuns = Number(process.env["COUNT"] ?? 1) * 1500;
    const texts = [...new Set(fc.sample(value, { numRuns, seed }))];
    // Code that reads everything says nothing.
    const cases = texts
      .map((text) => ({ text, hidden: unread(text) }))
      .filter(({ hidden }) => hidden.length > 0);
    const folder = await mkdtemp(join(tmpdir(), "do-bootstrap-test-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    const sets = [...new Set(["", ...cases.map(({ hidden }) => hidden.join("_"))])];
    const locals = sets.map((set) => `  in_${set} = ${shapes(set.split("_"))}\n`);
    const outputs = cases.map(({ text, hidden }, i) => {
      const [shown, without] = ["", hidden.join("_")].map(
        (set) =>
          `try(jsonencode((${text.replaceAll("digitalocean_droplet.", `local.in_${set}.`)})), "fails")`,
      );
      return `output "v${i}" {\n  value = [${shown}, ${without}]\n}\n`;
    });
    await writeFile(join(folder, "main.tf"), `locals {\n${locals.join("")}}\n${outputs.join("")}`);
    const env = { PATH: process.env["PATH"] ?? "", HOME: folder, CHECKPOINT_DISABLE: "1" };
    const run = (...args: string[]) =>
      execa("terraform", args, { cwd: folder, env, extendEnv: false, reject: false });
    const { stderr } = await run("apply", "-auto-approve", "-no-color");
    expect(stderr, `seed ${seed}`).toBe("");
    const { stdout } = await run("output", "-json");
    const found: Record<string, { value: [string, string] }> = JSON.parse(stdout);
    const values = cases.map((_, i) => found[`v${i}`]?.value ?? ["", "missing"]);
    const wrong = cases.filter((_, i) => values[i]?.[0] !== values[i]?.[1]);
    expect(wrong, `seed ${seed}`).toEqual([]);
    const working = values.filter(([before]) => before !== "fails");
    expect(working.length).toBeGreaterThan(numRuns / 40);
  });
});
