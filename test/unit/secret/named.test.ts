import { describe, expect, it } from "vitest";
import { secretsInFile } from "../../../src/exec/secrets-in-file.ts";
import { secretsOf } from "../../../src/secret/named.ts";
import { PERSONAL } from "../samples.ts";

describe("the secrets in a variable", () => {
  it.each<[name: string, value: string, secrets: string[]]>([
    ["API_KEY", "abc", ["abc"]],
    ["API_KEY", "", []],
    ["REGION", "nyc3", []],
    ["WHATEVER", PERSONAL, [PERSONAL]],
    ["PWD", "/home/me", []],
    ["OLDPWD", "/home/me", []],
    ["DB_PWD", "abc", ["abc"]],
    ["SSH_AUTH_SOCK", "/run/ssh", []],
    ["PASSWORD_FILE", "/run/secrets/x", []],
    ["GIT_AUTHOR_NAME", "Mary", []],
    ["HTTP_AUTHORIZATION", "Basic abc", ["Basic abc"]],
    ["XKB_KEYMAP", "de", []],
    ["URL", "postgres://u:p4ss@h/db", ["postgres://u:p4ss@h/db", "p4ss"]],
    ["URL", "redis://:p%2Fw@h", ["redis://:p%2Fw@h", "p%2Fw", "p/w"]],
    ["URL", "amqp://u:p@ss@h/x", ["amqp://u:p@ss@h/x", "p@ss"]],
    [
      "URL",
      "https://0123456789abcdef@sentry.example/1",
      ["https://0123456789abcdef@sentry.example/1", "0123456789abcdef"],
    ],
    ["URL", "https://git@host/x", []],
    ["URL", "https://host:8080/a@b", []],
    ["URL", "u:p4ss@tcp(h:3306)/db", ["u:p4ss@tcp(h:3306)/db", "p4ss"]],
    ["URL", "host=h password=p4ss", ["host=h password=p4ss", "p4ss"]],
    ["URL", "Server=h;Password='a b';", ["Server=h;Password='a b';", "a b"]],
    ["URL", "https://h/?api_key=p4ss&x=1", ["https://h/?api_key=p4ss&x=1", "p4ss"]],
    ["ACCOUNT", '{"private_key":"abc","id":"x"}', ['{"private_key":"abc","id":"x"}', "abc"]],
  ])("%s=%s", (name, value, secrets) => {
    expect([...new Set(secretsOf(name, value))]).toEqual(secrets);
  });
});

describe("the secrets in a file", () => {
  it.each<[path: string, text: string, secrets: string[]]>([
    [".env.prod", "A_TOKEN=abc\nREGION=nyc3\n", ["abc"]],
    ["x.tfvars", 'db_password = "a\\"b"\nregion = "nyc3"\n', ['a"b']],
    ["x.tfvars", 'db = { "password" : "abc", user = "u" }', ["abc"]],
    ["x.tfvars.json", '{"db": {"password": "abc", "user": "u"}}', ["abc"]],
    ["x.tfvars.json", '{"api_keys": ["abc", "def"]}', ["abc", "def"]],
    ["a.secret.auto.tfvars.json", '{"anything": ["abc"], "n": 1}', ["abc"]],
    ["x.tfvars.json", "{", []],
  ])("%s: %s", (path, text, secrets) => {
    expect(secretsInFile(path, text)).toEqual(secrets);
  });
});
