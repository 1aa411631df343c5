// Items are chosen by strangers. Were positions computable by them, ten ground messages would make a chosen eleventh look
// seen (Gerbet, Kumar, Lauradoux: "The power of evil choices in Bloom filters", DSN 2015); a keyed PRF denies them that.
import { BloomError } from "./errors.ts";
import { SIP_KEY_BYTES, type SipKey, sipHash, sipKey } from "./siphash.ts";

/** SipHash-1-3 under a secret key. */
export class ItemHasher {
  readonly #key: SipKey;
  /** Two words of the item hashed last; valid until the next. */
  readonly words: Int32Array = new Int32Array(2);

  /** @throws BloomError `E_BLOOM_KEY` */
  constructor(key: Uint8Array) {
    if (!(key instanceof Uint8Array) || key.length !== SIP_KEY_BYTES) {
      throw new BloomError("E_BLOOM_KEY", `key must be a Uint8Array of ${SIP_KEY_BYTES} bytes`);
    }
    this.#key = sipKey(key);
  }

  /**
   * Bytes of any length and content are an item: what comes from the network does not throw.
   *
   * @throws BloomError `E_BLOOM_ITEM` if it is not a Uint8Array
   */
  hash(item: Uint8Array): Int32Array {
    if (!(item instanceof Uint8Array)) throw new BloomError("E_BLOOM_ITEM", "item must be a Uint8Array");
    sipHash(this.#key, item, this.words, 1, 3);
    return this.words;
  }

  /** What images are sealed with: a key of their own, drawn from this one by SipHash-2-4, which items never meet. */
  imageKey(): SipKey {
    const imageKey = new Int32Array(4);
    for (const half of [0, 1]) {
      sipHash(this.#key, Uint8Array.of(...IMAGE_LABEL, half), this.words, 2, 4);
      imageKey.set(this.words, 2 * half);
    }
    return imageKey;
  }
}

const IMAGE_LABEL: Uint8Array = new TextEncoder().encode("@starling/bloom image ");
