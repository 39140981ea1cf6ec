import { join } from "node:path";
import { WriteFile } from "../../core/changes/write-file.ts";
import { textAt } from "../../core/file-text.ts";
import type { Finding } from "../../core/finding.ts";
import { obstacles } from "../../core/obstacles.ts";
import { joined, type PlanPart } from "../../core/plan.ts";
import { hint, own, run } from "../../errors/hint.ts";
import type { SourceLocation } from "../../hcl/syntax.ts";
import type { Content } from "../../secret/content.ts";
import type { Secret } from "../../secret/secret.ts";
import { holdsToken } from "../../secret/token-form.ts";
import type { RepoFacts } from "../git/facts.ts";
import { finding } from "./findings.ts";
import type { TerraformFacts } from "./root/facts.ts";
import type { HardCoded, ProviderBlock } from "./root/module.ts";
import { PROVIDER_SOURCE } from "./root/names.ts";
import { needsOf, type RootNeeds } from "./root/needs.ts";
import { providerOf } from "./root/provider.ts";
import type { TerraformRoot } from "./root/root.ts";
import { terraformWords, toolOf } from "./root/typed.ts";

/** The facts that these follow from. */
interface Known {
  readonly repo: RepoFacts;
  readonly terraform: TerraformFacts;
}

/** What is to be said of a root module's code as it stands. */
export function judgeCode(known: Known, root: TerraformRoot, needs: RootNeeds): Finding[] {
  const { config, module, tfvars, at } = root;
  const where = ({ file, line }: SourceLocation) => `${join(config.dir, file)}:${line}`;
  const findings: Finding[] = [];
  for (const place of module.broken) {
    const message = `${where(place)}: not understood. Nothing is added to this root.`;
    const fmt = terraformWords(config.dir, toolOf(known.terraform.tools, root), ["fmt"]);
    const fix = hint`${run(...fmt)} says more.`;
    findings.push(finding("terraform.broken", message, { where: where(place), fix }));
  }
  for (const { place, where: block } of module.hardCoded) {
    const message = `${where(place)}: a token is written into ${block}.`;
    const fix = isFixable(root)
      ? hint`${own("--fix")} moves it to a variable; revoke it if it was ever committed.`
      : hint`The code holds different tokens: give each provider a variable of its own.`;
    findings.push(finding("terraform.hard-coded-token", message, { where: where(place), fix }));
  }
  if (module.cloud !== undefined && config.credentials === "tfvars") {
    const message = `${where(module.cloud)}: HCP Terraform takes this folder, so credentials "tfvars" is not possible.`;
    const place = where(module.cloud);
    const fix = hint`Set terraform.credentials: env, or leave the key out.`;
    findings.push(finding("terraform.cloud-tfvars", message, { where: place, fix }));
  }
  const { requiredProviders } = module;
  if (requiredProviders !== undefined && !PROVIDER_SOURCE.test(requiredProviders.source ?? "")) {
    const place = where(requiredProviders.place);
    const message = `${place}: required_providers has no digitalocean/digitalocean, and a module may have only one such block.`;
    const fix = hint`Add to it: digitalocean = { source = "digitalocean/digitalocean" }`;
    findings.push(finding("terraform.no-source", message, { where: place, fix }));
  }
  const variable = module.variables.get(needs.variable);
  if (needs.credentials === "tfvars" && variable !== undefined && !variable.ephemeral) {
    const message = `${where(variable.place)}: var.${needs.variable} is not ephemeral, so that plan files hold the token.`;
    const place = where(variable.place);
    const fix = hint`Edit it: ephemeral = true (needs Terraform 1.10 or OpenTofu 1.11).`;
    findings.push(finding("terraform.not-ephemeral", message, { where: place, fix }));
  }
  findings.push(...module.providers.filter(hasOtherVariable).map(otherVariable));
  findings.push(...tfvars.flatMap(tokenInValues));
  return findings;

  function hasOtherVariable({ variable }: ProviderBlock): boolean {
    return variable !== undefined && variable !== needs.variable;
  }

  function otherVariable({ alias, variable, place }: ProviderBlock): Finding {
    const message = `${where(place)}: provider alias ${alias} takes var.${variable}, which is left to you.`;
    return finding("terraform.other-variable", message, { where: where(place) });
  }

  /** A file of values that git has, or would take. */
  function tokenInValues(name: string): Finding[] {
    const snapshot = at(name);
    const lines = textAt(snapshot)?.text.split("\n") ?? [];
    const line = lines.findIndex((text) => holdsToken(text));
    const {
      repo: { git },
    } = known;
    const isExposed = git?.tracked.has(snapshot.path) || git?.ignored.has(snapshot.path) === false;
    if (line < 0 || !isExposed) return [];
    const place = where({ file: name, line: line + 1 });
    const message = `${place}: a token, in a file that git does not ignore.`;
    const fix = hint`Delete the line; revoke the token if it was ever committed.`;
    return [finding("terraform.committed-token", message, { where: place, fix })];
  }
}

