/**
 * SHA-256 in hex. node:crypto takes 2 ms to load, which would slow down `exec` and `env`, so it is loaded only when
 * needed.
 */
export function sha256(text: string | Uint8Array): string {
  return process.getBuiltinModule("node:crypto").createHash("sha256").update(text).digest("hex");
}

/**
 * SHA-256 of a short text without node:crypto, since `exec` compares a digest before each command. It runs once, before
 * V8 has compiled it, so there are no small functions in the loop.
 */
export function quickSha256(text: string): string {
  const bytes = Buffer.from(text);
  const words = new Int32Array(Math.ceil((bytes.length + 9) / 64) * 16);
  const put = (byte: number, at: number) => {
    words[at >> 2] = (words[at >> 2] ?? 0) | (byte << (24 - (at & 3) * 8));
  };
  bytes.forEach(put);
  put(0x80, bytes.length);
  words[words.length - 1] = bytes.length * 8;
  // The standard's constants are computed from primes: a list of them would not compress.
  const first = primes();
  const factors = first.map((prime) => fraction(Math.cbrt(prime)));
  let state = Int32Array.from(first.slice(0, 8), (prime) => fraction(Math.sqrt(prime)));
  for (let at = 0; at < words.length; at += 16) {
    state = next(state, words.subarray(at, at + 16), factors);
  }
  return Array.from(state, (word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
}

/** FIPS 180-4, 6.2.2. */
function next(state: Int32Array, block: Int32Array, factors: readonly number[]) {
  const w = new Int32Array(64);
  w.set(block);
  let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = state;
  for (let i = 0; i < 64; i++) {
    if (i >= 16) {
      const x = w[i - 15] ?? 0;
      const y = w[i - 2] ?? 0;
      const ofX = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
      const ofY = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
      w[i] = (w[i - 16] ?? 0) + ofX + (w[i - 7] ?? 0) + ofY;
    }
    const ofE = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const ofA = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const one = h + ofE + ((e & f) ^ (~e & g)) + (factors[i] ?? 0) + (w[i] ?? 0);
    const two = ofA + ((a & b) ^ (a & c) ^ (b & c));
    h = g;
    g = f;
    f = e;
    e = (d + one) | 0;
    d = c;
    c = b;
    b = a;
    a = (one + two) | 0;
  }
  return Int32Array.from([a, b, c, d, e, f, g, h], (word, i) => word + (state[i] ?? 0));
}

/** The first 64 primes. */
function primes(): number[] {
  const all: number[] = [];
  for (let n = 2; all.length < 64; n++) if (isPrime(n)) all.push(n);
  return all;
}

function isPrime(n: number): boolean {
  for (let divisor = 2; divisor * divisor <= n; divisor++) if (n % divisor === 0) return false;
  return true;
}

/** The first 32 bits of the fractional part. */
function fraction(root: number): number {
  return ((root % 1) * 2 ** 32) | 0;
}
