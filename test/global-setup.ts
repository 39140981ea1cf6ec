import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Suite, suiteIn } from "./fixtures/suite.ts";

/** What tests serve on this machine. */
const HOSTS = [
  ...["localhost", "api.github.com", "app.terraform.io", "tfe.acme.com"],
  ...["nyc3.digitaloceanspaces.com", "*.nyc3.digitaloceanspaces.com"],
];

/** @returns the cleanup at the end of the run. */
export default function setup(): () => void {
  build();
  // Short, since the path of a socket may have at most 107 characters.
  // Windows has a short name there (RUNNER~1), and messages show the long one.
  const folder = realpathSync.native(mkdtempSync(join(tmpdir(), "dob-")));
  const suite = suiteIn(folder, randomBytes(6).toString("hex"));
  const { tmp, home, newRepo, mark, certificate } = suite;
  for (const each of [tmp, home, newRepo]) mkdirSync(each);
  // Some tests run the program as another user.
  chmodSync(folder, 0o755);
  writeFileSync(join(folder, "mark"), mark);
  makeCertificate(suite);
  const init = ["init", "--quiet", "--initial-branch=main", "--template=", newRepo];
  const before = { ...process.env };
  // So that files left outside the tests' own folders are found at the end (test/reporter.ts).
  Object.assign(process.env, { SUITE_FOLDER: folder, TMPDIR: tmp, HOME: home });
  if (process.platform === "win32") {
    Object.assign(process.env, { TEMP: tmp, TMP: tmp, USERPROFILE: home });
  }
  // Node reads it at its start only, so it is set before the processes of the tests start.
  if (existsSync(certificate)) process.env["NODE_EXTRA_CA_CERTS"] = certificate;
  for (const name of Object.keys(before)) if (/^XDG_/.test(name)) delete process.env[name];
  execFileSync("git", init, { env: { ...process.env, GIT_CONFIG_NOSYSTEM: "1" } });
  return () => {
    process.env = before;
    rmSync(folder, { recursive: true, force: true });
  };
}

/** Builds the program if the source is newer, since end-to-end tests run the published build. */
function build(): void {
  const built = statSync("dist/bin.cjs", { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const sources = readdirSync("src", { recursive: true, encoding: "utf8" });
  const inputs = [...sources.map((name) => join("src", name)), "esbuild.config.mjs"];
  if (inputs.every((path) => statSync(path).mtimeMs < built)) return;
  execFileSync(process.execPath, ["esbuild.config.mjs"], { stdio: "inherit" });
}

/** Makes the certificate of a run of the suite, valid for a day; nothing without openssl. */
function makeCertificate({ certificate, certificateKey }: Suite): void {
  const form = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const names = `subjectAltName=${HOSTS.map((host) => `DNS:${host}`).join(",")}`;
  const subject = ["-subj", "/CN=localhost", "-days", "1", "-addext", names];
  const files = ["-keyout", certificateKey, "-out", certificate];
  try {
    execFileSync("openssl", ["req", "-x509", ...form, ...subject, ...files], { stdio: "ignore" });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}
