import { join, relative } from "node:path";
import { editText, WriteFile } from "../../core/changes/write-file.ts";
import type { Consent } from "../../core/consent.ts";
import { isOpen, ownersBits } from "../../core/file-mode.ts";
import { appendTo, textAt, textIn } from "../../core/file-text.ts";
import type { Finding } from "../../core/finding.ts";
import { patternOf } from "../../core/ignore-block.ts";
import type { Machine } from "../../core/machine.ts";
import {
  INSTEAD_OF_ENV_FILE,
  leadsOut,
  linkOut,
  obstacles,
  unreadByLink,
} from "../../core/obstacles.ts";
import { joined, NOTHING, type PlanPart } from "../../core/plan.ts";
import { hint, own, run } from "../../errors/hint.ts";
import { readEnvFile } from "../../exec/read-env-file.ts";
import { KEY_NAMES } from "../../exec/spaces-keys.ts";
import { tokenNames } from "../../exec/token-sources.ts";
import type { Snapshot } from "../../host/host.ts";
import { type Content, editedText, encode } from "../../secret/content.ts";
import { looksLikeToken } from "../../secret/token-form.ts";
import {
  isName,
  isPublicName,
  mayBeCommitted,
  passesFromFile,
} from "../../secret/variable-names.ts";
import type { ResolvedConfig } from "../config/resolved.ts";
import { pathInIndex, type RepoFacts } from "../git/facts.ts";
import type { TokenFacts } from "../token/facts.ts";
import { mayStore, usableToken } from "../token/storing.ts";
import { assignmentsIn } from "./assignments.ts";
import { redacted, withNames, withoutNames, withToken } from "./edit.ts";
import type { EnvFileFacts } from "./facts.ts";
import { finding } from "./findings.ts";

/** The facts that the plan depends on. */
interface Known {
  readonly config: ResolvedConfig;
  readonly machine: Machine;
  readonly repo: RepoFacts;
  readonly token: TokenFacts;
  readonly envFile: EnvFileFacts;
}

/** Plans the env file with the token, and the example with its name. */
export function planEnvFile(known: Known, consent: Consent): PlanPart {
  const token = planToken(known, consent);
  const isSaid = token.findings?.some(({ id }) => SAID_ONCE.includes(id));
  return joined([
    { findings: isSaid ? [] : judgeEnvFile(known) },
    { findings: judgeExposure(known) },
    { findings: judgeNames(known) },
    { findings: judgePassing(known) },
    token,
    planExample(known),
  ]);
}

/** Findings about the env file that apply whether it is written or not. */
const SAID_ONCE = ["env-file.tracked", "file.outside"];

function judgeEnvFile(known: Known): Finding[] {
  const {
    envFile: { file: envFile },
    repo: { git },
    config,
  } = known;
  const { path } = envFile;
  const link = unreadByLink(envFile);
  if (link !== undefined) return [leadsOut(envFile, link, INSTEAD_OF_ENV_FILE)];
  if (envFile.kind === "unusable") {
    return [
      finding("env-file.unusable", `Can't read ${path}: it is ${envFile.why}.`, {
        where: path,
        fix: hint`Move the file, or set token.envFile in the config to another one.`,
      }),
    ];
  }
  const others = [...config.envFiles, join(config.base, ".env.local")].filter(
    (each) => each !== path && git?.tracked.has(each),
  );
  const held = secretIn(known);
  const isHere = git?.tracked.has(path);
  if (isHere && held !== undefined)
    return [tracked(known, `it holds ${held}`), ...committed(known, others)];
  return committed(known, isHere ? [path, ...others] : others);
}

/** For an env file without a secret, or one that this run does not read. */
function committed({ repo: { git } }: Known, paths: readonly string[]): Finding[] {
  return [...new Set(paths)].map((path) => {
    const message = `git tracks ${path}, so no token is written to it. Adding it to .gitignore does not untrack it.`;
    const fix = hint`${run("git", "rm", "--cached", { path: pathInIndex(git, path) })}, then commit. Replace every secret that was in the file: git history keeps a copy.`;
    return finding("env-file.committed", message, { where: path, fix });
  });
}

/** If there is no token yet, the plan does not touch .gitignore, and a secret in the file stays unprotected. */
function judgeExposure(known: Known): Finding[] {
  const {
    envFile: { file: envFile },
    repo: { git, gitignore },
    config,
  } = known;
  const isOpen =
    git !== undefined && !git.ignored.has(envFile.path) && !git.tracked.has(envFile.path);
  if (!isOpen || usableToken(known.token) !== undefined) return [];
  if (secretIn(known) === undefined) return [];
  const append = patternOf(relative(config.base, envFile.path));
  return [
    finding("git.not-ignored", `${envFile.path} holds a secret, and git does not ignore it.`, {
      where: envFile.path,
      fix: hint`${appendTo(gitignore, append)}; or continue: ${own()} adds the line once there is a token`,
    }),
  ];
}

