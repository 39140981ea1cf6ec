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
  const kept = recordOf(records.recall(program));
  if (kept["question"] === question && typeof kept["answer"] === "string") return kept["answer"];
  const since = clock.now();
  const answer = await ask();
  if (answer !== undefined) records.keep(program, { question, answer }, since);
  return answer;
}
