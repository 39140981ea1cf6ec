import { mkdir, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { OPENSSL } from "../fixtures/certificate.ts";
import { CREATE, keysBench } from "../fixtures/spaces/bench.ts";
import { emptyMirror, TERRAFORM, TOFU } from "../fixtures/terraform.ts";

const CONFIG = {
  project: "acme",
  terraform: { backend: { bucket: "acme-tfstate", region: "nyc3", lock: true } },
};

describe.each([
  ["terraform", TERRAFORM],
  ["tofu", TOFU],
])("from an empty repo to a locked state for two, with %s", (name, tool) => {
  const skipped = !OPENSSL ? " (needs openssl)" : tool === undefined ? ` (needs ${name})` : "";

  it.skipIf(skipped !== "")(`each with a key of their own${skipped}`, async () => {
    const its = await keysBench({ delay: 2 }, CONFIG);
    await symlink(tool ?? "", join(its.bin, name));
    const rc = join(its.root, "mirror.tfrc");
    const mirror = JSON.stringify(await emptyMirror(its.root));
    await writeFile(
      rc,
      `provider_installation {\n filesystem_mirror {\n path = ${mirror}\n }\n}\n`,
    );
    const env = { TF_CLI_CONFIG_FILE: rc };

    // The first person: one command makes the bucket, a key, backend.tf, and connects the state.
    const first = await its.run(["--token-stdin", "--yes", ...CREATE], { input: its.token, env });
    expect([first.status, first.stderr]).toEqual([
      0,
      expect.stringMatching(
        /init {2}install the provider, connect[\s\S]*\+ bucket acme-tfstate[\s\S]*exec -- \w+ plan/,
      ),
    ]);
    // The provider is only a file here.
    await its.write("main.tf", 'resource "terraform_data" "x" {\n  input = "ours"\n}\n');
    await its.write("do-bootstrap.tf", "");
    const apply = ["exec", "--", name, "apply", "-auto-approve", "-input=false", "-no-color"];
    expect(await its.run(apply, { env })).toMatchObject({ status: 0 });
    await its.git("add", ".");
    await its.git("commit", "--quiet", "--message", "state on Spaces");

    // The second person has the clone and a token of the team.
    const clone = join(its.home, "clone");
    await its.git("clone", "--quiet", its.repo, clone);
    await mkdir(join(its.root, "second"));
    const theirs = { ...env, HOME: join(its.root, "second") };
    const inClone = (args: readonly string[], input?: string) =>
      its.run(args, {
        cwd: "../home/clone",
        env: theirs,
        ...(input === undefined ? {} : { input }),
      });
    const second = await inClone(["backend", "key", "--token-stdin", "--yes"], its.token);
    expect([second.status, second.stderr]).toEqual([0, expect.stringContaining("+ Spaces key")]);
    for (const file of [".env", "do-bootstrap.secret.auto.tfvars.json"]) {
      its.guard.mayHold(`home/clone/${file}`);
    }
    for (const file of ["versions.tf", "provider.tf", "variables.tf", "do-bootstrap.tf"]) {
      await rm(join(clone, file), { force: true });
    }
    const plan = ["exec", "--", name, "plan", "-detailed-exitcode", "-input=false", "-no-color"];
    const planned = await inClone(plan);
    expect([planned.status, planned.stderr]).toEqual([0, ""]);
    const [one, two, ...more] = its.account.keys.values();
    expect([one?.grants, two?.grants, more]).toEqual([
      [{ bucket: "acme-tfstate", permission: "readwrite" }],
      [{ bucket: "acme-tfstate", permission: "readwrite" }],
      [],
    ]);
    expect(one?.id).not.toBe(two?.id);

    // The lock of one holds the other off.
    const lock = Buffer.from('{"ID":"5f5a","Operation":"OperationTypeApply","Who":"ada@x"}');
    its.objects.set("acme-tfstate/acme/terraform.tfstate.tflock", lock);
    const held = await inClone(plan);
    expect([held.status, held.stderr + held.stdout]).toEqual([
      1,
      expect.stringMatching(/Error acquiring the state lock/),
    ]);
  });
});
