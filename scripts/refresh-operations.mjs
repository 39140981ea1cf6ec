// @ts-check
// Brings src/scopes/data/operations.json up to a checkout of digitalocean/openapi, and says what changed.
// Exits with 0, with 1 where --check finds a change, and with 2 on an error.
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { refresh } from "./operations/refresh.mjs";

try {
  const { values, positionals } = parseArgs({
    options: { check: { type: "boolean", default: false } },
    allowPositionals: true,
  });
  const [checkout, ...rest] = positionals;
  if (checkout === undefined || rest.length > 0)
    throw new Error("usage: npm run data -- PATH_TO_OPENAPI [--check]");
  const folder = fileURLToPath(new URL("../src/scopes/data", import.meta.url));
  const { report, isChanged } = refresh({ checkout, folder, isCheck: values.check });
  process.stdout.write(report);
  process.exitCode = values.check && isChanged ? 1 : 0;
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 2;
}
