import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { workbench } from "../fixtures/workbench.ts";

interface Prepared {
  readonly args: readonly string[];
  readonly files: Readonly<Record<string, string>>;
}

// Files as 0.1.0 wrote them; {{token}} is replaced by the token.
const FILE = new URL("../fixtures/repos/prepared-by-0.1.0.json", import.meta.url);
const PREPARED = JSON.parse(await readFile(FILE, "utf8")) as Readonly<Record<string, Prepared>>;

describe.concurrent("a repo prepared by 0.1.0 needs no change", () => {
  it.for(Object.entries(PREPARED))("%s", async ([, { args, files }], context) => {
    const bench = await workbench(context);
    for (const [name, text] of Object.entries(files)) {
      const isSecret = text.includes("{{token}}");
      await bench.write(name, text.replace("{{token}}", bench.token), isSecret ? 0o600 : 0o644);
    }
    const { stdout } = await bench.run([...args, "--dry-run", "--json"]);
    const { pending, findings } = JSON.parse(stdout);
    expect(pending).toEqual([]);
    expect(findings.filter(({ level }: { level: string }) => level === "error")).toEqual([]);
  });
});
