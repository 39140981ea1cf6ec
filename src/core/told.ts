import type { Host } from "../host/host.ts";
import { recordOf } from "../lib/json.ts";

/**
 * What a tool says of itself. It is started once for each build: the answer is kept until the file changes.
 *
 * @param program as `which` found it. Without one a script answers, which may say something else tomorrow.
 * @param question all that the answer depends on besides.
 * @param ask starts the tool; an answer of undefined is not kept.
 */
export async function toldBy(
  { records, clock }: Pick<Host, "records" | "clock">,
  program: string | undefined,
  question: string,
  ask: () => Promise<string | undefined>,
): Promise<string | undefined> {
  if (program === undefined) return ask();
  const before = toldBefore({ records }, program, question);
  if (before !== undefined) return before;
  const since = clock.now();
  const answer = await ask();
  if (answer !== undefined) records.keep(program, { question, answer }, since);
  return answer;
}

/** What it has said before, without starting it. */
export function toldBefore(
  { records }: Pick<Host, "records">,
  program: string,
  question: string,
): string | undefined {
  const kept = recordOf(records.recall(program));
  const isIt = kept["question"] === question && typeof kept["answer"] === "string";
  return isIt ? (kept["answer"] as string) : undefined;
}
