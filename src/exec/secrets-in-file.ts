import { isRecord, jsonIn } from "../lib/json.ts";
import { secretsOf } from "../secret/named.ts";
import { readEnvFile } from "./read-env-file.ts";

/**
 * The secrets in an env file or a file of Terraform variable values. The parser is not loaded: in HCL, only strings on
 * one line are read, and no heredocs.
 */
export function secretsInFile(path: string, text: string): readonly string[] {
  if (path.endsWith(".json")) return secretsInJson(jsonIn(text), isSecretTfvars(path));
  const isTfvars = path.endsWith(".tfvars");
  const pairs = isTfvars ? assignmentsIn(text) : [...readEnvFile(text)];
  return pairs.flatMap(([name, value]) => secretsOf(name, value));
}

function isSecretTfvars(path: string): boolean {
  return path.endsWith(".secret.auto.tfvars.json");
}

/** @param isSecret every string in it is a secret, whatever its name. */
function secretsInJson(value: unknown, isSecret: boolean, name = ""): readonly string[] {
  if (typeof value === "string") {
    const secrets = secretsOf(name, value);
    return isSecret ? [value, ...secrets] : secrets;
  }
  if (Array.isArray(value)) return value.flatMap((each) => secretsInJson(each, isSecret, name));
  if (!isRecord(value)) return [];
  return Object.entries(value).flatMap(([key, each]) => secretsInJson(each, isSecret, key));
}

const ASSIGNMENT = /([\w-]+)"?[ \t]{0,99}[=:][ \t]{0,99}("(?:[^"\\\n]|\\.)*")/g;

function assignmentsIn(text: string): [name: string, value: string][] {
  return Array.from(text.matchAll(ASSIGNMENT), ([, name = "", literal = ""]) => {
    const value = jsonIn(literal);
    return [name, typeof value === "string" ? value : literal.slice(1, -1)];
  });
}
