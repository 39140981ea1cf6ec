/** Escapes every UTF-16 unit, as JSON and JavaScript do. */
export function unicodeEscapes(text: string): string {
  return text
    .split("")
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
    .join("");
}
