import { counterNonce } from "./nonce.ts";
import type { Cipher, Primitives } from "./primitives.ts";

// Noise §5.1 and §5.2: the SymmetricState with its CipherState. It changes in place, so old keys are overwritten by new
// ones; who reads a message that may be bad works on a copy and throws that away.

const HASH_BYTES = 32;
const NO_BYTES: Uint8Array = new Uint8Array(0);
/** For a key on its way into a cipher, which keeps its own copy. */
const keyScratch: Uint8Array = new Uint8Array(HASH_BYTES);

export class SymmetricState {
  readonly #primitives: Primitives;
  /** h */
  readonly #hash: Uint8Array = new Uint8Array(HASH_BYTES);
  /** ck */
  readonly #chainingKey: Uint8Array = new Uint8Array(HASH_BYTES);
  /** k; undefined before the first MixKey. */
  #cipher: Cipher | undefined;
  /** n. A handshake has a handful of messages, so it cannot overflow. */
  #counter = 0;

  constructor(primitives: Primitives) {
    this.#primitives = primitives;
  }

  /** InitializeSymmetric; names are at most 32 ASCII characters here, so they are padded and never hashed. */
  static start(primitives: Primitives, protocolName: string): SymmetricState {
    const state = new SymmetricState(primitives);
    for (let i = 0; i < protocolName.length; i++) state.#hash[i] = protocolName.charCodeAt(i);
    state.#chainingKey.set(state.#hash);
    return state;
  }

  copy(): SymmetricState {
    const copy = new SymmetricState(this.#primitives);
    copy.#hash.set(this.#hash);
    copy.#chainingKey.set(this.#chainingKey);
    copy.#cipher = this.#cipher;
    copy.#counter = this.#counter;
    return copy;
  }

  get hasKey(): boolean {
    return this.#cipher !== undefined;
  }

  /** A copy of h. */
  get hash(): Uint8Array {
    return Uint8Array.from(this.#hash);
  }

  mixHash(data: Uint8Array): void {
    this.#primitives.mixHash(this.#hash, data);
  }

  mixKey(secret: Uint8Array): void {
    this.#primitives.derivePair(this.#chainingKey, secret, keyScratch);
    this.#cipher = this.#primitives.createCipher(keyScratch);
    this.#counter = 0;
    keyScratch.fill(0);
  }

  encryptAndHash(plaintext: Uint8Array): Uint8Array {
    const bytes = this.#cipher?.seal(counterNonce(this.#counter), this.#hash, plaintext) ?? plaintext;
    this.#counter += 1;
    this.mixHash(bytes);
    return bytes;
  }

  /** undefined where the tag does not match; the state is of no use then. */
  decryptAndHash(ciphertext: Uint8Array): Uint8Array | undefined {
    const bytes =
      this.#cipher === undefined
        ? Uint8Array.from(ciphertext)
        : this.#cipher.open(counterNonce(this.#counter), this.#hash, ciphertext);
    if (bytes === undefined) return undefined;
    this.#counter += 1;
    this.mixHash(ciphertext);
    return bytes;
  }

  /** Split: the initiator's sending cipher, then the responder's. The chaining key stays as it was. */
  split(): readonly [Cipher, Cipher] {
    const { createCipher, derivePair } = this.#primitives;
    const first = Uint8Array.from(this.#chainingKey);
    derivePair(first, NO_BYTES, keyScratch);
    const ciphers = [createCipher(first), createCipher(keyScratch)] as const;
    first.fill(0);
    keyScratch.fill(0);
    return ciphers;
  }

  wipe(): void {
    this.#chainingKey.fill(0);
    this.#cipher = undefined;
  }
}
