import { expect, it } from "vitest";
import { problemIn } from "../../../../src/commands/pipelines/lock-file.ts";

const block = (name: string, ...hashes: string[]) =>
  `provider "${name}" {\n  version = "2.50.0"\n  hashes = [\n${hashes.map((hash) => `    "${hash}",\n`).join("")}  ]\n}\n`;
const OURS = "registry.terraform.io/digitalocean/digitalocean";
const OTHER = block("registry.terraform.io/hashicorp/random", "h1:a", "h1:b", "zh:c");

it.each<[name: string, text: string, problem: RegExp | undefined]>([
  ["as terraform init writes it", block(OURS, "h1:a=", "zh:1", "zh:2"), undefined],
  ["as providers lock writes it", block(OURS, "h1:a=", "h1:b="), undefined],
  ["of OpenTofu", block("registry.opentofu.org/digitalocean/digitalocean", "zh:1"), undefined],
  ["of a mirror", block("tf.acme.example/digitalocean/digitalocean", "zh:1"), undefined],
  ["with CRLF", block(OURS, "zh:1").replaceAll("\n", "\r\n"), undefined],
  ["with one platform's hash", block(OURS, "h1:a="), /one platform/],
  [
    "with one platform's hash, and more for another provider",
    block(OURS, "h1:a=") + OTHER,
    /one platform/,
  ],
  ["without hashes", block(OURS), /one platform/],
  ["with only another provider", OTHER, /does not list/],
  ["with the provider only in a comment", `# provider "${OURS}"\n`, /does not list/],
  ["empty", "", /does not list/],
  ["cut off", `provider "${OURS}" {\n  hashes = [\n    "zh:1`, undefined],
])("a lock file %s", (_, text, problem) => {
  if (problem === undefined) expect(problemIn(text)).toBeUndefined();
  else expect(problemIn(text)).toMatch(problem);
});
