import { join } from "node:path";
import type { Host } from "../../host/host.ts";
import type { ResolvedConfig } from "../config/resolved.ts";
import type { EnvFileFacts } from "./facts.ts";

export async function observeEnvFile(
  { files, template }: Pick<Host, "files" | "template">,
  { base, token }: Pick<ResolvedConfig, "base" | "token">,
): Promise<EnvFileFacts> {
  const [file, example, local, envrc] = await Promise.all([
    files.look(token.envFile),
    files.look(join(base, ".env.example")),
    files.look(join(base, ".env.local")),
    files.look(join(base, ".envrc")),
  ]);
  const templates = { example: template("env.example"), envrc: template("envrc") };
  return { file, example, local, envrc, templates };
}
