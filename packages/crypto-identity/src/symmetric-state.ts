import { concatBytes } from "./concat-bytes.ts";
import { hkdf } from "./hkdf.ts";
import { counterNonce } from "./nonce.ts";
import type { Cipher, Primitives } from "./primitives.ts";

// Noise §5.1 and §5.2: CipherState and SymmetricState, as values. Every step gives a new state and leaves the old one as it
// was, so a message that turns out bad has changed nothing.

const HASH_BYTES = 32;
const KEY_BYTES = 32;
const NO_BYTES = new Uint8Array(0);

export interface SymmetricState {
  /** h */
  readonly hash: Uint8Array;
  /** ck */
  readonly chainingKey: Uint8Array;
  /** k; undefined before the first MixKey. */
  readonly cipher: Cipher | undefined;
  /** n. A handshake has a handful of messages, so it cannot overflow. */
  readonly counter: number;
}

interface Step {
  readonly state: SymmetricState;
  readonly bytes: Uint8Array;
}

export interface SymmetricStates {
  /** InitializeSymmetric; names are at most 32 ASCII characters here, so they are padded and never hashed. */
  start(protocolName: string): SymmetricState;
  mixHash(state: SymmetricState, data: Uint8Array): SymmetricState;
  mixKey(state: SymmetricState, secret: Uint8Array): SymmetricState;
  encryptAndHash(state: SymmetricState, plaintext: Uint8Array): Step;
  decryptAndHash(state: SymmetricState, ciphertext: Uint8Array): Step | undefined;
  /** Split: the initiator's sending cipher, then the responder's. */
  split(state: SymmetricState): readonly [Cipher, Cipher];
}

export function createSymmetricStates(primitives: Primitives): SymmetricStates {
  function mixHash(state: SymmetricState, data: Uint8Array): SymmetricState {
    return { ...state, hash: primitives.sha256(concatBytes(state.hash, data)) };
  }

  /** Noise §4.3 HKDF with two outputs, which is RFC 5869 with an empty info. */
  function derivePair(chainingKey: Uint8Array, secret: Uint8Array): readonly [Uint8Array, Uint8Array] {
    const output = hkdf(primitives, { salt: chainingKey, inputKey: secret, info: NO_BYTES, sizeBytes: 2 * HASH_BYTES });
    return [output.subarray(0, KEY_BYTES), output.subarray(KEY_BYTES)];
  }

  return {
    start(protocolName) {
      const name = new TextEncoder().encode(protocolName);
      const hash = new Uint8Array(HASH_BYTES);
      hash.set(name);
      return { hash, chainingKey: hash, cipher: undefined, counter: 0 };
    },
    mixHash,
    mixKey(state, secret) {
      const [chainingKey, key] = derivePair(state.chainingKey, secret);
      return { hash: state.hash, chainingKey, cipher: primitives.createCipher(key), counter: 0 };
    },
    encryptAndHash(state, plaintext) {
      if (state.cipher === undefined) return { state: mixHash(state, plaintext), bytes: plaintext };
      const bytes = state.cipher.seal(counterNonce(state.counter), state.hash, plaintext);
      return { state: { ...mixHash(state, bytes), counter: state.counter + 1 }, bytes };
    },
    decryptAndHash(state, ciphertext) {
      if (state.cipher === undefined) return { state: mixHash(state, ciphertext), bytes: Uint8Array.from(ciphertext) };
      const bytes = state.cipher.open(counterNonce(state.counter), state.hash, ciphertext);
      if (bytes === undefined) return undefined;
      return { state: { ...mixHash(state, ciphertext), counter: state.counter + 1 }, bytes };
    },
    split(state) {
      const [first, second] = derivePair(state.chainingKey, NO_BYTES);
      return [primitives.createCipher(first), primitives.createCipher(second)];
    },
  };
}
