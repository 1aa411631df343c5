import { requireBytes } from "./arguments.ts";
import { IdentityError } from "./errors.ts";
import { counterNonce } from "./nonce.ts";
import type { Cipher } from "./primitives.ts";

/** Bytes by which a ciphertext is longer than its plaintext. */
export const AEAD_TAG_BYTES = 16;

/**
 * One direction of a session: AES-256-GCM with the counter as its nonce. It keeps no state: that no counter is sealed
 * twice, and that none is opened twice, is the session's business.
 */
export interface Aead {
  /** Throws `E_BAD_COUNTER` unless `counter` is a safe integer, not negative; `E_BAD_ARGUMENT` for what is no Uint8Array. */
  seal(counter: number, associatedData: Uint8Array, plaintext: Uint8Array): Uint8Array;
  /** undefined where the ciphertext, the associated data or the counter is not what was sealed. Throws `E_BAD_ARGUMENT` for `associatedData` only. */
  open(counter: number, associatedData: Uint8Array, ciphertext: Uint8Array): Uint8Array | undefined;
}

function isCounter(counter: number): boolean {
  return Number.isSafeInteger(counter) && counter >= 0;
}

export function createAead(cipher: Cipher): Aead {
  return {
    seal(counter, associatedData, plaintext) {
      if (!isCounter(counter)) {
        throw new IdentityError("E_BAD_COUNTER", "counter must be a safe integer from 0 on", { argument: "counter" });
      }
      requireBytes("associatedData", associatedData);
      requireBytes("plaintext", plaintext);
      return cipher.seal(counterNonce(counter), associatedData, plaintext);
    },
    open(counter, associatedData, ciphertext) {
      requireBytes("associatedData", associatedData);
      if (!isCounter(counter) || !(ciphertext instanceof Uint8Array)) return undefined;
      return cipher.open(counterNonce(counter), associatedData, ciphertext);
    },
  };
}
