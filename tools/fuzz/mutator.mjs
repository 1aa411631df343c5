// Makes inputs out of good ones, the same ones for the same seed.

/** A stream of unsigned 32-bit integers (sfc32). */
function randomFrom(seed) {
  let [a, b, c, counter] = [0x9e3779b9, 0x243f6a88, seed >>> 0, Math.floor(seed / 2 ** 32) + 1];
  const next = () => {
    const sum = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    return sum >>> 0;
  };
  for (let i = 0; i < 16; i += 1) next();
  return next;
}

/** One seed for each target, so that none changes another's inputs. */
export function seedFor(seed, name) {
  let hash = 0x811c9dc5 ^ seed;
  for (const character of name) hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193);
  return hash >>> 0;
}

const EDGES = [0, 1, 2, 4, 7, 8, 15, 16, 31, 32, 63, 64, 65, 127, 128, 129, 0xfe, 0xff];
const EDGES_16 = [0, 1, 0x7f, 0x80, 0xff, 0x100, 0x4000, 0x7fff, 0x8000, 0xea60, 0xea61, 0xffff];
/** Inputs that were accepted become stock for further ones, up to this many a target. */
const FOUND_MAX = 256;
const MARGIN_BYTES = 24;

export class Mutator {
  #random;
  #corpus;
  #found = [];
  #maxBytes;
  #buffer;

  /** `maxBytes` bounds what is made; some of it is longer than any good input, to be refused. */
  constructor(corpus, seed, maxBytes) {
    this.#random = randomFrom(seed);
    this.#corpus = corpus;
    this.#maxBytes = maxBytes;
    this.#buffer = new Uint8Array(maxBytes + 2 * MARGIN_BYTES);
  }

  /** The next input; a view that holds until the next call, at an offset, so that a forgotten byteOffset shows. */
  next() {
    const offset = this.#below(MARGIN_BYTES);
    const target = this.#buffer.subarray(offset, offset + this.#maxBytes);
    const size = this.#below(16) === 0 ? this.#noise(target) : this.#mutant(target);
    return target.subarray(0, size);
  }

  /** The input was taken for good. */
  keep(input) {
    const slot = this.#found.length < FOUND_MAX ? this.#found.length : this.#below(4 * FOUND_MAX);
    if (slot < FOUND_MAX) this.#found[slot] = input.slice();
  }

  #noise(target) {
    const size = this.#below(1 + (this.#below(4) === 0 ? this.#maxBytes : Math.min(96, this.#maxBytes)));
    for (let i = 0; i < size; i += 1) target[i] = this.#random();
    return size;
  }

  #mutant(target) {
    const source = this.#pick();
    let size = Math.min(source.length, this.#maxBytes);
    target.set(source.subarray(0, size));
    // One change in most cases: a decoder is to get past its first check.
    for (let changes = this.#below(3) === 0 ? 1 + this.#below(6) : 1; changes > 0; changes -= 1) {
      size = this.#change(target, size);
    }
    return size;
  }

  #pick() {
    const found = this.#found.length > 0 && this.#below(2) === 0;
    const stock = found ? this.#found : this.#corpus;
    return stock[this.#below(stock.length)];
  }

  #change(target, size) {
    const at = this.#below(Math.max(1, size));
    switch (this.#below(10)) {
      case 0:
        target[at] ^= 1 << this.#below(8);
        return size;
      case 1:
        target[at] = this.#random();
        return size;
      case 2:
      case 3:
        target[at] = EDGES[this.#below(EDGES.length)];
        return size;
      case 4: {
        const value = EDGES_16[this.#below(EDGES_16.length)];
        target[at] = value >> 8;
        if (at + 1 < size) target[at + 1] = value;
        return size;
      }
      case 5:
        return at;
      case 6: {
        const more = Math.min(1 + this.#below(this.#below(8) === 0 ? this.#maxBytes : 16), this.#maxBytes - size);
        for (let i = 0; i < more; i += 1) target[size + i] = this.#below(2) === 0 ? 0 : this.#random();
        return size + more;
      }
      case 7: {
        const gone = Math.min(1 + this.#below(16), size - at);
        target.copyWithin(at, at + gone, size);
        return size - gone;
      }
      case 8: {
        const twice = Math.min(1 + this.#below(48), size - at, this.#maxBytes - size);
        target.copyWithin(at + twice, at, size);
        return size + twice;
      }
      default: {
        const other = this.#pick();
        const from = this.#below(Math.max(1, other.length));
        const piece = other.subarray(
          from,
          Math.min(other.length, from + 1 + this.#below(64), from + this.#maxBytes - at),
        );
        target.set(piece, at);
        return Math.max(size, at + piece.length);
      }
    }
  }

  #below(limit) {
    return limit <= 1 ? 0 : this.#random() % limit;
  }
}
