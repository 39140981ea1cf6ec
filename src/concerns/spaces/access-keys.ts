import { AppError } from "../../errors/app-error.ts";
import { EXIT } from "../../errors/exit-status.ts";
import { hint } from "../../errors/hint.ts";
import { KEY_NAMES, type SpacesKeys } from "../../exec/spaces-keys.ts";
import type { Host, HttpAnswer } from "../../host/host.ts";
import { jsonIn, recordOf } from "../../lib/json.ts";
import { Secret } from "../../secret/secret.ts";
import type { ApiHosts } from "../token/hosts.ts";
import { KEY_SCOPES } from "../token/needed-scopes.ts";

/** What a key may do with a bucket. `fullaccess` is for all buckets, and then `bucket` is "". */
export interface Grant {
  readonly bucket: string;
  readonly permission: string;
}

/** A Spaces key at DigitalOcean, whose secret is shown only when it is made. */
export interface AccessKey {
  readonly name: string;
  readonly id: Secret;
  readonly grants: readonly Grant[];
  /** Milliseconds since the epoch; undefined: not readable. */
  readonly createdAt: number | undefined;
}

/** DigitalOcean's API for Spaces keys (docs/contracts/api.md 9). Each call throws AppError where it fails. */
export interface KeysApi {
  /** @param path the env file that will keep the pair. */
  create(name: string, grants: readonly Grant[], path: string): Promise<SpacesKeys>;
  list(): Promise<readonly AccessKey[]>;
  /** A key that is already gone counts as removed. */
  remove(id: Secret): Promise<void>;
}

const TIME_LIMIT_MS = 10_000;
/** The API gives at most 200 on a page. */
const ON_A_PAGE = 200;
const MOST_PAGES = 50;

export function keysApi(
  { http }: Pick<Host, "http">,
  { api }: Pick<ApiHosts, "api">,
  token: Secret,
): KeysApi {
  return {
    async create(name, grants, path) {
      const what = `create the Spaces key ${name}`;
      const answer = await send("POST", "", JSON.stringify({ name, grants }));
      const { access_key: id, secret_key: secret } = recordOf(
        recordOf(bodyOf(answer, what))["key"],
      );
      if (!isId(id) || typeof secret !== "string") throw unknownAnswer(what);
      const [ofId, ofSecret] = KEY_NAMES;
      return {
        id: Secret.of(id, { kind: "env-file", name: ofId, path }),
        secret: Secret.of(secret, { kind: "env-file", name: ofSecret, path }),
        session: undefined,
      };
    },
    async list() {
      const found: AccessKey[] = [];
      for (let page = 1; page <= MOST_PAGES; page++) {
        const answer = await send("GET", `?per_page=${ON_A_PAGE}&page=${page}`);
        if (isNone(answer)) break;
        const { keys, links } = recordOf(bodyOf(answer, LIST));
        if (!Array.isArray(keys)) throw unknownAnswer(LIST);
        found.push(...keys.flatMap(accessKey));
        const { next } = recordOf(recordOf(links)["pages"]);
        if (typeof next !== "string" && keys.length < ON_A_PAGE) break;
      }
      return found;
    },
    async remove(id) {
      const answer = await send("DELETE", `/${encodeURIComponent(id.reveal())}`);
      if (isNone(answer)) return;
      bodyOf(answer, "delete a Spaces key");
    },
  };

  function send(
    method: "GET" | "POST" | "DELETE",
    path: string,
    body?: string,
  ): Promise<HttpAnswer> {
    return http({
      url: new URL(`v2/spaces/keys${path}`, api),
      ...(method === "GET" ? {} : { method }),
      ...(body === undefined ? {} : { body }),
      timeoutMs: TIME_LIMIT_MS,
      headers: {
        Authorization: `Bearer ${token.reveal()}`,
        Accept: "application/json",
        "User-Agent": `do-bootstrap/${__VERSION__}`,
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
      },
    });
  }

  /** @param what what could not be done, in the infinitive. @throws AppError */
  function bodyOf(answer: HttpAnswer, what: string): unknown {
    if (answer.kind === "failure") {
      const message = `Can't ${what}: ${api.host} is unreachable (${answer.why}: ${answer.detail}).`;
      throw new AppError("SPACES_UNREACHABLE", message, { hint: AGAIN });
    }
    const { status, body } = answer;
    if (status >= 200 && status < 300) return jsonIn(body);
    const { message: said } = recordOf(jsonIn(body));
    const why = typeof said === "string" ? `${status} ${said.replace(/\.$/, "")}` : `${status}`;
    if (status === 403) {
      const code = { id: LACKS_SCOPES, status: EXIT.scope };
      throw new AppError(code, `The token may not ${what}: ${api.host} answers ${why}.`, {
        hint: hint`Use a token with the scopes ${KEY_SCOPES.join(", ")}, or with full access.`,
      });
    }
    const code = status >= 400 && status < 500 ? "SPACES_REFUSED" : "SPACES_FAILED";
    throw new AppError(code, `Can't ${what}: ${api.host} answers ${why}.`, { hint: AGAIN });
  }

  function unknownAnswer(what: string): AppError {
    return new AppError("SPACES_FAILED", `Can't ${what}: ${api.host} gives an unknown answer.`, {
      hint: AGAIN,
    });
  }
}

/** The API has answered that it did not do what it was asked. */
export function isRefusal({ code }: AppError): boolean {
  return code === "SPACES_REFUSED" || code === LACKS_SCOPES;
}

const LACKS_SCOPES = "spaces.lacks-scopes";
const LIST = "list the Spaces keys";

/** Without any key, the API answers 404. A proxy's 404 is not JSON. */
function isNone(answer: HttpAnswer): boolean {
  return (
    answer.kind === "answer" &&
    answer.status === 404 &&
    typeof recordOf(jsonIn(answer.body))["id"] === "string"
  );
}

const AGAIN = hint`Run the same command again.`;

function accessKey(each: unknown): AccessKey[] {
  const { name, access_key: id, grants, created_at: created } = recordOf(each);
  if (typeof name !== "string" || !isId(id)) return [];
  const time = typeof created === "string" ? Date.parse(created) : Number.NaN;
  return [
    {
      name,
      id: Secret.of(id, { kind: "env-file", name: KEY_NAMES[0], path: "" }),
      grants: Array.isArray(grants) ? grants.flatMap(grantOf) : [],
      createdAt: Number.isNaN(time) ? undefined : time,
    },
  ];
}

/** It becomes a part of a URL. */
function isId(id: unknown): id is string {
  return typeof id === "string" && /^\w{1,128}$/.test(id);
}

function grantOf(each: unknown): Grant[] {
  const { bucket = "", permission } = recordOf(each);
  return typeof bucket === "string" && typeof permission === "string"
    ? [{ bucket, permission }]
    : [];
}
