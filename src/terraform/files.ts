import type { TerraformRootConfig } from "../config/resolved.ts";
import { fill, generate, type Templates } from "./generated.ts";

/** Terraform reads it by itself; git ignores it; mode 0600. */
export const SECRET_TFVARS = "do-bootstrap.secret.auto.tfvars.json";
/** Terraform reads it by itself; it is committed. */
export const PUBLIC_TFVARS = "do-bootstrap.auto.tfvars.json";

/** The oldest release of each tool that knows `ephemeral` (contracts/terraform.md 3.2). */
export const EPHEMERAL_SINCE = { terraform: "1.10", tofu: "1.11" } as const;

/**
 * The .tf files of a root module. They follow from config alone, never from the machine: two
 * colleagues and a pipeline must agree on them (DESIGN §6).
 */
export function renderRoot(
  config: TerraformRootConfig,
  templates: Templates,
): ReadonlyMap<string, string> {
  const { variable } = config;
  const withVariable = config.credentials === "tfvars";
  const since = EPHEMERAL_SINCE[config.tool ?? "terraform"];
  const declarations = [
    ...(withVariable ? [fill(templates["token-variable.tf"], { variable })] : []),
    ...Object.entries(config.variables).map(([name, value]) =>
      fill(templates["variable.tf"], { name, type: typeOf(value) }),
    ),
  ];
  const files: [string, string][] = [
    [
      "versions.tf",
      generate(templates["versions.tf"], {
        required_version: withVariable ? `required_version = ">= ${since}"\n` : "",
      }),
    ],
    [
      "provider.tf",
      generate(templates[withVariable ? "provider.tf" : "provider-env.tf"], { variable }),
    ],
  ];
  if (declarations.length > 0) {
    const text = declarations.join("\n").trimEnd();
    files.push(["variables.tf", generate(templates["variables.tf"], { declarations: text })]);
  }
  return new Map(files);
}

function typeOf(value: unknown): string {
  const types: Record<string, string> = { string: "string", number: "number", boolean: "bool" };
  return types[typeof value] ?? "any";
}
