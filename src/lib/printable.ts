/** Text of others (files, servers, tools) with control characters shown instead of obeyed. */
export function printable(text: string): string {
  return text.replace(
    // C0 and C1 controls, and the marks that reorder a line.
    /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g,
    (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
}
