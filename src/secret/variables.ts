import type { Secret } from "./secret.ts";

/** Variables for a tool, by name. Secret values are of type `Secret`. */
export type Variables = ReadonlyMap<string, Secret | string>;

/** The values for a child's environment or the output of `env`: the sinks of rule 1. */
export function revealed(variables: Variables): ReadonlyMap<string, string> {
  return new Map(
    [...variables].map(([name, value]) => [
      name,
      typeof value === "string" ? value : value.reveal(),
    ]),
  );
}
