import { describe, expect, it } from "vitest";
import { readHcl } from "../../../src/hcl/hcl.ts";
import { readsOf } from "../../../src/hcl/reads.ts";
import type { ParsedFile } from "../../../src/hcl/syntax.ts";
import { readTfJson } from "../../../src/hcl/tf-json.ts";

/** "tags image": attributes; "all": everything; "each tags": of an element. X is the resource. */
function asked({ references }: Pick<ParsedFile, "references">): string {
  const texts = references.map(({ attributes, isElement }) =>
    [...(isElement ? ["each"] : []), attributes.join(".") || "all"].join(" "),
  );
  return [...new Set(texts)].toSorted().join(", ");
}

const code = (text: string) => text.replace(/\bX\b/g, "digitalocean_droplet.web");

describe("what an expression reads of a resource", () => {
  it.each([
    ["X[*].ip", "ip"],
    ["[for d in X : d.ip]", "each ip"],
    ["[for d in X : d.ip if d.tags != null]", "each ip, each tags"],
    ["{ for k, d in X : k => d.ip }", "each ip"],
    ["{ for d in X : d.name => d.ip... }", "each ip, each name"],
    ["[for d in X : d][*].ip", "each ip"],
    ["{ for d in X : d.name => d }[*].ip", "each ip, each name"],
    ["[for d in [for e in X : e] : d.ip]", "each ip"],
    ["[for d in X : { a = d.ip, b = d.name }]", "each ip, each name"],
    ["[for d in X : d]", "each all"],
    ["[for d in X : merge(d, {})]", "each all"],
    ["values(X)[*].ip", "each ip"],
    ["element(X, 0).ip", "each ip"],
    ["element(values(X), 0).ip", "each ip"],
    ["one(X).ip", "each ip"],
    ["one(X[*].ip)", "ip"],
    ["try(X[0].ip, null)", "ip"],
    ["coalesce(one(X).ip, X[1].name)", "each ip, name"],
    ['lookup(X, "a", null).ip', "each ip"],
    ['lookup(X, "tags", [])', "each all"],
    ["flatten([X, X])[*].ip", "each ip"],
    ["flatten(X[*].ips)", "ips"],
    ["concat(X, X)[0].ip", "each ip"],
    ["var.a ? X[0].ip : X[1].name", "ip, name"],
    ["(var.a ? X : X)[0].ip", "ip"],
    ["toset(X[*].ip)", "ip"],
    // The order of a set depends on everything in it.
    ["tolist(toset(X))[0].ip", "each all"],
    ["length(X)", ""],
    ["keys(X)", ""],
    ["length(flatten([values(X), X]))", ""],
    ["length(element(X, 0))", "each all"],
    ["length(X) > 0 ? 1 : 0", ""],
    ["length([for d in X : d if d.tags != null])", "each tags"],
    ["length(X[0].tags)", "tags"],
    ["length([for d in X : d.tags[0]])", "each tags"],
    ["jsonencode(X)", "all"],
    ["f(X)[*].ip", "all"],
    ["[X, X]", "all"],
    ["{ a = X }.a.ip", "all"],
    ['"%{ for d in X }${d.ip}%{ endfor }${d.x}"', "each ip"],
    ['"-${X.ip}-${length(X)}"', "ip"],
    ['X["a"].ip', "each ip"],
    ["X[count.index].ip", "ip"],
    ['X["node_pool"][0].tags', "each tags"],
    ['X.node_pool[0]["tags"].x', "node_pool"],
    ["X.0.ip", "ip"],
    ["resource.digitalocean_droplet.web.ip", "ip"],
    ["[for k, d in toset(X) : k.ip]", "each all"],
    ["[for d in X : [for d in var.y : d.ip]]", ""],
  ])("%s: %s", (text, expected) => {
    const { references } = readHcl(`locals {\n  a = ${code(text)}\n}\n`, "a.tf");
    expect(asked({ references })).toBe(expected);
  });

  it.each<[what: string, text: string, expected: string]>([
    ["each.value", 'resource "x" "y" {\n for_each = X\n a = each.value.ip\n}', "each ip"],
    ["each.key", 'resource "x" "y" {\n for_each = X\n a = each.key\n}', ""],
    [
      "each.value in a block",
      'module "y" {\n for_each = X\n b {\n a = each.value.ip\n }\n}',
      "each ip",
    ],
    ["each.value as a whole", 'module "y" {\n for_each = X\n a = each.value\n}', "each all"],
    [
      "each of a for expression",
      'module "y" {\n for_each = { for d in X : d.name => d }\n a = each.value.ip\n}',
      "each ip, each name",
    ],
    [
      "a dynamic block",
      'r "x" {\n dynamic "b" {\n for_each = X\n content {\n a = b.value.ip\n }\n }\n}',
      "each ip",
    ],
    [
      "the iterator of a dynamic block",
      'r "x" {\n dynamic "b" {\n for_each = X\n iterator = d\n content {\n a = d.value.ip\n b = b.value.x\n }\n }\n}',
      "each ip",
    ],
    ["depends_on", 'r "x" {\n depends_on = [X]\n}', ""],
    ["moved", "moved {\n from = X\n to = X\n}", ""],
    // A broken part may be in no block.
    ["a broken file", "locals {\n a = X.ip\n}\nlocals {\n b = = X\n}\n", "all, ip"],
  ])("%s: %s", (_, text, expected) => {
    expect(asked(readHcl(code(text), "a.tf"))).toBe(expected);
  });

  it.each([
    ["${[for d in X : d.ip]}", "each ip"],
    ["-${X.ip}-", "ip"],
    ["X.ip", ""],
    ['${X[\\"a\\"].ip}', "each ip"],
  ])("in JSON, %s: %s", (text, expected) => {
    const { references } = readTfJson(`{"locals": {"a": "${code(text)}"}}`, "a.tf.json");
    expect(asked({ references })).toBe(expected);
  });

  it("code that is too long or too complicated reads everything", () => {
    const loops = 30;
    const nested = `${"[for d in concat(d, d) : ".repeat(loops)}d.ip${"]".repeat(loops)}`;
    expect(readsOf(code(`[for d in X : ${nested}]`))).toBeUndefined();
    for (const text of [`[for d in X : ${nested}]`, `[X, "${"x".repeat(100_000)}"]`]) {
      expect(asked(readHcl(`locals {\n a = ${code(text)}\n}`, "a.tf"))).toBe("all");
    }
  });
});
