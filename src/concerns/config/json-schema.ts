import { toJsonSchema } from "@valibot/to-json-schema";
import { writtenConfig } from "./schema.ts";

/**
 * The JSON Schema for editors, generated from the schema that checks a config. JSON Schema cannot express the `check`
 * actions.
 */
export function jsonSchema(): object {
  return toJsonSchema(writtenConfig, { target: "draft-07", ignoreActions: ["check"] });
}
