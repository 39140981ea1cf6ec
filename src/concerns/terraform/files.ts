import { bodyOf, fill, generate, type Templates } from "../../core/generated.ts";
import { EPHEMERAL_SINCE, MISSING_TF } from "./root/names.ts";
import type { RootNeeds } from "./root/needs.ts";
import type { TerraformRoot } from "./root/root.ts";

/**
 * The texts of a root's .tf files by name, except backend.tf: three files in a root without code, else one file with
 * the missing parts.
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

/** What is still missing once these files have their parts. */
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

/** What all generated files depend on. */
type Written = Pick<RootNeeds, "credentials" | "variable" | "localName">;

/**
 * The .tf files of a root without its own code. They depend only on the config, never on the machine, so that
 * colleagues and pipelines get the same files (docs/design.md §6).
 */
export function renderRoot(
  root: Pick<TerraformRoot, "config" | "tool">,
  needs: Written & Partial<RootNeeds>,
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

/** The text of a generated file whose declarations are elsewhere or no longer needed. */
function renderNothing(name: string, templates: Templates): string {
  return name === MISSING_TF
    ? generate(templates[MISSING_TF], { pieces: "" })
    : generate(templates["variables.tf"], { declarations: "" });
}

/**
 * The one file with the parts that are missing in a root with its own code.
 *
 * @returns undefined if nothing is missing.
 */
function renderMissing(
  root: TerraformRoot,
  needs: RootNeeds,
  templates: Templates,
): string | undefined {
  const parts = partsFor(root, needs, templates);
  // Only our ephemeral variable needs a minimum release; the repo's own variable may be of any kind.
  const needsRelease = needs.lacksTokenVariable && needs.mayBeEphemeral;
  const versions = needsRelease ? parts.versions : { required_version: "" };
  const settings = needs.lacksRequiredProviders
    ? [fill(bodyOf(templates["versions.tf"]), versions)]
    : needsRelease
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
  { credentials, variable, localName, mayBeEphemeral }: Written & Partial<RootNeeds>,
  templates: Templates,
) {
  const names = { variable, provider: localName };
  const since = EPHEMERAL_SINCE[tool];
  const requirement = `required_version = ">= ${since}"`;
  return {
    names,
    versions: { required_version: `${requirement}\n` },
    version: `terraform {\n  ${requirement}\n}\n`,
    provider: templates[credentials === "tfvars" ? "provider.tf" : "provider-env.tf"],
    tokenVariable: fill(
      templates[mayBeEphemeral === false ? "token-variable-kept.tf" : "token-variable.tf"],
      names,
    ),
    variable: (name: string) =>
      fill(templates["variable.tf"], { name, type: typeOf(config.variables[name]) }),
  };
}

function typeOf(value: unknown): string {
  const types: Record<string, string> = { string: "string", number: "number", boolean: "bool" };
  return types[typeof value] ?? "any";
}
