import { join } from "node:path";
import { textAt } from "../../../core/file-text.ts";
import { AppError } from "../../../errors/app-error.ts";
import { hint, run } from "../../../errors/hint.ts";
import type { Host } from "../../../host/host.ts";
import { jsonIn, recordOf } from "../../../lib/json.ts";
import { Secret } from "../../../secret/secret.ts";

/**
 * The user's own credentials for a host: TF_TOKEN_… in the environment of the process, or what `terraform login` has
 * stored (https://developer.hashicorp.com/terraform/cli/config/config-file#credentials). Blocks in .terraformrc and
 * credentials helpers are not read.
 *
 * @param name of the host, with its port.
 * @throws AppError HCP_FAILED: there are none.
 */
export async function credentialsFor(
  { env, files, home, platform }: Pick<Host, "env" | "files" | "home" | "platform">,
  name: string,
): Promise<Secret> {
  const variable = Object.keys(env).find((each) => hostIn(each) === name);
  const given = variable === undefined ? undefined : env[variable]?.trim();
  if (variable !== undefined && given) {
    return Secret.of(given, { kind: "adopted", place: variable });
  }
  const roaming = platform === "win32" ? env["APPDATA"] : undefined;
  const base = roaming ? join(roaming, "terraform.d") : home && join(home, ".terraform.d");
  if (base !== undefined) {
    const path = join(base, "credentials.tfrc.json");
    const { credentials } = recordOf(jsonIn(textAt(await files.look(path))?.text ?? ""));
    const { token } = recordOf(recordOf(credentials)[name]);
    if (typeof token === "string" && token.trim() !== "") {
      return Secret.of(token.trim(), { kind: "adopted", place: path });
    }
  }
  const message = `There are no credentials for ${name} in TF_TOKEN_… and in credentials.tfrc.json. Others are not read.`;
  throw new AppError("HCP_FAILED", message, {
    hint: hint`${run("terraform", "login", name)}`,
  });
}

/** Terraform writes a dot as _ and a hyphen as __, or leaves the hyphen. */
function hostIn(variable: string): string | undefined {
  const [, rest] = /^TF_TOKEN_(.+)$/.exec(variable) ?? [];
  return rest?.replaceAll("__", "-").replaceAll("_", ".").toLowerCase();
}
