import { join } from "node:path";
import { WriteFile } from "../../core/changes/write-file.ts";
import { textAt } from "../../core/file-text.ts";
import type { Finding } from "../../core/finding.ts";
import { obstacles } from "../../core/obstacles.ts";
import { joined, type PlanPart } from "../../core/plan.ts";
import { type Hint, hint, own, run } from "../../errors/hint.ts";
import type { SourceLocation } from "../../hcl/syntax.ts";
import type { Content } from "../../secret/content.ts";
import { safe } from "../../secret/safe.ts";
import type { Secret } from "../../secret/secret.ts";
import type { RepoFacts } from "../git/facts.ts";
import type { TokenFacts } from "../token/facts.ts";
import { TOKEN_LIST } from "../token/hosts.ts";
import { finding } from "./findings.ts";
import { whyTooOld } from "./root/asked-release.ts";
import type { TerraformFacts } from "./root/facts.ts";
import { isAnother } from "./root/local-name.ts";
import { OF_WRITTEN, type ProviderBlock } from "./root/module.ts";
import { EPHEMERAL_SINCE } from "./root/names.ts";
import { needsOf, type RootNeeds } from "./root/needs.ts";
import { providerOf } from "./root/provider.ts";
import type { TerraformRoot } from "./root/root.ts";
import { terraformWords, toolOf } from "./root/typed.ts";
import { lineOfToken, type WrittenToken } from "./root/written-tokens.ts";

/** The facts that the plan depends on. */
interface Known {
  readonly repo: RepoFacts;
  readonly token: Pick<TokenFacts, "state">;
  readonly terraform: TerraformFacts;
}

