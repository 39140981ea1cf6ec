import { remember } from "../secret/known.ts";
import { Secret } from "../secret/secret.ts";
import { holdsToken, isLegacyToken } from "../secret/token-form.ts";
import type { Expression } from "./syntax.ts";

/** Settings with a secret value, in Terraform's backends, a cloud block, and our provider. */
const SECRET_SETTINGS = new Set([
  ...["access_key", "secret_key", "secret_id", "token", "session_token", "security_token"],
  ...["access_token", "sas_token", "client_secret", "password", "encryption_key"],
  ...["sse_customer_key", "web_identity_token", "spaces_access_id", "spaces_secret_key"],
]);

export function isSecretSetting(name: string): boolean {
  return SECRET_SETTINGS.has(name);
}

/** An expression as the parser returns it. */
export interface Written extends Omit<Expression, "literal"> {
  readonly literal: string | number | boolean | null | undefined;
}

/**
 * Hides the secrets in an expression: a token anywhere, and any string in a secret setting. The result contains a
 * Secret instead. All parsers return their expressions through this function.
 *
 * @param name of the attribute or field; undefined: a list element.
 */
export function conceal(name: string | undefined, written: Written): Expression {
  const { literal, source, fields, items, place } = written;
  if (typeof literal === "string" && literal !== "") {
    const isSecret = name !== undefined && isSecretSetting(name);
    if (isSecret || holdsToken(literal) || isLegacyToken(literal)) {
      if (isSecret) remember(literal);
      const secret = Secret.of(literal, { kind: "code", path: place.file });
      return { ...written, literal: secret, source: "" };
    }
  }
  const isHidden =
    holdsToken(source) ||
    (items?.some(holdsSecret) ?? false) ||
    (fields !== undefined && [...fields.values()].some(holdsSecret));
  return isHidden ? { ...written, source: "" } : written;
}

function holdsSecret({ source }: Expression): boolean {
  return source === "";
}
