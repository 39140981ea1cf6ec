import { safe } from "../secret/safe.ts";
import type { Host } from "./host.ts";

/**
 * A host that logs what it is asked, for --debug: paths, requests and tools, with the time in ms. Does not log bodies,
 * headers, environments, or the argument of a token option.
 */
export function traced(host: Host, say: (text: string) => void): Host {
  const start = host.steadyClock.now();
  const line = (text: string) =>
    say(`[${Math.round(host.steadyClock.now() - start)} ms] ${safe(text)}\n`);

  return {
    ...host,
    files: {
      ...host.files,
      async look(path, options) {
        const snapshot = await host.files.look(path, options);
        const size = "bytes" in snapshot ? `, ${snapshot.bytes.length} bytes` : "";
        line(`look ${path}: ${snapshot.kind}${size}`);
        return snapshot;
      },
      async replace(before, bytes, mode) {
        const undo = await host.files.replace(before, bytes, mode);
        line(`write ${before.target}: ${bytes.length} bytes, mode ${mode.toString(8)}`);
        return undo;
      },
    },
    async http(request) {
      const answer = await host.http(request);
      const what = answer.kind === "answer" ? answer.status : `${answer.why} (${answer.detail})`;
      const method = request.method ?? (request.form === undefined ? "GET" : "POST");
      line(`${method} ${request.url.origin}${request.url.pathname}: ${what}`);
      return answer;
    },
    async run(call) {
      const result = await host.run(call);
      const args = call.args.map((arg, i) =>
        call.args[i - 1] === "--access-token" ? "[redacted]" : arg,
      );
      line(`run ${call.file} ${args.join(" ")}: ${result.end} ${result.exitCode ?? ""}`.trimEnd());
      return result;
    },
  };
}
