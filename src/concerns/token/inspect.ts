import type { Host } from "../../host/host.ts";
import type { Secret } from "../../secret/secret.ts";
import type { ApiHosts } from "./hosts.ts";
import { type Inspection, judge, readAnswer } from "./verdict.ts";

const TIME_LIMIT_MS = 10_000;

/**
 * Asks about each token once.
 *
 * @param known answers by fingerprint. New answers are added.
 * @param asking called before each request.
 */
export function inspectOnce(
  host: Pick<Host, "http">,
  hosts: ApiHosts,
  known: Map<string, Promise<Inspection>>,
  asking: () => void = () => undefined,
): (token: Secret) => Promise<Inspection> {
  return (token) => {
    const before = known.get(token.fingerprint);
    if (before !== undefined) return before;
    asking();
    const asked = inspectToken(host, hosts, token);
    known.set(token.fingerprint, asked);
    return asked;
  };
}

/** Asks DigitalOcean about a token: two parallel requests, each limited to 10 s. */
export async function inspectToken(
  { http }: Pick<Host, "http">,
  hosts: ApiHosts,
  token: Secret,
): Promise<Inspection> {
  const ask = async (base: URL, path: string) =>
    readAnswer(
      await http({
        url: new URL(path, base),
        timeoutMs: TIME_LIMIT_MS,
        headers: {
          Authorization: `Bearer ${token.reveal()}`,
          Accept: "application/json",
          "User-Agent": `do-bootstrap/${__VERSION__}`,
        },
      }),
    );
  const [account, info] = await Promise.all([
    ask(hosts.api, "v2/account"),
    ask(hosts.oauth, "v1/oauth/token/info"),
  ]);
  return judge(account, info);
}
