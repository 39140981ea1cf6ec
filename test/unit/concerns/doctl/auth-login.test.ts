import { expect, it } from "vitest";
import { browserFrom, canLogIn, stepBefore } from "../../../../src/concerns/doctl/auth-login.ts";

const SSH = { SSH_CONNECTION: "10.0.0.9 5022 10.0.0.7 22", USER: "sammy" };
const asked = { isPrinted: false, port: undefined };

it.each([
  ["a display", "linux", { DISPLAY: ":0" }, asked, { isPrinted: false, port: undefined }],
  ["no display", "linux", {}, asked, { isPrinted: true, port: undefined }],
  ["a Mac", "darwin", {}, asked, { isPrinted: false, port: undefined }],
  ["an SSH session", "linux", { ...SSH, DISPLAY: ":10" }, asked, { isPrinted: true, port: 49190 }],
  ["an SSH session to a Mac", "darwin", SSH, asked, { isPrinted: true, port: 49190 }],
  ["a requested port", "linux", SSH, { ...asked, port: 8000 }, { isPrinted: true, port: 8000 }],
  [
    "a printed URL",
    "linux",
    { DISPLAY: ":0" },
    { ...asked, isPrinted: true },
    { isPrinted: true, port: undefined },
  ],
] as const)(
  "chooses how the login URL gets to a browser: %s",
  (_, platform, env, how, expected) => {
    expect(browserFrom({ env, platform }, how)).toEqual(expected);
  },
);

it.each([
  ["an SSH session", SSH, "ssh -N -L 49190:127.0.0.1:49190 sammy@10.0.0.7"],
  [
    "an SSH session without a user name",
    { SSH_CONNECTION: SSH.SSH_CONNECTION },
    "ssh -N -L 49190:127.0.0.1:49190 10.0.0.7",
  ],
  ["a display", { DISPLAY: ":0" }, undefined],
])("the command to run before the login: %s", (_, env, command) => {
  const machine = { env, platform: "linux" } as const;
  expect(stepBefore(machine, browserFrom(machine, asked))?.command).toBe(command);
});

it.each([
  ["doctl 2.5", "      --scopes string   A list", true],
  ["a development build", "      --scope string   A scope", false],
  ["doctl 1.x, which prints the help for auth", "Available Commands:\n  init", false],
])("detects whether doctl can log in: %s", async (_, stdout, can) => {
  const host = {
    env: {},
    clock: { now: () => 0, sleep: async () => {} },
    records: { recall: () => undefined, keep: () => {} },
    run: async () => ({ end: "exited", exitCode: 0, stdout, stderr: "" }) as const,
  };
  expect(await canLogIn(host, { path: "/bin/doctl", program: undefined })).toBe(can);
  expect(await canLogIn(host, { path: undefined, program: undefined })).toBe(false);
});
