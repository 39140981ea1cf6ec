import { parse } from "dotenv";

/** Options for reading an env file. It may be a FIFO of 1Password, and is processed assignment by assignment. */
export const ENV_FILE_LOOK = {
  waitForFifo: true,
  maxBytes: 4 * 1024 * 1024,
  maxLines: 20_000,
} as const;

/**
 * The variables of a .env text, as dotenv reads them: the last assignment of a key wins. dotenv's scanner gives the
 * same result as its regular expression, which takes minutes for some 100 kB of empty lines.
 */
export function readEnvFile(text: string): ReadonlyMap<string, string> {
  return new Map(Object.entries(parse(text, { fast: true })));
}