/** One variable cannot stand for two tokens. */
export function isFixable({ module }: TerraformRoot): boolean {
  return module.hardCoded.every(({ token }) => token.equals(module.hardCoded[0]?.token));
}

/** The variable that takes a token's place; undefined: the provider reads the environment. */
function fixVariable(root: TerraformRoot): string | undefined {
  const { module } = root;
  // Where the token itself goes, the root is like one that has no provider yet.
  const isOpen = providerOf(root).block?.isHardCoded === true;
  const rest = isOpen ? { ...root, module: { ...module, providers: [] } } : root;
  const { credentials, variable } = needsOf(rest);
  return credentials === "tfvars" ? variable : undefined;
}

function withVariable(root: TerraformRoot, variable: string | undefined): TerraformRoot {
  const providers = root.module.providers.map((provider) =>
    provider.isHardCoded ? { ...provider, variable, hasToken: variable !== undefined } : provider,
  );
  return { ...root, module: { ...root.module, providers } };
}

/** The root as it will be when its tokens have been moved to a variable. */
export function withFix(root: TerraformRoot): TerraformRoot {
  const { module } = withVariable(root, fixVariable(root));
  return { ...root, module: { ...module, hardCoded: [] } };
}

/** Each token in the code gives way to the variable; the rest of the file stays as it is. */
export function planFix(known: Known, root: TerraformRoot): PlanPart {
  const { module, at } = root;
  const variable = fixVariable(root);
  const files = new Set(module.hardCoded.map(({ place }) => place.file));
  const plans = [...files].map((name): PlanPart => {
    const before = at(name);
    const findings = obstacles(known.repo, before);
    const found = textAt(before);
    if (findings.length > 0 || found === undefined || before.kind !== "file") {
      return { findings };
    }
    const spans = module.hardCoded
      .filter(({ place }) => place.file === name)
      .sort((a, b) => a.span.start - b.span.start);
    const isJson = name.endsWith(".json");
    const replaced = (each: HardCoded) => {
      if (each.where.startsWith("variable") || variable === undefined) return ["null"];
      return [isJson ? `"\${var.${variable}}"` : `var.${variable}`];
    };
    const hidden = ({ token }: HardCoded) => ['"', token, '"'];
    const { encoding } = found;
    const shownBefore: Content = { encoding, parts: spliced(found.text, spans, hidden) };
    // The places are those of the file as it was read: this edit comes first.
    const edit = (): Content => ({ encoding, parts: spliced(found.text, spans, replaced) });
    const why = "the token gives way to a variable";
    return {
      findings,
      changes: [new WriteFile({ before, edit, shownBefore, why, takesAway: true })],
    };
  });
  return joined(plans);
}

function spliced(
  text: string,
  spans: readonly HardCoded[],
  put: (span: HardCoded) => readonly (string | Secret)[],
): (string | Secret)[] {
  let from = 0;
  const parts = spans.flatMap((span) => {
    const before = text.slice(from, span.span.start);
    from = span.span.end;
    return [before, ...put(span)];
  });
  return [...parts, text.slice(from)];
}