/** The findings about a root module's current code. */
export function judgeCode(known: Known, root: TerraformRoot, needs: RootNeeds): Finding[] {
  const { config, module, tfvars, at } = root;
  const where = ({ file, line }: SourceLocation) => `${join(config.dir, file)}:${line}`;
  const findings: Finding[] = [];
  for (const place of module.broken) {
    const message = `${where(place)}: can't parse this code. The root is skipped.`;
    const fmt = terraformWords(config.dir, toolOf(known.terraform.tools, root), ["fmt"]);
    const fix = hint`${run(...fmt)} shows the error.`;
    findings.push(finding("terraform.broken", message, { where: where(place), fix }));
  }
  const unfixable = whyNotFixable(known, root);
  for (const { kind, place, where: block, token } of module.hardCoded) {
    const message = `${where(place)}: ${safe(block)} contains a token (${token.fingerprint}).`;
    const step = unfixable === undefined ? moved : byHand(kind, unfixable);
    const isInGit = known.repo.git?.tracked.has(at(place.file).path);
    const fix = hint`${step} ${isInGit ? inGit : ifCommitted}`;
    findings.push(finding("terraform.hard-coded-token", message, { where: where(place), fix }));
  }
  if (module.cloud !== undefined && config.credentials === "tfvars") {
    const message = `${where(module.cloud)}: this folder uses HCP Terraform, so credentials can't be "tfvars".`;
    const place = where(module.cloud);
    const fix = hint`Set terraform.credentials: env, or remove the key.`;
    findings.push(finding("terraform.cloud-tfvars", message, { where: place, fix }));
  }
  findings.push(...sourceMissing());
  findings.push(...fromMirrors());
  // exec also sets the token in a variable of the repo's own.
  const isGiven = module.cloud === undefined && providerOf(root).block?.variable !== undefined;
  if (needs.credentials === "tfvars" || isGiven) findings.push(...notEphemeral());
  findings.push(...module.providers.filter(hasOtherVariable).map(otherVariable));
  findings.push(...module.providers.flatMap(notFollowed));
  findings.push(...tfvars.flatMap(tokenInValues));
  return findings;

  /** The owner of that registry controls the provider, which gets the token. */
  function fromMirrors(): Finding[] {
    const { mirrors = [], place } = module.requiredProviders ?? {};
    if (place === undefined || mirrors.length === 0) return [];
    const message = `${where(place)}: the provider comes from ${safe(mirrors.join(", "))}, which is not a public registry. It gets the token.`;
    const fix = hint`If you don't trust this registry, don't run Terraform here.`;
    return [finding("terraform.mirror", message, { where: where(place), fix })];
  }

  /** Uses that don't allow an ephemeral value are reported first: `ephemeral = true` would break the code there. */
  function notEphemeral(): Finding[] {
    const name = `var.${needs.variable}`;
    const declared = module.variables.get(needs.variable);
    const uses = module.uses.get(needs.variable) ?? [];
    const inWay = uses.find(({ module }) => module === undefined) ?? uses[0];
    if (declared?.ephemeral || (declared === undefined && inWay === undefined)) return [];
    const place = where(declared?.place ?? inWay?.place ?? { file: "", line: 1 });
    const more = uses.length > 1 ? `, and ${uses.length - 1} more` : "";
    const what = safe(inWay?.what ?? "");
    const user = inWay && `${what} (${inWay.place.file}:${inWay.place.line}${more})`;
    const message =
      declared === undefined
        ? `${place}: ${what} uses ${name}, so the variable is declared without "ephemeral". Plan files will hold the token.`
        : `${place}: ${name} is not ephemeral, so plan files hold the token.`;
    return [finding("terraform.not-ephemeral", message, { where: place, fix: stepFor() })];

    function stepFor(): Hint {
      if (inWay?.module !== undefined) {
        return hint`First set ephemeral = true in the module's variable ${inWay.module.argument}: ${user ?? ""} uses ${name}.`;
      }
      if (inWay !== undefined) {
        return hint`First remove it from ${user ?? ""}, where Terraform allows no ephemeral value. Until then, don't share plan files.`;
      }
      const tooOld = whyTooOld(root, EPHEMERAL_SINCE[root.tool]);
      return tooOld === undefined
        ? hint`Add ephemeral = true to the variable (needs Terraform 1.10 or OpenTofu 1.11).`
        : hint`Don't share plan files. ephemeral = true needs Terraform 1.10 or OpenTofu 1.11, but ${tooOld}.`;
    }
  }

  /** A module may have only one required_providers block, and each key only once in it. */
  function sourceMissing(): Finding[] {
    const { requiredProviders } = module;
    if (requiredProviders === undefined || requiredProviders.hasOurs) return [];
    const { source } = requiredProviders;
    const place = where(requiredProviders.place);
    const say = (message: string, fix: Hint) => [
      finding("terraform.no-source", `${place}: ${message}`, { where: place, fix }),
    ];
    if (isAnother(source)) {
      return say(
        `the name digitalocean belongs to another provider here (${source}), so nothing is added to this root.`,
        hint`If the root needs DigitalOcean's provider, add it under another name: do = { source = "digitalocean/digitalocean" }`,
      );
    }
    if (source !== undefined) {
      return say(
        "the digitalocean provider has no source, so Terraform looks for hashicorp/digitalocean.",
        hint`Change the entry to digitalocean = { source = "digitalocean/digitalocean" } and keep its version.`,
      );
    }
    return say(
      "required_providers has no digitalocean/digitalocean. do-bootstrap can't add a second block.",
      hint`Add to that block: digitalocean = { source = "digitalocean/digitalocean" }`,
    );
  }

  function hasOtherVariable({ variable }: ProviderBlock): boolean {
    return variable !== undefined && variable !== needs.variable;
  }

  function otherVariable({ name, alias, variable, place }: ProviderBlock): Finding {
    const block = alias === undefined ? `"${name}"` : `alias ${alias}`;
    const message = `${where(place)}: provider ${block} uses var.${variable}, which do-bootstrap does not set.`;
    return finding("terraform.other-variable", message, { where: where(place) });
  }

  /** Without a variable in the expression, the user has none to set. */
  function notFollowed({ name, unclear, place }: ProviderBlock): Finding[] {
    if (unclear === undefined || unclear.variables.length === 0) return [];
    const listed = (prefix: string) => unclear.variables.map((each) => prefix + each).join(", ");
    const message = `${where(place)}: can't tell which variable holds the token of provider "${name}": ${safe(unclear.why)}. exec does not set ${listed("var.")}.`;
    const fix = hint`Use one variable for the provider's token, or set ${listed("TF_VAR_")} yourself.`;
    return [finding("terraform.not-followed", message, { where: where(place), fix })];
  }

  /** For value files that git tracks or does not ignore. */
  function tokenInValues(name: string): Finding[] {
    const snapshot = at(name);
    const {
      repo: { git },
    } = known;
    const isExposed = git?.tracked.has(snapshot.path) || git?.ignored.has(snapshot.path) === false;
    const line = isExposed ? lineOfToken(textAt(snapshot)?.text ?? "") : undefined;
    if (line === undefined) return [];
    const place = where({ file: name, line });
    const isTracked = git?.tracked.has(snapshot.path);
    const message = `${place}: a token in a file that git ${isTracked ? "tracks" : "does not ignore"}.`;
    const fix = hint`Delete the line. ${isTracked ? revokeInList : ifCommitted}`;
    return [finding("terraform.committed-token", message, { where: place, fix })];
  }
}

const moved = hint`${own("--fix")} moves it to a variable.`;
const inGit = hint`It is in git, so revoke it afterwards: ${own("rotate", "--revoke")}.`;
const revokeInList = hint`Git history keeps the token, so revoke it: ${TOKEN_LIST}`;
const ifCommitted = hint`Revoke it if it was ever committed.`;

type Unfixable = "text" | "different" | "another" | "ephemeral" | "output" | "no variable";

function byHand(kind: WrittenToken["kind"], why: Unfixable): Hint {
  switch (why) {
    case "text":
      return kind === "text"
        ? hint`Remove it yourself: --fix edits only providers, variables, locals and module arguments.`
        : hint`Remove the other tokens yourself. Then ${own("--fix")} moves this one to a variable.`;
    case "different":
      return hint`The code holds different tokens. Give each provider its own variable.`;
    case "another":
      return hint`Remove it yourself: it is not the token that this repo uses.`;
    case "ephemeral":
      return hint`Remove it yourself: it is used where an ephemeral variable is not allowed.`;
    case "output":
      return hint`Set sensitive = true in the output that shows it, or remove it from the output. Then ${own("--fix")} moves it to a variable.`;
    case "no variable":
      return hint`Move it yourself, for example into a variable: this root has no variable for the token.`;
  }
}

