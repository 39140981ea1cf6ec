import type { Facts } from "../commands/init/observe.ts";
import { type Browser, stepBefore } from "../concerns/doctl/auth-login.ts";
import { unreadIn } from "../concerns/token/needed-scopes.ts";
import type { Environment } from "../host/host.ts";
import { wrap } from "../lib/wrap.ts";
import { safe } from "../secret/safe.ts";
import type { Page } from "./paint.ts";
import { scopeRows } from "./scopes.ts";

interface Asked {
  /** Empty: the person chooses them. */
  readonly scopes: readonly string[];
  readonly browser: Browser;
  readonly env: Environment;
}

/** What a person reads before doctl opens the browser: the scopes, and the lines of code that need them. */
export function loginText(facts: Facts, { scopes, browser, env }: Asked, page: Page): string {
  const { code } = facts.token;
  const { loginContext: context } = facts.config;
  const why = new Map(scopeRows(code).map((row) => [row.scope, row.why]));
  const width = Math.max(0, ...scopes.map((scope) => scope.length));
  const rows = scopes.map((scope) => {
    const reason = why.get(scope) ?? "shows which account the login belongs to";
    return `  ${page.paint("bold", scope.padEnd(width))}  ${page.paint("dim", safe(reason))}`;
  });
  const count = scopes.length === 1 ? "1 scope" : `${scopes.length} scopes`;
  const head =
    scopes.length === 0
      ? `doctl logs in to context ${context}. There is no Terraform code to derive scopes from, so choose them on DigitalOcean's page.`
      : `doctl logs in to context ${context}, with the ${count} that the code needs:`;
  const unread = scopes.length === 0 ? [] : unreadIn(code);
  const gaps = unread.length === 0 ? "" : `Not counted: ${unread.join("; ")}.`;
  const step = stepBefore({ env }, browser);
  const parts = [
    wrap(safe(head), page.columns).join("\n"),
    rows.join("\n"),
    wrap(safe(gaps), page.columns).join("\n"),
    ...(step === undefined
      ? []
      : [`${wrap(step.text, page.columns).join("\n")}\n  ${safe(step.command)}`]),
  ];
  return `${parts.filter(Boolean).join("\n\n")}\n\n`;
}
