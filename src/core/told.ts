import type { Host } from "../host/host.ts";
import { recordOf } from "../lib/json.ts";

/**
 * What a tool says about itself. The tool is started once for each build: the answer is kept until the file changes.
 *
 * @param program as `which` found it. undefined: a script answers, and its answer may change without the file changing.
 * @param question everything else that the answer depends on.
 * @param ask starts the tool. An undefined answer is not kept.
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

/** The kept answer, without starting the tool. */
export function toldBefore(
  { records }: Pick<Host, "records">,
  program: string,
  question: string,
): string | undefined {
  const kept = recordOf(records.recall(program));
  const isIt = kept["question"] === question && typeof kept["answer"] === "string";
  return isIt ? (kept["answer"] as string) : undefined;
}
