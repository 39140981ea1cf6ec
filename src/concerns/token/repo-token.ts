import { textIn } from "../../core/file-text.ts";
import { sourcesIn } from "../../exec/prepare.ts";
import { ENV_FILE_LOOK, readEnvFile } from "../../exec/read-env-file.ts";
import type { TokenState } from "../../exec/token-sources.ts";
import type { Host } from "../../host/host.ts";
import type { TokenFacts } from "./facts.ts";
import { type FindTokenOptions, findToken } from "./find-token.ts";
import { apiHosts } from "./hosts.ts";
import { inspectToken } from "./inspect.ts";

/** The token that `exec` would pass on, and what DigitalOcean says about it. */
export async function inspectRepoToken(
  host: Pick<Host, "env" | "home" | "files" | "http" | "clock" | "run" | "which" | "state">,
  {
    config,
    top,
    login,
    known,
    progress,
  }: Pick<FindTokenOptions, "config" | "top" | "login"> & {
    /** The token, if an earlier step has found it. */
    readonly known?: TokenState | undefined;
    readonly progress: (what: string) => void;
  },
): Promise<Pick<TokenFacts, "state" | "inspection">> {
  const envFile = await host.files.look(config.token.envFile, ENV_FILE_LOOK);
  const sources = sourcesIn({
    config: {
      envFile: config.token.envFile,
      tokenName: config.token.name,
      environment: config.environment,
      login: config.token.doctl,
    },
    env: host.env,
    envFile: readEnvFile(textIn(envFile)),
  });
  const state = known ?? (await findToken(host, sources, { config, top, login, trust: undefined }));
  if (state.kind !== "found") return { state, inspection: undefined };
  progress("Asking DigitalOcean about the token");
  return { state, inspection: await inspectToken(host, apiHosts(host.env), state.token) };
}
