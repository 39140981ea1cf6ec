/** Permission bits in the format of `chmod`: "0600". */
export function modeText(mode: number): string {
  return (mode & 0o7777).toString(8).padStart(4, "0");
}
