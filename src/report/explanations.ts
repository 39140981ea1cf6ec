import { wrap } from "../lib/wrap.ts";
import type { Explanation, ScopeCheck } from "../scopes/explanation.ts";
import type { FailingResource } from "../scopes/failures.ts";
import { safe } from "../secret/safe.ts";
import type { ExplainDocument } from "./documents.ts";
import { type HintEdge, hintText, hintWords } from "./hint-text.ts";
import type { Framed } from "./json.ts";
import type { Page } from "./paint.ts";

/** The result of `explain`. The code that prints it decides on the format. */
export interface ExplainReport {
  readonly command: "explain";
  readonly explanations: readonly Explanation[];
  readonly cwd: string;
}

export function explainedText(explanations: readonly Explanation[], page: Page): string {
  return `${explanations.map((each) => oneText(each, page)).join("\n\n")}\n`;
}

function oneText(explanation: Explanation, { paint, columns, edge }: Page): string {
  const { operation, scopes, resources, what, fix, failure } = explanation;
  const row = (name: string, text: string) => `  ${paint("dim", name.padEnd(9))} ${text}`;
  return [
    `${paint("red", "✗")} ${indented(safe(what), 2)}`,
    ...(failure.command === undefined ? [] : [row("Command", safe(failure.command))]),
    ...(operation === undefined ? [] : [row("Call", safe(operation))]),
    ...(failure.message === "" ? [] : [row("Said", safe(failure.message))]),
    ...scopes.map((scope, at) => row(at === 0 ? "Scope" : "", scopeText(scope, paint))),
    ...few(resources).map((text, at) => row(at === 0 ? "Made by" : "", text)),
    `  → ${indented(hintWords(fix, edge).map(safe), 4)}`,
  ].join("\n");

  function indented(text: string | readonly string[], by: number): string {
    return wrap(text, columns - by).join(`\n${" ".repeat(by)}`);
  }
}

function scopeText({ scope, granted, for: attribute }: ScopeCheck, paint: Page["paint"]): string {
  const because = attribute === undefined ? "" : ` for ${attribute}`;
  const asked = safe(scope + because);
  if (granted === undefined) return asked;
  const has = granted ? "the token has it" : "the token lacks it";
  return `${paint(granted ? "green" : "red", granted ? "✓" : "✗")} ${asked} (${has})`;
}

const SHOWN = 5;

function few(resources: readonly FailingResource[]): string[] {
  const texts = resources.map(({ address, place }) => {
    const where = place === undefined ? "" : `, ${place.file}:${place.line}`;
    return safe(address + where);
  });
  const rest = texts.length - SHOWN;
  return rest > 0 ? [...texts.slice(0, SHOWN), `and ${rest} more`] : texts;
}

export function explainedDocument(
  { explanations }: ExplainReport,
  edge: HintEdge,
): Framed<ExplainDocument> {
  return {
    command: "explain",
    explanations: explanations.map(({ failure, operation, scopes, resources, what, fix }) => ({
      ...failure,
      operation,
      scopes,
      resources,
      what,
      fix: hintText(fix, edge),
    })),
  };
}