/** Variables that .env.example lists and this machine does not have. */
function judgeNames({
  envFile: { example: envExample, file: envFile },
  machine: { env },
  config,
}: Known): Finding[] {
  if (envFile.kind !== "file" || envExample.kind !== "file") return [];
  const values = readEnvFile(textAt(envFile)?.text ?? "");
  const given = [...exampleNames(config), ...tokenNames(config.token.name)];
  const missing = [...readEnvFile(textAt(envExample)?.text ?? "")]
    .filter(([name, value]) => value === "" && !given.includes(name) && isPublicName(name))
    .flatMap(([name]) => (values.has(name) || env[name] !== undefined ? [] : [name]));
  if (missing.length === 0) return [];
  const short = relative(config.base, envFile.path);
  return [
    finding(
      "env-file.incomplete",
      `${short} is missing ${missing.join(", ")}, listed in .env.example.`,
      {
        where: envFile.path,
        fix: hint`Add them to ${short}. Ask someone who works on the project for the values.`,
      },
    ),
  ];
}

/** Limits the work: each line number is counted from the start of the file. */
const MOST_LINES = 20;

/** Variables that `exec` and `env` do not pass on, even with --all. */
function judgePassing({ envFile: { file }, config }: Known): Finding[] {
  const text = textIn(file);
  const values = readEnvFile(text);
  const own = tokenNames(config.token.name);
  const isKept = (name: string) =>
    !own.includes(name) && !passesFromFile(name, values.get(name) ?? "", true);
  const kept = [...values.keys()].filter((name) => isKept(name));
  const named = kept.filter((name) => isName(name));
  const unnamed = assignmentsIn(text).filter(({ key }) => !isName(key) && isKept(key));
  const short = relative(config.base, file.path);
  const findings: Finding[] = [];
  if (unnamed.length > 0) {
    const first = unnamed.slice(0, MOST_LINES);
    const lines = first.map(({ valueStart }) => text.slice(0, valueStart).split("\n").length);
    const more = unnamed.length - lines.length;
    const all = lines.join(", ") + (more > 0 ? ` and ${more} more` : "");
    const message = `${short}, ${unnamed.length === 1 ? "line" : "lines"} ${all}: the variable name looks like a value, so exec and env skip it.`;
    const fix = hint`Write NAME=value. Quote values that span several lines.`;
    findings.push(finding("env-file.no-name", message, { where: `${file.path}:${lines[0]}`, fix }));
  }
  if (named.length > 0) {
    const shown = named.filter(isPublicName).join(", ");
    const message = `exec and env do not pass on ${shown || "some variables"} from ${short}: they could change the host, program or config of a tool that gets the token.`;
    const fix = hint`If a tool needs one of them, set it in your shell or in the pipeline.`;
    findings.push(finding("env-file.not-passed", message, { where: file.path, fix }));
  }
  return findings;
}

/** What kind of secret the env file holds, as text. */
function secretIn({ envFile: { file }, config }: Known): string | undefined {
  const text = textAt(file)?.text ?? "";
  const names = tokenNames(config.token.name);
  const values = [...readEnvFile(text)].filter(([, value]) => value !== "");
  const isToken = ([name, value]: [string, string]) =>
    looksLikeToken(value) || names.includes(name);
  if (values.some(isToken)) return "a token";
  return holdsSpacesKey(text) ? "a Spaces key" : undefined;
}

function holdsSpacesKey(text: string): boolean {
  return Boolean(readEnvFile(text).get(KEY_NAMES[1]));
}

function planToken(known: Known, consent: Consent): PlanPart {
  const {
    envFile: { file: envFile },
    config,
    repo: { git },
  } = known;
  const token = usableToken(known.token);
  if (token === undefined || (envFile.kind === "unusable" && envFile.link === undefined)) {
    return NOTHING;
  }
  if (token.origin.kind === "doctl") return planLogin(known);
  const isInFile = token.origin.kind === "env-file";
  const stays = isInFile || !mayStore(token, known.machine, consent);
  if (stays && !isInFile && !holdsSpacesKey(textAt(envFile)?.text ?? "")) return NOTHING;
  // Reading a FIFO is allowed, writing is not (rule 4).
  if (stays && envFile.kind === "fifo") return NOTHING;

  const { text, encoding } = textAt(envFile) ?? { text: "", encoding: "utf8" as const };
  const { path } = envFile;
  const shownBefore: Content = { parts: redacted(text, path), encoding };
  const parts = stays ? shownBefore.parts : withToken(text, path, config.token.name, token);
  const after: Content = { parts: parts ?? [], encoding };
  const mode = ownersBits(envFile);
  if (envFile.kind === "file" && !isOpen(envFile) && encode(after).equals(envFile.bytes)) {
    return NOTHING;
  }

  const findings = obstacles(known.repo, envFile);
  if (git?.tracked.has(path)) {
    findings.push(tracked(known, "the token would be written to it"));
  }
  if (findings.length === 0 && parts === undefined) {
    findings.push(
      finding(
        "env-file.unusable",
        `Can't set ${config.token.name} in ${path} without changing other keys.`,
        {
          where: path,
          fix: hint`Add the line ${config.token.name}=… yourself.`,
        },
      ),
    );
  }
  if (findings.length > 0) return { findings };
  const hidden = git === undefined ? "" : "; git ignores it";
  const { origin } = token;
  const from = origin.kind === "adopted" ? ` from ${origin.place} (also kept there)` : "";
  const why = stays ? "restrict access: other users could read it" : `the token${from}${hidden}`;
  const edit = (now: Content) =>
    editedText(now, (text) =>
      stays ? redacted(text, path) : (withToken(text, path, config.token.name, token) ?? text),
    );
  return { findings, changes: [new WriteFile({ before: envFile, edit, shownBefore, mode, why })] };
}

