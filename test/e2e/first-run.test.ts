import { stat } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { treeHash, withoutProgress, workbench } from "../fixtures/workbench.ts";

describe("do-bootstrap in an empty repo", () => {
  it("needs one command and a token on standard input", async () => {
    const bench = await workbench();
    const { status, stdout, stderr } = await bench.run(["--token-stdin"], { input: bench.token });

    expect(stderr).toContain("made and checked");
    expect({ status, stdout }).toEqual({ status: 0, stdout: "" });
    expect(await bench.read(".env")).toBe(`DIGITALOCEAN_TOKEN=${bench.token}\n`);
    expect((await stat(join(bench.repo, ".env"))).mode & 0o777).toBe(0o600);
    expect(await bench.git("status", "--porcelain", "--untracked-files=all")).toBe(
      [
        "?? .env.example",
        "?? .gitignore",
        "?? provider.tf",
        "?? variables.tf",
        "?? versions.tf",
      ].join("\n"),
    );
  });

  it("changes no byte and no mtime the second time", async () => {
    const bench = await workbench();
    await bench.run(["--token-stdin"], { input: bench.token });
    const before = await treeHash(bench.root);
    const { status, stderr } = await bench.run([]);

    expect(withoutProgress(stderr)).toMatch(
      /^· acme-web: nothing to change \(token [0-9a-f]{8}, Sandbox Team, no expiry, API 127\.0\.0\.1:\d+\)\.\n {2}Left to do:\n {4}1\. Install Terraform: \S+\n {4}2\. terraform init\n$/,
    );
    expect(status).toBe(0);
    expect(await treeHash(bench.root)).toBe(before);
    const { stdout } = await bench.run(["check"]);
    expect(stdout).toMatch(/^API +127\.0\.0\.1:\d+, not DigitalOcean$/m);
  });
});
