import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What the sandbox knows about a token. The defaults are a full-access token of one team. */
export interface SandboxToken {
  readonly scopes?: readonly string[];
  /** Seconds until it expires; absent: never. */
  readonly expiresInSeconds?: number;
  readonly team?: { readonly uuid: string; readonly name: string };
  readonly email?: string;
}

/** A fixed answer, or a way in which a server fails to answer. */
export type SandboxReply =
  | {
      readonly status: number;
      readonly body?: string | Buffer;
      readonly headers?: Readonly<Record<string, string>>;
    }
  | "hang"
  | "disconnect";

export interface SandboxRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
}

type SandboxHandler = (request: IncomingMessage, response: ServerResponse) => void;

/** An API on loopback that answers like DigitalOcean (docs/contracts/api.md §3 and §4). */
export interface Sandbox {
  /** Replaces both https://api.digitalocean.com and https://cloud.digitalocean.com. */
  readonly url: string;
  readonly requests: readonly SandboxRequest[];
  /** Makes this token valid. */
  accept(token: string, facts?: SandboxToken): void;
  /** Revokes this token: it is refused with 401. */
  revoke(token: string): void;
  /** From now on, a route such as "GET /v2/account" gives this reply, whatever the token. */
  answer(route: string, reply: SandboxReply): void;
  /**
   * From now on, this handles a route such as "GET /v1/oauth/authorize", unless it has a fixed reply. A route may end
   * with "/*": any one name.
   */
  serve(route: string, handler: SandboxHandler): void;
  close(): Promise<void>;
}

type Route = (token: SandboxToken) => { status: number; body: object };

const TEAM = { uuid: "5df3e3004a17e242b7c20ca6c9fc25b701a47ece", name: "Sandbox Team" };

const ROUTES: Readonly<Record<string, Route>> = {
  "GET /v1/oauth/token/info": (token) => ({
    status: 200,
    body: {
      resource_owner_id: 1,
      scopes: token.scopes ?? ["read", "write"],
      expires_in_seconds: token.expiresInSeconds ?? null,
      application: { uid: "sandbox" },
      created_at: 1700000000,
    },
  }),
  "GET /v2/account": (token) =>
    allows(token, "account:read")
      ? { status: 200, body: { account: account(token) } }
      : problem(403, "forbidden", "You are not authorized to perform this operation"),
};

/**
 * Starts the sandbox on a free port of 127.0.0.1.
 *
 * @returns the running sandbox; the caller closes it.
 */
export async function startSandbox(): Promise<Sandbox> {
  const tokens = new Map<string, SandboxToken>();
  const canned = new Map<string, SandboxReply>();
  const handlers = new Map<string, SandboxHandler>();
  const requests: SandboxRequest[] = [];

  const server = createServer((request, response) => {
    const path = new URL(request.url ?? "/", "http://sandbox").pathname;
    const route = `${request.method} ${path}`;
    requests.push({ method: request.method ?? "", path, headers: request.headers });
    const reply = canned.get(route);
    if (reply !== undefined) return send(response, reply);
    const handler = handlers.get(route) ?? handlers.get(route.replace(/[^/]*$/, "*"));
    if (handler !== undefined) return handler(request, response);
    if (route === "POST /v1/oauth/revoke") return revoked(request, response);
    const token = tokens.get(/^Bearer (.+)$/.exec(request.headers.authorization ?? "")?.[1] ?? "");
    if (token === undefined) {
      return sendJson(response, problem(401, "unauthorized", "Unable to authenticate you"));
    }
    const known = ROUTES[route];
    return sendJson(
      response,
      known?.(token) ??
        problem(404, "not_found", "The resource you were accessing could not be found."),
    );
  });
  /** RFC 7009: the token is in the body. Anybody who has it may revoke it. */
  function revoked(request: IncomingMessage, response: ServerResponse): void {
    let body = "";
    request.on("data", (chunk: Buffer) => {
      body += chunk.toString("utf8");
    });
    request.on("end", () => {
      tokens.delete(new URLSearchParams(body).get("token") ?? "");
      sendJson(response, { status: 200, body: {} });
    });
  }

  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;

  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    accept: (token, facts = {}) => void tokens.set(token, facts),
    revoke: (token) => void tokens.delete(token),
    answer: (route, reply) => void canned.set(route, reply),
    serve: (route, handler) => void handlers.set(route, handler),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function account(token: SandboxToken): object {
  return {
    droplet_limit: 25,
    floating_ip_limit: 5,
    email: token.email ?? "sammy@example.com",
    name: "Sammy the Shark",
    uuid: "b6fr89dbf6d9156cace5f3c78dc9851d957381ef",
    email_verified: true,
    status: "active",
    status_message: " ",
    team: token.team ?? TEAM,
  };
}

function allows(token: SandboxToken, scope: string): boolean {
  const scopes = token.scopes ?? ["read", "write"];
  return scopes.includes(scope) || scopes.includes("read") || scopes.includes("write");
}

function problem(status: number, id: string, message: string) {
  return { status, body: { id, message, request_id: "4d9d8375-3c56-4925-a3e7-eb137fed17e9" } };
}

function sendJson(response: ServerResponse, answer: { status: number; body: object }): void {
  send(response, {
    status: answer.status,
    headers: { "content-type": "application/json; charset=utf-8" },
    body: JSON.stringify(answer.body),
  });
}

function send(response: ServerResponse, reply: SandboxReply): void {
  if (reply === "hang") return;
  if (reply === "disconnect") {
    response.destroy();
    return;
  }
  response.writeHead(reply.status, reply.headers);
  response.end(reply.body);
}
