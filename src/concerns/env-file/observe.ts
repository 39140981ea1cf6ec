import { join } from "node:path";
import { ENV_FILE_LOOK } from "../../exec/read-env-file.ts";
import type { Host } from "../../host/host.ts";
import type { ResolvedConfig } from "../config/resolved.ts";
import type { EnvFileFacts } from "./facts.ts";

const SIZE = { maxBytes: ENV_FILE_LOOK.maxBytes, maxLines: ENV_FILE_LOOK.maxLines };

export async function observeEnvFile(
  { files, template }: Pick<Host, "files" | "template">,
  { base, token }: Pick<ResolvedConfig, "base" | "token">,
): Promise<EnvFileFacts> {
  const [file, example, local, envrc] = await Promise.all([
    files.look(token.envFile, ENV_FILE_LOOK),
    files.look(join(base, ".env.example"), SIZE),
    files.look(join(base, ".env.local"), SIZE),
    files.look(join(base, ".envrc"), SIZE),
  ]);
  const templates = { example: template("env.example"), envrc: template("envrc") };
  return { file, example, local, envrc, templates };
}
