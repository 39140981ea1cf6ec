import { relative } from "node:path";
import type { ResolvedConfig } from "../../concerns/config/resolved.ts";
import { textAt } from "../../core/file-text.ts";
import type { Finding } from "../../core/finding.ts";
import { hint, own } from "../../errors/hint.ts";
import { readEnvFile } from "../../exec/read-env-file.ts";
import { tokenInFile } from "../../exec/token-sources.ts";
import type { Secret } from "../../secret/secret.ts";
import { finding } from "./findings.ts";
import type { TokenPlace } from "./token-places.ts";

/**
 * Reports the environments that still have a token after a run without --env removed or replaced another one: people
 * often mean all of them when they log out.
 *
 * @param but tokens that this run removes, replaces or adds.
 */
export function heldByOthers(
  shared: ResolvedConfig,
  inEnvironment: (name: string) => ResolvedConfig,
  places: readonly TokenPlace[],
  { but, as }: { but: readonly Secret[]; as: "logout" | "uninstall" | "rotate" },
): Finding[] {
  if (shared.environment !== undefined) return [];
  return shared.environments.flatMap((name) => {
    const held = tokensOf(inEnvironment(name), shared, places).filter(
      ({ token }) => !but.some((each) => each.equals(token)),
    );
    if (held.length === 0) return [];
    const where = held.map(({ token, at }) => `${token.shortName} in ${at}`).join(", ");
    const message = `Environment ${name} still has its own token: ${where}.`;
    const fix = hint`${own(as, "--env", name)}; for all environments: ${own(as, "--all")}`;
    const found = finding("environment.token-left", message, { fix });
    return { ...found, isLeft: true as const, environment: name };
  });
}

interface HeldToken {
  readonly token: Secret;
  readonly at: string;
}

/** The tokens in its env file, and in the doctl context that the config assigns to it. */
function tokensOf(
  { base, token: { envFile, name }, doctl }: ResolvedConfig,
  shared: ResolvedConfig,
  places: readonly TokenPlace[],
): HeldToken[] {
  const context = doctl === false ? undefined : doctl.context;
  const others = shared.doctl === false ? undefined : shared.doctl.context;
  return places.flatMap((place): HeldToken[] => {
    if (place.kind === "doctl") {
      const isIts = place.context === context && context !== others;
      return isIts ? place.holds.map((token) => ({ token, at: `doctl context ${context}` })) : [];
    }
    if (place.snapshot.path !== envFile) return [];
    const values = readEnvFile(textAt(place.snapshot)?.text ?? "");
    const state = tokenInFile({ path: envFile, values }, name);
    return state.kind === "found" ? [{ token: state.token, at: relative(base, envFile) }] : [];
  });
}