/** A token in the env file would override the login, so it is removed. */
function planLogin({ config, envFile: { file }, repo }: Known): PlanPart {
  const { path } = file;
  const current = textAt(file);
  const values = readEnvFile(current?.text ?? "");
  const names = tokenNames(config.token.name).filter((name) => values.get(name));
  if (names.length === 0 || current === undefined || file.kind !== "file") return NOTHING;
  const edited = (text: string) => withoutNames(text, path, names);
  const parts = edited(current.text);
  const findings = obstacles(repo, file);
  if (findings.length === 0 && parts === undefined) {
    const message = `Can't remove the token from ${path} without changing other keys.`;
    const fix = hint`Remove ${names.join(" and ")} from the file yourself.`;
    findings.push(finding("env-file.unusable", message, { where: path, fix }));
  }
  if (findings.length > 0) return { findings };
  const change = new WriteFile({
    before: file,
    edit: (now) => editedText(now, (text) => edited(text) ?? text),
    shownBefore: { parts: redacted(current.text, path), encoding: current.encoding },
    mode: ownersBits(file),
    why: `the login of doctl context ${config.token.doctl} replaces the token`,
    takesAway: true,
  });
  return { changes: [change] };
}

function planExample(known: Known): PlanPart {
  const {
    envFile: {
      example: envExample,
      templates: { example: envExampleTemplate },
    },
    config,
    repo: { git },
  } = known;
  const { path } = envExample;
  const text = textAt(envExample)?.text;
  if (text === undefined) {
    return linkOut(envExample) === undefined
      ? NOTHING
      : { findings: obstacles(known.repo, envExample) };
  }
  const findings: Finding[] = git?.ignored.has(path)
    ? [
        finding("git.example-ignored", `git ignores ${path}, so colleagues don't get it.`, {
          where: path,
          fix: hint`Add the line !.env.example to .gitignore.`,
        }),
      ]
    : [];
  // A new example lists all names. An existing one was written by a person, so only required names are added.
  const own = config.token.doctl === undefined ? [] : tokenNames(config.token.name);
  const found = envExample.kind === "absent" ? namesIn(known.envFile.file) : [];
  const names = found.filter((name) => !own.includes(name));
  if (envExample.kind === "absent" && names.length + exampleNames(config).length === 0) {
    return NOTHING;
  }
  const edit = (now: string) =>
    withNames(envExample.kind === "absent" && now === "" ? envExampleTemplate : now, [
      ...names,
      ...exampleNames(config),
    ]);
  if (edit(text) === text) return { findings };
  const blocking = obstacles(known.repo, envExample);
  if (blocking.length > 0) return { findings: blocking };
  const why = "variable names only, for colleagues";
  return { findings, changes: [editText(envExample, edit, why)] };
}

/** The variables that every colleague needs: the token, unless it is a login, and the keys for a state on Spaces. */
export function exampleNames({
  token,
  roots,
}: Pick<ResolvedConfig, "token" | "roots">): readonly string[] {
  const own = token.doctl === undefined ? [token.name] : [];
  return [...own, ...(roots.some(({ backend }) => backend !== undefined) ? KEY_NAMES : [])];
}

/** Only names that may be committed: a secret may be in the place of a name. */
function namesIn(envFile: Snapshot): readonly string[] {
  const text = textAt(envFile)?.text ?? "";
  return assignmentsIn(text).flatMap(({ key, isPlain, valueStart, valueEnd }) =>
    isPlain && mayBeCommitted(key, text.slice(valueStart, valueEnd)) ? key : [],
  );
}

function tracked(
  {
    envFile: {
      file: { path },
    },
    repo: { git },
  }: Known,
  because: string,
): Finding {
  return finding("env-file.tracked", `git tracks ${path}, and ${because}.`, {
    where: path,
    fix: hint`${run("git", "rm", "--cached", { path: pathInIndex(git, path) })} (then revoke every token that was committed), or set token.envFile: .env.local`,
  });
}
