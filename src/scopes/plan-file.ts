import * as v from "valibot";
import type { Block, Expression, SourceLocation } from "../hcl/syntax.ts";
import { groupedBy } from "../lib/grouped.ts";
import { isRecord, jsonIn, recordOf } from "../lib/json.ts";
import { type Action, withoutIndexes } from "./action.ts";
import type { Operation } from "./data.ts";
import type { Module } from "./module-tree.ts";

/** The parts that we read of a saved plan's `terraform show -json` output (format 1). */
const Plan = v.object({
  format_version: v.pipe(v.string(), v.startsWith("1.")),
  // The JSON of a state has these. A failed plan is incomplete.
  values: v.optional(v.never()),
  errored: v.optional(v.literal(false)),
  resource_changes: v.optional(
    v.array(
      v.object({
        address: v.string(),
        mode: v.string(),
        type: v.string(),
        name: v.string(),
        change: v.object({
          actions: v.array(v.string()),
          before: v.optional(v.unknown()),
          after: v.optional(v.unknown()),
          after_unknown: v.optional(v.unknown()),
          importing: v.optional(v.unknown()),
        }),
      }),
    ),
    [],
  ),
  action_invocations: v.optional(v.array(v.object({ address: v.string(), type: v.string() })), []),
});

/** Changes that need no API call: the resource stays as it is. */
const NO_CALLS = ["no-op", "forget"];

type Change = v.InferOutput<typeof Plan>["resource_changes"][number];

/**
 * The actions of a plan. Attributes that it does not know yet count as set, unless the code shows otherwise.
 *
 * @param text JSON of `terraform show -json`.
 * @param file the plan's name, used as the place of resources that are no longer in the code.
 * @param code the actions that the code may take.
 * @returns undefined if the text is not a plan.
 */
export function actionsInPlan(
  text: string,
  file: string,
  code: readonly Action[],
): Action[] | undefined {
  const plan = v.safeParse(Plan, jsonIn(text));
  if (!plan.success) return undefined;
  const place: SourceLocation = { file, line: 1 };
  const changes = plan.output.resource_changes
    .filter(({ type }) => isOurs(type))
    .map((change) => ({
      ...change,
      was: blockOf(change, change.change.before, undefined, place),
      is: blockOf(change, change.change.after, change.change.after_unknown, place),
    }));
  const blocks = changes.flatMap(({ was, is }) => [was, is]);
  const module: Module = { prefix: "", blocks, references: [] };
  const written = groupedBy(code, ({ address, operation }) => `${address} ${operation}`);
  const invoked = plan.output.action_invocations
    .filter(({ type }) => isOurs(type))
    .map(({ address, type }) => ({
      ...{ address, type, mode: "other" as const, operation: "read" as const },
      ...{ block: undefined, place, module },
    }));
  return [...changes.flatMap(actionsOf), ...invoked];

  function actionsOf({ address, type, mode, change, was, is }: (typeof changes)[number]) {
    const { actions, importing } = change;
    const action = (operation: Operation, block: Block, more: Partial<Action> = {}): Action => {
      const inCode = written.get(`${withoutIndexes(address)} ${operation}`) ?? [];
      return {
        address,
        type,
        operation,
        block,
        module,
        mode: mode === "data" ? "data" : "resource",
        place: inCode[0]?.place ?? place,
        inCode: operation === "delete" ? [] : inCode,
        ...more,
      };
    };
    const all = actions.flatMap((name): Action[] => {
      // After a create or an update, the resource is read again.
      if (name === "create") return [action("create", is), action("read", is)];
      if (name === "update") {
        return [action("update", is, { before: was }), action("read", is)];
      }
      if (name === "delete") return [action("delete", was)];
      if (name === "read") return [action("read", is)];
      // An unknown action of a later Terraform: what it needs is unknown, too.
      return NO_CALLS.includes(name) ? [] : [action("read", is, { mode: "other" })];
    });
    return importing == null ? all : [...all, action("import", is), action("read", is)];
  }
}

function isOurs(type: string): boolean {
  return type.startsWith("digitalocean_");
}

function blockOf(
  { mode, type, name }: Change,
  values: unknown,
  unknown: unknown,
  place: SourceLocation,
): Block {
  return {
    type: mode === "data" ? "data" : "resource",
    labels: [type, name],
    attributes: fieldsOf(values, unknown, place),
    blocks: [],
    place,
  };
}

/** Deeper than any attribute of a resource. Anything deeper counts as unknown. */
const MAX_DEPTH = 64;

function fieldsOf(
  values: unknown,
  unknown: unknown,
  place: SourceLocation,
  depth = 0,
): ReadonlyMap<string, Expression> {
  const [known, open] = [recordOf(values), recordOf(unknown)];
  const names = new Set([...Object.keys(known), ...Object.keys(open)]);
  return new Map(
    [...names].map((name) => [name, expressionOf(known[name], open[name], place, depth)]),
  );
}

function expressionOf(
  value: unknown,
  unknown: unknown,
  place: SourceLocation,
  depth: number,
): Expression {
  const base = { source: "", start: 0, end: 0, place };
  const nothing = { literal: undefined, fields: undefined, items: undefined };
  if (unknown === true || depth > MAX_DEPTH) return { ...base, ...nothing };
  // A list's values leave out the elements that are not known yet.
  const [list, open] = [listOf(value), listOf(unknown)];
  if (Array.isArray(value) || Array.isArray(unknown)) {
    const longer = list.length > open.length ? list : open;
    const items = longer.map((_, at) => expressionOf(list[at], open[at], place, depth + 1));
    return { ...base, ...nothing, items };
  }
  if (isRecord(value) || isRecord(unknown)) {
    return { ...base, ...nothing, fields: fieldsOf(value, unknown, place, depth + 1) };
  }
  return { ...base, ...nothing, literal: (value ?? null) as Expression["literal"] };
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
