/** How a token begins in base64, by where in the text it stands, and what follows. */
const IN_BASE64 =
  /(?:ZG9[wvy]X3YxX[z2]|(?:cF92|b192|cl92)MV[89]|(?:b3Bf|b29f|b3Jf)djFf)[\w+/-]{20,}/g;

/**
 * The second line of defence behind `Secret`: whatever looks like a DigitalOcean token
 * (contracts/api.md §6), also as a URL, JSON or base64 has it, is replaced in text on its way out.
 */
export function redact(text: string): string {
  return text
    .replace(/(do[opr])(?:_|%5f|\\+u005f)v1(?:_|%5f|\\+u005f)[0-9a-f]{8,}/gi, "$1_v1_[redacted]")
    .replace(IN_BASE64, "[redacted]")
    .replace(/(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])/gi, "[redacted]");
}
