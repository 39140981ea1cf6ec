import type { ResolvedConfig } from "../config/resolved.ts";
import { textIn } from "../content.ts";
import { readEnvFile } from "../env-file/read.ts";
import { sourcesIn } from "../exec/prepare.ts";
import type { Host } from "../host/host.ts";
import { apiHosts } from "../token/hosts.ts";
import { inspectToken } from "../token/inspect.ts";
import type { TokenState } from "../token/sources.ts";
import { findToken } from "./find-token.ts";
import type { Observation } from "./observe.ts";

/** The token that `exec` would pass on, and what DigitalOcean says of it. */
export async function inspectRepoToken(
  host: Pick<Host, "env" | "home" | "files" | "http" | "clock" | "run" | "which" | "state">,
  config: ResolvedConfig,
  top: string,
  progress: (what: string) => void,
  known?: TokenState,
): Promise<Pick<Observation, "token" | "inspection">> {
  const envFile = await host.files.look(config.token.envFile);
  const sources = sourcesIn({
    config: {
      envFile: config.token.envFile,
      tokenName: config.token.name,
      environment: config.environment,
    },
    env: host.env,
    envFile: readEnvFile(textIn(envFile)),
  });
  const token = known ?? (await findToken(host, sources, { config, top, trust: undefined }));
  if (token.kind !== "found") return { token, inspection: undefined };
  progress("Asking DigitalOcean about the token");
  return { token, inspection: await inspectToken(host, apiHosts(host.env), token.token) };
}
