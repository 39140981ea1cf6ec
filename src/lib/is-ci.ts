/** True in a pipeline: nobody can be asked there, and no secret belongs on its disk. */
export function isCi(env: Readonly<Record<string, string | undefined>>): boolean {
  return !/^(|0|false)$/i.test(env["CI"] ?? "");
}
