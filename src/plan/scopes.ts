import { resolve } from "node:path";
import type { ResolvedConfig } from "../config/resolved.ts";
import { textIn } from "../content.ts";
import { readEnvFile } from "../env-file/read.ts";
import { AppError } from "../errors.ts";
import { tokenState } from "../exec/prepare.ts";
import { openGit } from "../git/git.ts";
import type { Host } from "../host/host.ts";
import { loadScopeData, type ScopeData } from "../scopes/data.ts";
import { type Comparison, compare } from "../scopes/granted.ts";
import { type ModuleTree, readModuleTree } from "../scopes/module-tree.ts";
import { type Needs, type Purpose, scopesNeeded } from "../scopes/needed.ts";
import { readTerraform } from "../terraform/read.ts";
import { apiHosts, TOKEN_FORM } from "../token/hosts.ts";
import { inspectToken } from "../token/inspect.ts";
import type { Secret } from "../token/secret.ts";
import { findConfig } from "./find-config.ts";
import { finding } from "./findings.ts";
import { judgeToken } from "./token.ts";
import type { Finding } from "./types.ts";

export interface ScopesRequest {
  readonly environment: string | undefined;
  /** Folders of root modules, as a person wrote them; none: those of the config. */
  readonly dirs: readonly string[];
  readonly purpose: Purpose;
  readonly progress: (what: string) => void;
}

export interface ScopesLook {
  readonly purpose: Purpose;
  /** Absolute. */
  readonly dirs: readonly string[];
  readonly needs: Needs;
  readonly unseen: ModuleTree["unseen"];
  readonly findings: readonly Finding[];
  /** Absent without a token that the API has described. */
  readonly token: { readonly token: Secret; readonly comparison: Comparison } | undefined;
  readonly descriptions: ScopeData["scopes"];
}

/**
 * Works out the scopes that Terraform code needs, and holds the token against them.
 *
 * @throws AppError those of openGit and findConfig; USAGE for a folder that is not there.
 */
export async function lookAtScopes(
  host: Pick<
    Host,
    "cwd" | "home" | "env" | "clock" | "files" | "records" | "run" | "which" | "hclParser" | "http"
  >,
  { environment, dirs: given, purpose, progress }: ScopesRequest,
): Promise<ScopesLook> {
  const git = await openGit(host, host.cwd);
  const { config } = await findConfig(host, git?.root ?? host.cwd, environment);
  await git?.confirmed;
  const dirs =
    given.length > 0
      ? given.map((dir) => resolve(host.cwd, dir))
      : config.roots.map(({ dir }) => dir);
  for (const [at, dir] of given.entries()) {
    if ((await host.files.list(dirs[at] ?? "")).length > 0) continue;
    throw new AppError("USAGE", `${dir} is no folder with files in it.`, {
      hint: "Name the folder of a root module: do-bootstrap scopes infra",
    });
  }
  const data = await loadScopeData();
  progress("Reading the Terraform code");
  const readFile = (text: string, name: string) => readTerraform(host.hclParser, text, name);
  const trees = await Promise.all(dirs.map((dir) => readModuleTree(host, dir, readFile)));
  const modules = trees.flatMap((tree) => tree.modules);
  const needs = withTeam(scopesNeeded(modules, purpose, data), config);
  const { token, findings } = await lookAtToken(host, config, needs, progress);
  return {
    purpose,
    dirs,
    needs,
    token,
    unseen: trees.flatMap(({ unseen }) => unseen),
    findings: [...findings, ...aboutCode(trees, needs)],
    descriptions: data.scopes,
  };
}

type Look = Parameters<typeof lookAtScopes>[0];

/** Our own check of the team asks for the account (DESIGN §6). */
function withTeam(needs: Needs, { team, file }: ResolvedConfig): Needs {
  const scope = "account:read";
  if (team === undefined || needs.own.some((need) => need.scope === scope)) return needs;
  const reason = {
    address: "account.team",
    operation: "read",
    when: undefined,
    place: { file: file ?? "", line: 1 },
  } as const;
  return {
    ...needs,
    own: [...needs.own, { scope, reasons: [reason] }].sort((a, b) => (a.scope < b.scope ? -1 : 1)),
    required: needs.required.filter((each) => each !== scope),
  };
}

async function lookAtToken(
  host: Look,
  config: ResolvedConfig,
  { own, required, maybe }: Needs,
  progress: (what: string) => void,
): Promise<Pick<ScopesLook, "token" | "findings">> {
  const envFile = await host.files.look(config.token.envFile);
  const token = tokenState({
    config: {
      envFile: config.token.envFile,
      tokenName: config.token.name,
      environment: config.environment,
    },
    env: host.env,
    envFile: readEnvFile(textIn(envFile)),
  });
  // What is needed can be said without a token.
  if (token.kind === "missing") return { token: undefined, findings: [] };
  if (token.kind === "found") progress("Asking DigitalOcean about the token");
  const inspection =
    token.kind === "found" ? await inspectToken(host, apiHosts(host.env), token.token) : undefined;
  const findings = judgeToken({ token, inspection, config });
  const granted = inspection?.scopes;
  if (token.kind !== "found" || granted === undefined) return { token: undefined, findings };
  const needed = [...own.map(({ scope }) => scope), ...required].sort();
  const comparison = compare(
    granted,
    needed,
    maybe.map(({ scope }) => scope),
  );
  return {
    token: { token: token.token, comparison },
    findings: [...findings, ...judgeScopes(comparison)],
  };
}

function judgeScopes({ missing, excess }: Comparison): Finding[] {
  const lacks = finding(
    "token.lacks-scopes",
    `The token lacks ${count(missing.length)}: ${missing.join(", ")}.`,
    { fix: `Scopes cannot be edited: make a new token that has them, at ${TOKEN_FORM}` },
  );
  const more = finding(
    "token.more-than-needed",
    `The token may do more than this code needs: ${excess.join(", ")}.`,
    { fix: "Make one with the scopes above, and delete this one." },
  );
  return [...(missing.length > 0 ? [lacks] : []), ...(excess.length > 0 ? [more] : [])];
}

function count(scopes: number): string {
  return scopes === 1 ? "a scope" : `${scopes} scopes`;
}

function aboutCode(trees: readonly ModuleTree[], { unknown }: Needs): Finding[] {
  const broken = trees.flatMap((tree) => tree.broken);
  const unseen = trees.flatMap((tree) => tree.unseen);
  return [
    ...broken.map(({ file, line }) =>
      finding("terraform.broken", `${file}:${line} could not be read in full.`, {
        where: `${file}:${line}`,
        fix: "terraform validate says what is wrong with it.",
      }),
    ),
    ...unseen.map((module) =>
      finding(
        "terraform.unseen-module",
        `${module} is not in this repo: what it needs is not counted.`,
        {
          fix: "Look at its code, or name the folder of a copy: do-bootstrap scopes DIR",
        },
      ),
    ),
    ...unknown.map((address) =>
      finding("terraform.unknown-type", `${address} is of a type that is not known here.`),
    ),
  ];
}
