import type { RequestOptions } from "node:https";
import { AppError } from "../errors/app-error.ts";
import type { HttpAnswer, HttpRequest } from "./host.ts";

/** The answers that we ask for are a few hundred bytes. */
const MAX_BODY_BYTES = 1024 * 1024;

const FORM = "application/x-www-form-urlencoded";

/**
 * One request by node:https, which starts 200 ms faster than fetch on Node 20. HTTPS_PROXY and NO_PROXY
 * are honoured for https; plain http goes to loopback only and never through a proxy.
 *
 * @throws AppError INTERRUPTED when `interrupted` fires first.
 */
export async function send(
  { url, method, form, body, headers, timeoutMs }: HttpRequest,
  interrupted: AbortSignal,
): Promise<HttpAnswer> {
  let agent: RequestOptions["agent"];
  if (url.protocol === "https:") {
    const proxied = await proxyAgent(url);
    if (proxied instanceof Error) {
      return { kind: "failure", why: "proxy", detail: proxied.message };
    }
    agent = proxied;
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
        const chunks: Buffer[] = [];
        let size = 0;
        response.on("data", (chunk: Buffer) => {
          chunks.push(chunk);
          size += chunk.length;
          if (size > MAX_BODY_BYTES) {
            resolve({ kind: "failure", why: "too-large", detail: "more than 1 MB" });
            request.destroy();
          }
        });
        response.on("end", () =>
          resolve({
            kind: "answer",
            status: response.statusCode ?? 0,
            contentType: response.headers["content-type"] ?? "",
            body: Buffer.concat(chunks).toString("utf8"),
          }),
        );
        response.on("error", fail);
      },
    );
    request.on("error", fail);
    // Nobody asked for another protocol; without a listener the request would never end.
    request.on("upgrade", (_, socket) => {
      socket.destroy();
      resolve({ kind: "failure", why: "closed", detail: "it changed the protocol" });
    });
    // The agent would hand on the proxy's refusal as if DigitalOcean had answered.
    request.on("proxyConnect", ({ statusCode }: { statusCode: number }) => {
      if (statusCode === 200) return;
      resolve({ kind: "failure", why: "proxy", detail: `the proxy answers ${statusCode}` });
      request.destroy();
    });
    request.end(form === undefined ? body : new URLSearchParams(form).toString());

    function fail(error: unknown): void {
      if (interrupted.aborted) reject(new AppError("INTERRUPTED", "Interrupted."));
      else if (timeout.aborted) {
        resolve({ kind: "failure", why: "timeout", detail: `${timeoutMs / 1000} s` });
      } else resolve(failureOf(error, agent !== undefined));
    }
  });
}

async function proxyAgent(url: URL): Promise<RequestOptions["agent"] | Error> {
  // Nothing is loaded where no proxy is named, which is nearly everywhere.
  if (!Object.keys(process.env).some((name) => /^(https|all)_proxy$/i.test(name))) return undefined;
  const { getProxyForUrl } = await import("proxy-from-env");
  const proxy = getProxyForUrl(url);
  if (proxy === "") return undefined;
  if (!/^https?:\/\//i.test(proxy)) return new Error("only http:// and https:// proxies are known");
  const { HttpsProxyAgent } = await import("https-proxy-agent");
  return new HttpsProxyAgent(proxy);
}

function failureOf(error: unknown, viaProxy: boolean): HttpAnswer {
  const { code = "", message } = error as NodeJS.ErrnoException;
  const detail = code === "" ? message : code;
  if (viaProxy && !/CERT|TLS|SSL/.test(code)) return { kind: "failure", why: "proxy", detail };
  if (code === "ECONNREFUSED") return { kind: "failure", why: "refused", detail };
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") return { kind: "failure", why: "dns", detail };
  if (/CERT|TLS|SSL/.test(code)) return { kind: "failure", why: "tls", detail };
  if (code === "HPE_HEADER_OVERFLOW") return { kind: "failure", why: "headers", detail };
  return { kind: "failure", why: "closed", detail };
}
