import { AppError } from "../../../errors/app-error.ts";
import { hint, run } from "../../../errors/hint.ts";
import type { Host } from "../../../host/host.ts";
import { sentence } from "../../../lib/few.ts";
import { jsonIn, recordOf } from "../../../lib/json.ts";
import type { Secret } from "../../../secret/secret.ts";

/** HCP Terraform's API, with the user's own credentials (https://developer.hashicorp.com/terraform/cloud-docs/api-docs). */
export interface HcpApi {
  /** The host, with its port. */
  readonly name: string;
  /** @throws AppError HCP_FAILED for any answer that is neither success nor 404. */
  call(method: Method, path: string, body?: HcpVariable): Promise<HcpAnswer>;
}

type Method = "GET" | "POST" | "PATCH" | "DELETE";

/** The attributes of a variable. Its value is sent, and never read: it is sensitive. */
export interface HcpVariable {
  readonly key: string;
  readonly value: Secret;
  readonly category: "env" | "terraform";
  readonly id?: string;
}

export interface HcpAnswer {
  readonly isThere: boolean;
  readonly body: Readonly<Record<string, unknown>>;
}

const TIME_LIMIT_MS = 10_000;
const JSON_API = "application/vnd.api+json";

/** @param name of the host. Always https, and a redirect is a failure. */
export function hcpApi({ http }: Pick<Host, "http">, name: string, credentials: Secret): HcpApi {
  return {
    name,
    async call(method, path, variable) {
      const answer = await http({
        url: new URL(`https://${name}/api/v2/${path}`),
        ...(method === "GET" ? {} : { method }),
        ...(variable === undefined ? {} : { body: bodyOf(variable) }),
        timeoutMs: TIME_LIMIT_MS,
        headers: {
          Authorization: `Bearer ${credentials.reveal()}`,
          Accept: JSON_API,
          "Content-Type": JSON_API,
          "User-Agent": `do-bootstrap/${__VERSION__}`,
        },
      });
      if (answer.kind === "failure") {
        const why = `${answer.why}: ${answer.detail}`;
        throw failed(`${name} is unreachable (${why}).`, hint`Try again later.`);
      }
      const { status } = answer;
      const body = recordOf(jsonIn(answer.body));
      if (status === 404) return { isThere: false, body };
      if (status >= 200 && status < 300) return { isThere: true, body };
      const login = hint`${run("terraform", "login", name)}`;
      if (status === 401) throw failed(`${name} refuses the credentials of this machine.`, login);
      if (status >= 300 && status < 400) {
        const fix = hint`Name the host itself in the code.`;
        throw failed(`${name} answers ${status}, and a redirect is not followed.`, fix);
      }
      const [first] = Array.isArray(body["errors"]) ? body["errors"] : [];
      const { detail, title } = recordOf(first);
      const said = [detail, title].find((each) => typeof each === "string");
      const why = said === undefined ? "" : `: ${said}`;
      throw failed(sentence(`${name} answers ${status}${why}`), hint`Try again later.`);
    },
  };
}

function bodyOf({ id, key, value, category }: HcpVariable): string {
  const attributes = { key, value: value.reveal(), category, hcl: false, sensitive: true };
  return JSON.stringify({
    data: { type: "vars", ...(id === undefined ? {} : { id }), attributes },
  });
}

function failed(message: string, fix: ReturnType<typeof hint>): AppError {
  return new AppError("HCP_FAILED", message, { hint: fix });
}
