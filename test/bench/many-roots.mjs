import { execFileSync } from "node:child_process";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** A terraform that creates only what a look at a root checks. */
export const TERRAFORM = `#!/bin/sh
case "$1" in
version) echo '{"terraform_version":"1.11.4"}';;
init) /bin/mkdir -p .terraform/providers;;
esac
`;

/** A repo of root modules, none of them prepared. */
export async function writeRoots(repo, env, count) {
  await rm(repo, { recursive: true, force: true });
  const dirs = Array.from({ length: count }, (_, i) => `stacks/team-${i % 10}/service-${i}`);
  for (const dir of dirs) {
    await mkdir(join(repo, dir), { recursive: true });
    const code = 'resource "digitalocean_domain" "a" {\n  name = "example.com"\n}\n';
    await writeFile(join(repo, dir, "main.tf"), code);
  }
  const config = { doctl: false, terraform: dirs.map((dir) => ({ dir })) };
  await writeFile(join(repo, ".do-bootstraprc.json"), JSON.stringify(config));
  execFileSync("git", ["init", "--quiet"], { env, cwd: repo });
}
