import { expect, it } from "vitest";
import type { Facts } from "../../../src/exec/facts.ts";
import { executionOf, shellText } from "../../../src/exec/prepare.ts";
import { EXEC_CONFIG, PERSONAL, secret } from "../samples.ts";

/** A repo whose token is in doctl's context web. */
function facts(env: Facts["env"]): Facts {
  const contexts = { [secret().digest]: "web" };
  const doctl = { path: "/bin/doctl", program: undefined, places: "", contexts };
  const envFile = new Map([["DIGITALOCEAN_TOKEN", PERSONAL]]);
  return { config: { ...EXEC_CONFIG, doctl }, env, cwd: "/repo", envFile, textAt: () => "" };
}

it.each<[what: string, line: string, env: Facts["env"], context: string | undefined]>([
  ["exec", "exec terraform plan", {}, "web"],
  [
    "exec, with another context selected",
    "exec terraform plan",
    { DIGITALOCEAN_CONTEXT: "x" },
    "web",
  ],
  ["exec, with a token in doctl's flags", "exec doctl -t x account get", {}, "default"],
  ["env: the selected context is kept", "env", {}, undefined],
  ["env in a shell that exec started", "env", { DO_BOOTSTRAP_EXEC: ":/repo" }, "web"],
])("doctl's context: %s", (_, line, env, context) => {
  const [command, ...words] = line.split(" ");
  if (command === "exec") {
    const given = executionOf({ command, options: {}, words }, facts(env)).env;
    expect(given["DIGITALOCEAN_CONTEXT"]).toBe(context);
  } else {
    const options = { format: "json" };
    const { text } = shellText({ command: "env", options, words: [] }, facts(env));
    expect(JSON.parse(text)["DIGITALOCEAN_CONTEXT"]).toBe(context);
  }
});
