/** True in CI: nobody can be asked there, and no secret should be on its disk. */
export function isCi(env: Readonly<Record<string, string | undefined>>): boolean {
  return !/^(|0|false)$/i.test(env["CI"] ?? "");
}
