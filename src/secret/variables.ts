import type { Secret } from "./secret.ts";

/** Variables for a tool, by name. What a secret is called decides whether it is one. */
export type Variables = ReadonlyMap<string, Secret | string>;

/** As a child's environment or the output of `env` has them: the sinks of rule 1. */
export function revealed(variables: Variables): ReadonlyMap<string, string> {
  return new Map(
    [...variables].map(([name, value]) => [
      name,
      typeof value === "string" ? value : value.reveal(),
    ]),
  );
}
