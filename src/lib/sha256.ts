/**
 * SHA-256 in hex. node:crypto takes 2 ms to load, which `exec` and `env` cannot spare: it is got when
 * a digest is asked for.
 */
export function sha256(text: string | Uint8Array): string {
  return process.getBuiltinModule("node:crypto").createHash("sha256").update(text).digest("hex");
}
