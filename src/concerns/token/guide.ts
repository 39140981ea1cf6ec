import { AppError } from "../../errors/app-error.ts";
import { hint } from "../../errors/hint.ts";
import type { Host, Terminal } from "../../host/host.ts";
import { safe } from "../../secret/safe.ts";
import { Secret } from "../../secret/secret.ts";
import { type ApiHosts, TOKEN_FORM } from "./hosts.ts";
import { inspectToken } from "./inspect.ts";
import { type AdoptQuestion, type OfferedToken, someOf } from "./offers.ts";
import { type Inspection, whyUnverified } from "./verdict.ts";

const TRIES = 3;

export interface GuideFacts {
  readonly config: {
    readonly project: string;
    readonly environment: string | undefined;
    readonly environments: readonly string[];
  };
  readonly hosts: ApiHosts;
  /** The scopes to select, in the form's order: "droplet" and "create", "read". */
  readonly rows: readonly (readonly [about: string, actions: readonly string[]])[];
  /** What the rows do not cover, as text. */
  readonly unread: readonly string[];
  /** The source of a token that DigitalOcean refuses, as text. */
  readonly refused: string | undefined;
  /** What the token is for, as a sentence; undefined: the config says it. */
  readonly purpose: string | undefined;
  /** The repo. Tools inside it are not run. */
  readonly top: string;
  /** Results from here are added, so that no token is checked twice. */
  readonly inspections: Map<string, Promise<Inspection>>;
}

/**
 * Helps the user get a token: opens the page, says what to fill in, reads hidden input and checks it immediately.
 *
 * @returns the text of a token that DigitalOcean accepts.
 * @throws AppError NO_TOKEN after three tries, INTERRUPTED on Ctrl-C.
 */
export async function guide(
  host: Pick<Host, "http" | "terminal" | "openPage">,
  progress: ((what: string) => void) & { end(): void },
  facts: GuideFacts,
): Promise<string> {
  const person = await host.terminal?.();
  if (person === undefined) throw noToken();
  const terminal = person;
  const isOpen = await host.openPage(TOKEN_FORM, facts.top);
  terminal.note("A DigitalOcean token is needed", instructions(facts));
  terminal.line(
    `${isOpen ? "Your browser opens the form:" : "Open the form in a browser:"}\n${TOKEN_FORM}`,
  );
  for (let tries = TRIES; tries > 0; tries--) {
    const text = await pasted(terminal);
    const why = await whyNot(text);
    progress.end();
    if (why === undefined) return text;
    complain(terminal, why, tries - 1);
  }
  throw noToken();

  async function whyNot(text: string): Promise<string | undefined> {
    // What is pasted becomes a secret, and no message could show the address any more.
    if (text.includes(TOKEN_FORM))
      return "That is the address of the form. Paste the token that it shows.";
    const token = Secret.of(text, { kind: "prompt" }).tokenInText();
    if (!(token instanceof Secret)) {
      return token.kind === "refresh"
        ? "That is a refresh token (dor_v1_), which the API does not accept."
        : `That does not look like a DigitalOcean token: ${token.why}. A token starts with dop_v1_.`;
    }
    return (await verified(token)) === "refused"
      ? "DigitalOcean refuses this token (401). It may be revoked or expired."
      : undefined;
  }

  /** Repeats the request for the same token until there is an answer. This uses no try, and nothing is pasted again. */
  async function verified(token: Secret): Promise<Inspection["state"]> {
    for (;;) {
      progress("Asking DigitalOcean about the token");
      const asked = inspectToken(host, facts.hosts, token);
      facts.inspections.set(token.fingerprint, asked);
      const inspection = await asked;
      const why = whyUnverified(inspection, facts.hosts.api);
      if (why === undefined) return inspection.state;
      progress.end();
      await terminal.enter(retryQuestion(why));
    }
  }
}

/** @param why a full sentence. */
export function retryQuestion(why: string): string {
  return `${why} Press Enter to retry, or Ctrl-C to stop.`;
}

/**
 * Asks the user which of the tokens under other names to use.
 *
 * @param shown formats the paths in a text for the user.
 * @returns the fingerprint; undefined: none of them.
 */
export async function chooseOffer(
  terminal: Pick<Terminal, "confirm" | "choose">,
  { name, tokens }: AdoptQuestion,
  shown: (text: string) => string,
): Promise<string | undefined> {
  const [only, another] = tokens;
  if (only !== undefined && another === undefined) {
    const question = `No ${name} found, but there is a token in another place:\n${lineOf(only)}\nUse it?`;
    return (await terminal.confirm(question, !only.isOfRepo)) ? only.fingerprint : undefined;
  }
  const question = `No ${name} found, but there are tokens in other places. Use one of them?`;
  // Enter selects the first answer, which must not be a token that came with the repo.
  const brought = tokens.filter(({ isOfRepo }) => isOfRepo);
  const answers = [...tokens.filter(({ isOfRepo }) => !isOfRepo), undefined, ...brought];
  const lines = answers.map((each) => (each === undefined ? "None of them" : lineOf(each)));
  return answers[await terminal.choose(question, lines)]?.fingerprint;

  function lineOf({ fingerprint, places, team, isOfRepo }: OfferedToken): string {
    const warning = isOfRepo ? "; committed in the repo: use it only if this is your team" : "";
    const where = someOf(places.map(shown));
    // On one line: a name with line breaks could push the warning out of sight.
    return safe(`${where} (${fingerprint}, team ${team?.name ?? "unknown"}${warning})`);
  }
}

/** Empty input does not count as a try. */
async function pasted(terminal: Terminal): Promise<string> {
  for (;;) {
    const text = await terminal.secret("Paste the token (it is not shown)");
    if (text.trim() !== "") return text;
    terminal.complain("Nothing was pasted.");
  }
}

function instructions({ config, refused, purpose, rows, unread }: GuideFacts): string {
  const { project, environment, environments } = config;
  const name = environment === undefined ? project : `${project}-${environment}`;
  return [
    ...(refused === undefined ? [] : [`DigitalOcean rejects ${refused}.`, ""]),
    ...(purpose === undefined ? [] : [purpose, ""]),
    ...(purpose === undefined && environment === undefined && environments.length > 0
      ? [
          `This token will not belong to an environment of the config. To choose an environment, use --env: ${environments.join(", ")}`,
          "",
        ]
      : []),
    `Token name   ${name}`,
    "Expiration   30 days (if longer, set a reminder to rotate it)",
    `Scopes       Custom Scopes: ${rows.length > 1 ? "needed by this repo" : `account:read and the scopes for what you build.${purpose === undefined ? " Not sure? Start with Full Access and narrow it later" : ""}`}`,
    ...(rows.length > 1 ? ticks(rows) : []),
    ...(unread.length === 0
      ? []
      : ["", "It may need more scopes. Not checked:", ...unread.map(safe)]),
    "",
    "The token is shown only once. No button? Your team role may",
    "not allow you to create tokens: ask the team's owner.",
  ].join("\n");
}

function ticks(rows: GuideFacts["rows"]): string[] {
  const width = Math.max(...rows.map(([about]) => about.length));
  return rows.map(([about, actions]) => `  ${about.padEnd(width)}  ${actions.join(", ")}`);
}

function complain(terminal: Terminal, why: string, left: number): void {
  const tries = left === 1 ? "one more try" : `${left} more tries`;
  terminal.complain(left === 0 ? why : `${why} You have ${tries}.`);
}

function noToken(): AppError {
  return new AppError("NO_TOKEN", "No valid token was given. Nothing was changed.", {
    hint: hint`Create one at ${TOKEN_FORM}, then run the same command again.`,
  });
}
