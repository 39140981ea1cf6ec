import { parse } from "dotenv";

/** The variables of a .env text, as dotenv reads them: the last assignment of a key wins. */
export function readEnvFile(text: string): ReadonlyMap<string, string> {
  return new Map(Object.entries(parse(text)));
}
