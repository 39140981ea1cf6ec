import { AppError } from "../errors.ts";
import type { Host } from "../host/host.ts";
import type { Inspection } from "../token/verdict.ts";
import { apply } from "./apply.ts";
import { buildPlan } from "./build.ts";
import { type Observation, type ObservingHost, observe } from "./observe.ts";
import type { Change, Consent, Plan } from "./types.ts";

export interface Request {
  readonly environment: string | undefined;
  /** The text of standard input, with --token-stdin. */
  readonly stdin: string | undefined;
  readonly consent: Consent;
  readonly asFlag: boolean;
  readonly progress: (what: string) => void;
}

/** What a look found: the facts, and the plan that follows from them. */
export interface Look {
  readonly observation: Observation;
  readonly plan: Plan;
}

/** The read-only half of the flow (DESIGN §1). */
export async function look(
  host: ObservingHost,
  request: Request,
  inspections = new Map<string, Promise<Inspection>>(),
): Promise<Look> {
  const observation = await observe(host, { ...request, inspections });
  return { observation, plan: buildPlan(observation, request.consent) };
}

export interface Result extends Look {
  /** What was done; the look is then the second one. */
  readonly applied: readonly Change[];
  /** What did not go as hoped and does not matter. */
  readonly doubts: readonly string[];
}

/**
 * Look, plan, apply, look again: the second plan must be empty. A plan with errors is not applied.
 *
 * @param approve asked before anything is written.
 * @throws AppError DECLINED, NOT_CONVERGED, and those of `apply`.
 */
export async function bootstrap(
  host: ObservingHost & Pick<Host, "locked" | "interrupted">,
  request: Request,
  approve: (look: Look) => Promise<boolean>,
): Promise<Result> {
  const inspections = new Map<string, Promise<Inspection>>();
  const first = await look(host, request, inspections);
  const { changes, findings } = first.plan;
  if (changes.length === 0 || findings.some(({ level }) => level === "error")) {
    return { ...first, applied: [], doubts: [] };
  }
  if (!(await approve(first))) {
    throw new AppError("DECLINED", "Nothing was changed.");
  }
  const { git, hosts } = first.observation;
  const doubts = await apply(host, changes, { ...request, hosts, git: git?.git });
  const second = await look(host, request, inspections);
  if (second.plan.changes.length > 0) throw notConverged(second.plan);
  return { ...second, applied: changes, doubts };
}

function notConverged({ changes }: Plan): AppError {
  const names = changes.map((change) =>
    change.kind === "write" ? change.before.path : `doctl context ${change.context}`,
  );
  return new AppError(
    "NOT_CONVERGED",
    `A second look still finds something to do: ${names.join(", ")}.`,
    { hint: "Something else writes to the same files. Run the same command again." },
  );
}
