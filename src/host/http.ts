import type { RequestOptions } from "node:https";
import { AppError } from "../errors/app-error.ts";
import { proxyFor } from "../lib/proxy.ts";
import type { Environment, HttpAnswer, HttpRequest } from "./host.ts";

/** The answers that we expect are a few hundred bytes. */
const MAX_BODY_BYTES = 1024 * 1024;
/** Includes the overhead of the chunked encoding. */
const MAX_RECEIVED_BYTES = 4 * MAX_BODY_BYTES;
/** Status 102 and 103, before the answer itself. */
const MOST_INTERIM = 20;

const FORM = "application/x-www-form-urlencoded";

/**
 * Sends one request with node:https, which starts 200 ms faster than fetch on Node 20. HTTPS_PROXY and NO_PROXY apply
 * to https. Plain http is for loopback only, and never uses a proxy.
 *
 * @param env contains the proxy variables.
 * @throws AppError INTERRUPTED when `interrupted` fires first.
 */
export async function send(
  { url, method, form, body, headers, timeoutMs }: HttpRequest,
  { env, interrupted }: { readonly env: Environment; readonly interrupted: AbortSignal },
): Promise<HttpAnswer> {
  let agent: RequestOptions["agent"];
  let variable: string | undefined;
  const ofProxy = (detail: string): HttpAnswer => {
    return { kind: "failure", why: "proxy", detail, ...(variable && { variable }) };
  };
  if (url.protocol === "https:") {
    const proxy = proxyFor(url, env);
    variable = proxy?.variable;
    if (proxy !== undefined && proxy.url === undefined) return ofProxy("it is not usable");
    if (proxy?.url !== undefined) {
      const { HttpsProxyAgent } = await import("https-proxy-agent");
      agent = new HttpsProxyAgent(proxy.url);
    }
  }
  const timeout = AbortSignal.timeout(timeoutMs);
  const signal = AbortSignal.any([timeout, interrupted]);
  const { request: open } =
    url.protocol === "https:" ? await import("node:https") : await import("node:http");

  return new Promise((resolve, reject) => {
    const request = open(
      url,
      {
        method: method ?? (form === undefined ? "GET" : "POST"),
        headers: form === undefined ? headers : { ...headers, "Content-Type": FORM },
        signal,
        ...(agent === undefined ? {} : { agent }),
      },
      (response) => {
        // Copied, not kept: even a chunk of one byte keeps the whole received buffer in memory.
        const received = Buffer.allocUnsafe(MAX_BODY_BYTES);
        const before = response.socket.bytesRead;
        let size = 0;
        response.on("data", (chunk: Buffer) => {
          chunk.copy(received, size);
          size += chunk.length;
          const isTooLarge = response.socket.bytesRead - before > MAX_RECEIVED_BYTES;
          if (size > MAX_BODY_BYTES || isTooLarge) endless();
        });
        response.on("end", () =>
          resolve({
            kind: "answer",
            status: response.statusCode ?? 0,
            contentType: response.headers["content-type"] ?? "",
            body: received.toString("utf8", 0, size),
          }),
        );
        response.on("error", fail);
      },
    );
    request.on("error", fail);
    let interim = 0;
    request.on("information", () => {
      // Stop reading, so that the request times out.
      if (++interim > MOST_INTERIM) request.socket?.pause();
    });
    // We did not ask for another protocol. Without a listener, the request would never end.
    request.on("upgrade", (_, socket) => {
      socket.destroy();
      resolve({ kind: "failure", why: "closed", detail: "it changed the protocol" });
    });
    // Otherwise the agent would return the proxy's refusal as if it were DigitalOcean's answer.
    request.on("proxyConnect", ({ statusCode }: { statusCode: number }) => {
      if (statusCode === 200) return;
      resolve(ofProxy(`the proxy answers ${statusCode}`));
      request.destroy();
    });
    request.end(form === undefined ? body : new URLSearchParams(form).toString());

    function endless(): void {
      resolve({ kind: "failure", why: "too-large", detail: "more than 1 MB" });
      request.destroy();
    }
    function fail(error: unknown): void {
      if (interrupted.aborted) reject(new AppError("INTERRUPTED", "Interrupted."));
      else if (timeout.aborted) {
        resolve({ kind: "failure", why: "timeout", detail: `${timeoutMs / 1000} s` });
      } else resolve(failureOf(error, agent === undefined ? undefined : ofProxy));
    }
  });
}

function failureOf(error: unknown, ofProxy?: (detail: string) => HttpAnswer): HttpAnswer {
  const { code = "", message } = error as NodeJS.ErrnoException;
  const detail = code === "" ? message : code;
  if (ofProxy && !/CERT|TLS|SSL/.test(code)) return ofProxy(detail);
  if (code === "ECONNREFUSED") return { kind: "failure", why: "refused", detail };
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") return { kind: "failure", why: "dns", detail };
  if (/CERT|TLS|SSL/.test(code)) return { kind: "failure", why: "tls", detail };
  if (code === "HPE_HEADER_OVERFLOW") return { kind: "failure", why: "headers", detail };
  return { kind: "failure", why: "closed", detail };
}
