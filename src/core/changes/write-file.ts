import { dirname } from "node:path";
import type { Snapshot } from "../../host/host.ts";
import { modeText } from "../../lib/mode-text.ts";
import { type Content, content, editedText, encode, holdsSecret } from "../../secret/content.ts";
import type { ApplyContext, Change, Difference, Stage } from "../change.ts";
import { contentAt } from "../file-text.ts";

/** What one concern changes in a file. */
export interface FileEdit {
  readonly before: Snapshot;
  /** Gets the content that the file will have by then: another concern may have edited it first. */
  readonly edit: (now: Content) => Content;
  /** `before` as it may be shown; absent where it holds no secret. */
  readonly shownBefore?: Content;
  /** Permission bits. Absent: unchanged, or 0644 for a new file. */
  readonly mode?: number;
  readonly why: string;
  /** Removes a token or its protection. */
  readonly takesAway?: boolean;
}

/** One atomic write with all edits that concerns make to a file. */
export class WriteFile implements Change {
  readonly before: Snapshot;
  readonly after: Content;
  readonly mode: number;
  readonly why: string;
  readonly stage: Stage;
  readonly folder: string;
  readonly #edits: readonly FileEdit[];
  readonly #shownBefore: Content;

  constructor(...edits: readonly [FileEdit, ...FileEdit[]]) {
    const [{ before }] = edits;
    const current = (before.kind === "file" ? before.mode : undefined) ?? 0o644;
    const modes = edits.flatMap(({ mode }) => mode ?? []);
    this.#edits = edits;
    this.#shownBefore =
      edits.find(({ shownBefore }) => shownBefore)?.shownBefore ?? contentAt(before);
    this.before = before;
    this.after = edits.reduce((now, { edit }) => edit(now), contentAt(before));
    // If one edit adds a secret, its narrower mode wins.
    this.mode = modes.length === 0 ? current : modes.reduce((all, mode) => all & mode);
    this.why = [...new Set(edits.map(({ why }) => why))].join("; ");
    this.folder = dirname(before.target);
    const putsSecret = holdsSecret(this.after) ? "secret" : "open";
    this.stage = edits.every(({ takesAway }) => takesAway) ? "removal" : putsSecret;
  }

  /** Both edits in one write. */
  with(other: WriteFile): WriteFile {
    const [first, ...more] = [...this.#edits, ...other.#edits];
    return first === undefined ? this : new WriteFile(first, ...more);
  }

  get label(): string {
    return this.before.path;
  }

  get file(): string {
    return this.before.path;
  }

  get sign(): Change["sign"] {
    return this.before.kind === "absent" ? "+" : "~";
  }

  get isForClones(): boolean {
    return !holdsSecret(this.after) && !holdsSecret(this.#shownBefore);
  }

  get secretAt(): string | undefined {
    return holdsSecret(this.after) ? this.before.target : undefined;
  }

  diff(): Difference {
    const { before, after, mode } = this;
    const shown = { before: this.#shownBefore, after };
    const old = before.kind === "file" ? before.mode : undefined;
    return old === undefined ? shown : { ...shown, modes: [old, mode] };
  }

  json(): object {
    return {
      kind: this.before.kind === "absent" ? "create" : "change",
      path: this.before.path,
      mode: modeText(this.mode),
      holdsSecret: holdsSecret(this.after),
      why: this.why,
    };
  }

  apply({ host, step }: ApplyContext): Promise<void> {
    return step(host.files.replace(this.before, encode(this.after), this.mode));
  }
}

/** Writes a whole text without a secret. The mode is unchanged. */
export function writeText(before: Snapshot, text: string, why: string): WriteFile {
  return new WriteFile({ before, edit: () => content(text), why });
}

/** Edits a text and adds no secret. The mode is unchanged. */
export function editText(before: Snapshot, edit: (text: string) => string, why: string): WriteFile {
  return new WriteFile({ before, edit: (now) => editedText(now, edit), why });
}

/** Merges the edits that several concerns make to one file into one write, in the position of the first. */
export function folded(changes: readonly Change[]): readonly Change[] {
  const byPlace = new Map<string | Change, Change>();
  for (const change of changes) {
    const isWrite = change instanceof WriteFile;
    const place = isWrite ? change.before.target : change;
    const known = byPlace.get(place);
    byPlace.set(place, isWrite && known instanceof WriteFile ? known.with(change) : change);
  }
  return [...byPlace.values()];
}
