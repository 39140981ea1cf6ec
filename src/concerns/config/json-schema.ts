import { toJsonSchema } from "@valibot/to-json-schema";
import { writtenConfig } from "./schema.ts";

/** The JSON Schema that editors use, made from the very schema that checks a config; JSON
 * Schema cannot say what the `check` actions do. */
export function jsonSchema(): object {
  return toJsonSchema(writtenConfig, { target: "draft-07", ignoreActions: ["check"] });
}
