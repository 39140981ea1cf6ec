import { bodyOf, fill, generate, type Templates } from "../../core/generated.ts";
import { EPHEMERAL_SINCE, MISSING_TF } from "./root/names.ts";
import type { RootNeeds } from "./root/needs.ts";
import type { TerraformRoot } from "./root/root.ts";

/**
 * The texts of the .tf files that a root gets, backend.tf aside, by name: three files in a root without any;
 * else what is missing, in one.
 */
export function renderConfiguration(
  root: TerraformRoot,
  needs: RootNeeds,
  templates: Templates,
): ReadonlyMap<string, string> {
  const { foreign, own } = root;
  const isEmpty = foreign.length === 0 && !own.has(MISSING_TF);
  const isOurs = (name: string) => own.get(name)?.edited === false;
  const rendered = renderRoot(root, needs, templates);
  const lacking = new Map([
    ["versions.tf", needs.lacksRequiredProviders],
    ["provider.tf", needs.lacksProvider],
    ["variables.tf", rendered.has("variables.tf")],
  ]);
  const names = [...lacking.keys()].filter(
    (name) => isOurs(name) || (isEmpty && (lacking.get(name) || own.has(name))),
  );
  const textOf = (name: string) => (lacking.get(name) ? rendered.get(name) : undefined);
  const missing = renderMissing(root, without(needs, names), templates);
  const all = missing !== undefined || isOurs(MISSING_TF) ? [...names, MISSING_TF] : names;
  return new Map(
    all.map((name) => {
      const text = name === MISSING_TF ? missing : textOf(name);
      return [name, text ?? renderNothing(name, templates)];
    }),
  );
}

/** What is still lacking when these files have their part. */
function without(needs: RootNeeds, names: readonly string[]): RootNeeds {
  const hasVariables = names.includes("variables.tf");
  return {
    ...needs,
    lacksRequiredProviders: needs.lacksRequiredProviders && !names.includes("versions.tf"),
    lacksProvider: needs.lacksProvider && !names.includes("provider.tf"),
    lacksTokenVariable: needs.lacksTokenVariable && !hasVariables,
    undeclared: hasVariables ? [] : needs.undeclared,
  };
}

/**
 * The .tf files of a root that has none of its own. They follow from config alone, never from the
 * machine: two colleagues and a pipeline must agree on them (docs/design.md §6).
 */
export function renderRoot(
  root: Pick<TerraformRoot, "config" | "tool">,
  needs: Pick<RootNeeds, "credentials" | "variable"> & Partial<RootNeeds>,
  templates: Templates,
): ReadonlyMap<string, string> {
  const { config } = root;
  const parts = partsFor(root, needs, templates);
  const declarations = [
    ...((needs.lacksTokenVariable ?? needs.credentials === "tfvars") ? [parts.tokenVariable] : []),
    ...(needs.undeclared ?? Object.keys(config.variables)).map(parts.variable),
  ];
  const files: [string, string][] = [
    [
      "versions.tf",
      generate(
        templates["versions.tf"],
        needs.credentials === "tfvars" ? parts.versions : { required_version: "" },
      ),
    ],
    ["provider.tf", generate(parts.provider, parts.names)],
  ];
  if (declarations.length > 0) {
    const text = declarations.join("\n").trimEnd();
    files.push(["variables.tf", generate(templates["variables.tf"], { declarations: text })]);
  }
  return new Map(files);
}

/** A file of ours when all that it declared stands elsewhere, or is not needed any more. */
function renderNothing(name: string, templates: Templates): string {
  return name === MISSING_TF
    ? generate(templates[MISSING_TF], { pieces: "" })
    : generate(templates["variables.tf"], { declarations: "" });
}

/**
 * The one file with what a root with files of its own lacks.
 *
 * @returns undefined where it lacks nothing.
 */
function renderMissing(
  root: TerraformRoot,
  needs: RootNeeds,
  templates: Templates,
): string | undefined {
  const parts = partsFor(root, needs, templates);
  // Only a variable of ours needs a release of ours: the repo's own may be of any kind.
  const versions = needs.lacksTokenVariable ? parts.versions : { required_version: "" };
  const settings = needs.lacksRequiredProviders
    ? [fill(bodyOf(templates["versions.tf"]), versions)]
    : needs.lacksTokenVariable
      ? [parts.version]
      : [];
  const pieces = [
    ...settings,
    ...(needs.lacksProvider ? [fill(bodyOf(parts.provider), parts.names)] : []),
    ...(needs.lacksTokenVariable ? [parts.tokenVariable] : []),
    ...needs.undeclared.map(parts.variable),
  ];
  if (pieces.length === 0) return undefined;
  return generate(templates["do-bootstrap.tf"], { pieces: pieces.join("\n").trimEnd() });
}

function partsFor(
  { config, tool }: Pick<TerraformRoot, "config" | "tool">,
  { credentials, variable }: Pick<RootNeeds, "credentials" | "variable">,
  templates: Templates,
) {
  const names = { variable };
  const since = EPHEMERAL_SINCE[tool];
  const requirement = `required_version = ">= ${since}"`;
  return {
    names,
    versions: { required_version: `${requirement}\n` },
    version: `terraform {\n  ${requirement}\n}\n`,
    provider: templates[credentials === "tfvars" ? "provider.tf" : "provider-env.tf"],
    tokenVariable: fill(templates["token-variable.tf"], names),
    variable: (name: string) =>
      fill(templates["variable.tf"], { name, type: typeOf(config.variables[name]) }),
  };
}

function typeOf(value: unknown): string {
  const types: Record<string, string> = { string: "string", number: "number", boolean: "bool" };
  return types[typeof value] ?? "any";
}