/** Tokens that --fix would leave in the code, or code that it would break. One variable cannot hold two tokens. */
function whyNotFixable({ token: { state } }: Known, root: TerraformRoot): Unfixable | undefined {
  const { hardCoded, uses, variables } = root.module;
  const [first] = hardCoded;
  if (hardCoded.some(({ kind }) => kind === "text")) return "text";
  if (!hardCoded.every(({ token }) => token.equals(first?.token))) return "different";
  if (root.calledBy.length > 0 && first !== undefined) return "no variable";
  const variable = fixVariable(root);
  const goesOn = uses.has(OF_WRITTEN);
  const isValue = hardCoded.some(({ kind }) => kind === "value");
  // For example a token with fewer scopes, in a module argument.
  const isAnother =
    state.kind === "found" && first !== undefined && !state.token.equals(first.token);
  if (isValue && isAnother) return "another";
  if (variable === undefined) return goesOn || isValue ? "no variable" : undefined;
  if (goesOn && variables.get(variable)?.ephemeral) return "ephemeral";
  // The variable that we declare is sensitive.
  const isSensitive = variables.get(variable)?.sensitive ?? true;
  const isShown = uses.get(OF_WRITTEN)?.some((use) => use.isShown) ?? false;
  return isSensitive && isShown ? "output" : undefined;
}

export function isFixable(known: Known, root: TerraformRoot): boolean {
  return whyNotFixable(known, root) === undefined;
}

export const TOKEN_IN_GIT = "terraform.token-in-git";

/** --fix removes a token from the code, but git history keeps it. Reported by the run that removes it. */
export function judgeFixed({ repo: { git } }: Known, { module, at }: TerraformRoot): Finding[] {
  const held = module.hardCoded.filter(({ place }) => git?.tracked.has(at(place.file).path));
  const files = new Map(held.map((each) => [at(each.place.file).path, each]));
  return [...files].map(([path, { token }]) => {
    const message = `${path}: git history still has the token that --fix removes (${token.fingerprint}).`;
    const fix = hint`Revoke it: ${own("rotate", "--revoke")}, or delete it at ${TOKEN_LIST}`;
    return finding(TOKEN_IN_GIT, message, { where: path, fix });
  });
}

/** The variable that replaces a token; undefined: the provider reads the environment. */
function fixVariable(root: TerraformRoot): string | undefined {
  const { module } = root;
  // If the provider's own token is replaced, the root is treated as if it had no provider yet.
  const isOpen = providerOf(root).block?.written !== undefined;
  const rest = isOpen ? { ...root, module: { ...module, providers: [] } } : root;
  const { credentials, variable } = needsOf(rest);
  return credentials === "tfvars" ? variable : undefined;
}

function withVariable(root: TerraformRoot, variable: string | undefined): TerraformRoot {
  const providers = root.module.providers.map((provider) =>
    provider.written === undefined
      ? provider
      : { ...provider, variable, hasToken: variable !== undefined, written: undefined },
  );
  return { ...root, module: { ...root.module, providers } };
}

/** The root after its tokens are moved to a variable. */
export function withFix(root: TerraformRoot): TerraformRoot {
  const variable = fixVariable(root);
  const { module } = withVariable(root, variable);
  const uses = new Map(module.uses);
  const more = uses.get(OF_WRITTEN);
  if (variable !== undefined && more !== undefined) {
    uses.set(variable, [...(uses.get(variable) ?? []), ...more]);
  }
  return { ...root, module: { ...module, uses, hardCoded: [] } };
}

/** Replaces each token in the code with the variable; the rest of the file stays. */
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
    const replaced = (each: WrittenToken) => {
      if (each.kind === "default" || variable === undefined) return ["null"];
      return [isJson ? `"\${var.${variable}}"` : `var.${variable}`];
    };
    const hidden = ({ token }: WrittenToken) => ['"', token, '"'];
    const { encoding } = found;
    const shownBefore: Content = { encoding, parts: spliced(found.text, spans, hidden) };
    // The offsets are those of the file as it was read, so this edit must be the first one.
    const edit = (): Content => ({ encoding, parts: spliced(found.text, spans, replaced) });
    const why = "use a variable instead of the token";
    return {
      findings,
      changes: [new WriteFile({ before, edit, shownBefore, why, takesAway: true })],
    };
  });
  return joined(plans);
}

function spliced(
  text: string,
  spans: readonly WrittenToken[],
  put: (span: WrittenToken) => readonly (string | Secret)[],
): (string | Secret)[] {
  let from = 0;
  const parts = spans.flatMap((span) => {
    const before = text.slice(from, span.span.start);
    from = span.span.end;
    return [before, ...put(span)];
  });
  return [...parts, text.slice(from)];
}
