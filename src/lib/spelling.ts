/**
 * One file may have several spellings. A Mac's disk takes é as one character (NFC) and as two (NFD) for the same, and
 * keeps the one that the file was made with. git reads NFC there, whatever the disk has (core.precomposeunicode), and
 * its index may have either. Many disks also ignore case.
 */

/** The spellings that the git of one system or another reads from the disk for this path. */
export function spellingsOf(path: string): readonly string[] {
  return [...new Set([path, path.normalize("NFC")])];
}

/** The same for two spellings of one path. */
export function plainSpelling(path: string, ignoresCase: boolean): string {
  const composed = path.normalize("NFC");
  return ignoresCase ? composed.toLowerCase().normalize("NFC") : composed;
}

/** True for a path with more spellings than those of upper and lower case. */
export function hasAccents(path: string): boolean {
  return path.normalize("NFC") !== path || path.normalize("NFD") !== path;
}
