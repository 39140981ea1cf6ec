import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { facts } from "../fixtures/facts.ts";
import { TERRAFORM, terraform } from "../fixtures/terraform.ts";
import { workbench } from "../fixtures/workbench.ts";

const MODULE = 'variable "token" {}\n';
const EPHEMERAL_MODULE = 'variable "token" {\n  ephemeral = true\n}\n';
/** All places for a value. A line that ends in "refused" must not use an ephemeral value. */
const MAIN = `
variable "do_token" {
  type      = string
  ephemeral = true
  default   = null
  validation {
    condition     = var.do_token != ""
    error_message = "x"
  }
}

locals {
  carried = { a = ["x-\${var.do_token}"] }
  twice   = local.carried.a[0]
  not     = ephemeralasnull(var.do_token)
}

resource "terraform_data" "argument" {
  input = var.do_token # refused
}

resource "terraform_data" "through_locals" {
  triggers_replace = { a = trimspace(local.twice) } # refused
}

resource "terraform_data" "in_text" {
  input = "#cloud-config\\n \${local.twice}" # refused
}

resource "terraform_data" "counted" {
  count = var.do_token == null ? 1 : 0 # refused
}

resource "terraform_data" "each" {
  for_each = toset([var.do_token]) # refused
}

data "terraform_remote_state" "config" {
  backend = "local"
  config  = { path = var.do_token } # refused
}

module "plain" {
  source = "./plain"
  token  = var.do_token # refused
}

module "counted" {
  source = "./plain"
  count  = var.do_token == null ? 1 : 0 # refused
  token  = "x"
}

output "token" {
  value     = local.twice # refused
  sensitive = true
}

resource "terraform_data" "fine" {
  input = local.not
  provisioner "local-exec" {
    command     = "true"
    environment = { T = var.do_token, U = local.twice }
  }
  lifecycle {
    precondition {
      condition     = var.do_token != "x"
      error_message = "x"
    }
  }
}

module "ephemeral" {
  source = "./ephemeral"
  token  = var.do_token
}

check "fine" {
  assert {
    condition     = var.do_token != "x"
    error_message = "x"
  }
}
`;

const lines = MAIN.split("\n").map((line, at) => (/# refused$/.test(line) ? at + 1 : 0));
const REFUSED = lines.filter((line) => line > 0);

describe("an ephemeral value", () => {
  it("is reported in the places where it is not allowed", async () => {
    const files = {
      "infra/main.tf": MAIN,
      "infra/plain/main.tf": MODULE,
      "infra/ephemeral/a.tf": EPHEMERAL_MODULE,
    };
    const { terraform } = await facts({ config: "terraform: {}", files });
    const uses = terraform.roots[0]?.module.uses.get("do_token") ?? [];
    expect(uses.map(({ place }) => place.line).sort((a, b) => a - b)).toEqual(REFUSED);
    expect(terraform.roots[0]?.module.broken).toEqual([]);
  });

  const needs = TERRAFORM ? "" : " (needs terraform)";
  it.skipIf(needs)(`is refused by Terraform in the same places${needs}`, async () => {
    const bench = await workbench();
    const files = {
      "main.tf": MAIN,
      "plain/main.tf": MODULE,
      "ephemeral/a.tf": EPHEMERAL_MODULE,
    };
    for (const [name, text] of Object.entries(files)) {
      await mkdir(join(bench.repo, name, ".."), { recursive: true });
      await writeFile(join(bench.repo, name), text);
    }
    expect((await terraform(bench, ["init"])).status).toBe(0);
    const { diagnostics } = JSON.parse((await terraform(bench, ["validate", "-json"])).stdout);
    const found = diagnostics.map(
      ({ range }: { range: { start: { line: number } } }) => range.start.line,
    );
    expect([...new Set(found)].sort((a, b) => Number(a) - Number(b))).toEqual(REFUSED);
  });
});
