// Items are chosen by strangers. Were positions computable by them, ten ground messages would make a chosen eleventh look
// seen (Gerbet, Kumar, Lauradoux: "The power of evil choices in Bloom filters", DSN 2015); a keyed PRF denies them that.
import { BloomError } from "./errors.ts";
import { SIP_KEY_BYTES, type SipKey, sipHash, sipKey } from "./siphash.ts";

/** SipHash-1-3 under a secret key. */
export class ItemHasher {
  readonly #key: SipKey;
  /** Two words of the item hashed last; valid until the next. */
  readonly words: Int32Array = new Int32Array(2);

  constructor(key: Uint8Array) {
    if (!(key instanceof Uint8Array) || key.length !== SIP_KEY_BYTES) {
      throw new BloomError("E_BLOOM_KEY", `key must be a Uint8Array of ${SIP_KEY_BYTES} bytes`);
    }
    this.#key = sipKey(key);
  }

  hash(item: Uint8Array): Int32Array {
    sipHash(this.#key, item, this.words, 1, 3);
    return this.words;
  }
}
