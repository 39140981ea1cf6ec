/**
 * A set of hashes in binary, for millions of them: 20 bytes a hash, and 8 for its place. The hashes are random, so their
 * first bytes serve as the key of the table.
 */
export class IdSet {
  /** Of one hash, in bytes. */
  readonly width: number;
  #bytes: Buffer;
  #count = 0;
  /** The number of a hash in `#bytes`, plus 1. */
  #table: Int32Array;

  constructor(width: number, room = 1024) {
    this.width = width;
    this.#bytes = Buffer.allocUnsafe(room * width);
    this.#table = tableFor(room);
  }

  /** @param bytes hashes, one after the other. */
  static of(bytes: Buffer, width: number): IdSet {
    const set = new IdSet(width, Math.max(1, Math.floor(bytes.length / width)));
    for (let at = 0; at + width <= bytes.length; at += width) set.add(bytes, at);
    return set;
  }

  static fromHex(hashes: readonly string[], width: number): IdSet {
    return IdSet.of(Buffer.from(hashes.join(""), "hex"), width);
  }

  get size(): number {
    return this.#count;
  }

  has(from: Buffer, at = 0): boolean {
    return this.indexOf(from, at) >= 0;
  }

  /** How many hashes were added before this one; -1: it is not in the set. */
  indexOf(from: Buffer, at = 0): number {
    return (this.#table[this.#slotOf(from, at)] ?? 0) - 1;
  }

  add(from: Buffer, at = 0): void {
    const slot = this.#slotOf(from, at);
    if (this.#table[slot] !== 0) return;
    if ((this.#count + 1) * this.width > this.#bytes.length) {
      this.#grow();
      this.add(from, at);
      return;
    }
    from.copy(this.#bytes, this.#count * this.width, at, at + this.width);
    this.#table[slot] = ++this.#count;
  }

  /** The wanted hashes, one after the other. */
  select(isWanted: IsWanted): Buffer {
    const found = Buffer.allocUnsafe(this.#count * this.width);
    let end = 0;
    for (let at = 0; at < found.length; at += this.width) {
      if (isWanted(this.#bytes, at)) end += this.#bytes.copy(found, end, at, at + this.width);
    }
    return found.subarray(0, end);
  }

  /** The wanted hashes as git writes them, from one position to before another. */
  toHex(isWanted: IsWanted, from = 0, to = this.#count): readonly string[] {
    const found: string[] = [];
    for (let at = from * this.width; at < to * this.width; at += this.width) {
      if (isWanted(this.#bytes, at)) found.push(this.#bytes.toString("hex", at, at + this.width));
    }
    return found;
  }

  /** The slot with this hash, or the free one for it. */
  #slotOf(from: Buffer, at: number): number {
    const mask = this.#table.length - 1;
    for (let slot = from.readUInt32LE(at) & mask; ; slot = (slot + 1) & mask) {
      const known = ((this.#table[slot] ?? 0) - 1) * this.width;
      if (known < 0) return slot;
      if (this.#bytes.compare(from, at, at + this.width, known, known + this.width) === 0) {
        return slot;
      }
    }
  }

  #grow(): void {
    const larger = new IdSet(this.width, this.#count * 2);
    for (let i = 0; i < this.#count; i++) larger.add(this.#bytes, i * this.width);
    this.#bytes = larger.#bytes;
    this.#table = larger.#table;
  }
}

/** Gets a hash as a place in some bytes. */
export type IsWanted = (bytes: Buffer, at: number) => boolean;

/** At most half full. */
function tableFor(count: number): Int32Array {
  return new Int32Array(2 ** Math.ceil(Math.log2(count * 2 + 1)));
}
