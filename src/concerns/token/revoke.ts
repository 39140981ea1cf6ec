import type { Host } from "../../host/host.ts";
import type { Secret } from "../../secret/secret.ts";
import type { ApiHosts } from "./hosts.ts";

const TIME_LIMIT_MS = 10_000;

/**
 * Asks DigitalOcean to revoke a token (RFC 7009; undocumented for personal tokens). To learn the result, ask the API
 * about the token afterwards.
 */
export async function revokeToken(
  { http }: Pick<Host, "http">,
  hosts: ApiHosts,
  token: Secret,
): Promise<void> {
  await http({
    url: new URL("v1/oauth/revoke", hosts.oauth),
    form: { token: token.reveal() },
    timeoutMs: TIME_LIMIT_MS,
    headers: {
      Authorization: `Bearer ${token.reveal()}`,
      Accept: "application/json",
      "User-Agent": `do-bootstrap/${__VERSION__}`,
    },
  });
}
