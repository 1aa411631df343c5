import { requireBytes } from "./arguments.ts";
import { IdentityError } from "./errors.ts";
import type { Cipher, Primitives } from "./primitives.ts";

// Noise §5.1, the CipherState: one direction of an ordered, reliable transport, which counts by itself. The nonce (Noise
// §12.3) is four zero bytes and the counter, 8 bytes big-endian; it is kept as bytes, so it is exact up to the end.

const NONCE_BYTES = 12;
const COUNTER_OFFSET = 4;
const KEY_BYTES = 32;
/** Reserved for rekeying (Noise §4.2), and never used for a message (Noise §5.1). */
const LAST_COUNTER = 2n ** 64n - 1n;
const REKEY_NONCE: Uint8Array = new Uint8Array(NONCE_BYTES).fill(0xff, COUNTER_OFFSET);
const NO_BYTES: Uint8Array = new Uint8Array(0);

/**
 * One direction of a finished handshake: AES-256-GCM under a counter (Noise §5.1). Messages are opened in the order they were
 * sealed in.
 */
export interface CipherState {
  /** The counter of the next message. */
  readonly counter: bigint;
  /**
   * Encrypts the next message; 16 bytes longer. Throws `E_COUNTER_EXHAUSTED` after 2^64 - 1 messages, `E_CLOSED`, and
   * `E_BAD_ARGUMENT`.
   */
  seal(associatedData: Uint8Array, plaintext: Uint8Array): Uint8Array;
  /**
   * Decrypts the next message. undefined where it is not whole, not the next one, or none can come any more; then nothing
   * has changed and the right one can still be read. Throws `E_BAD_ARGUMENT` for `associatedData` only.
   */
  open(associatedData: Uint8Array, ciphertext: Uint8Array): Uint8Array | undefined;
  /** Noise SetNonce, for a transport that loses messages. Never go back when sealing. Throws `E_BAD_COUNTER`. */
  setCounter(counter: bigint): void;
  /** A new key made of this one, which cannot be found from it again (Noise §11.3); the counter goes on. Throws `E_CLOSED`. */
  rekey(): void;
  /** Gives the key up. */
  close(): void;
}

/** Without a cipher it is closed from the start: the direction that a one-way pattern does not have. */
export function createCipherState(primitives: Primitives, initial: Cipher | undefined): CipherState {
  let cipher = initial;
  const nonce = new Uint8Array(NONCE_BYTES);
  const view = new DataView(nonce.buffer);

  function isExhausted(): boolean {
    for (let i = COUNTER_OFFSET; i < NONCE_BYTES; i++) if (nonce[i] !== 0xff) return false;
    return true;
  }

  function advance(): void {
    for (let i = NONCE_BYTES - 1; i >= COUNTER_OFFSET; i--) {
      const byte = ((nonce[i] ?? 0) + 1) & 0xff;
      nonce[i] = byte;
      if (byte !== 0) return;
    }
  }

  function openCipher(): Cipher {
    if (cipher === undefined) {
      throw new IdentityError("E_CLOSED", "this direction has no key: it was closed, or a one-way pattern has it not");
    }
    return cipher;
  }

  return {
    get counter() {
      return view.getBigUint64(COUNTER_OFFSET);
    },
    seal(associatedData, plaintext) {
      requireBytes("associatedData", associatedData);
      requireBytes("plaintext", plaintext);
      const key = openCipher();
      if (isExhausted()) {
        throw new IdentityError(
          "E_COUNTER_EXHAUSTED",
          "this key has sealed all the messages it may; make a new session",
        );
      }
      const ciphertext = key.seal(nonce, associatedData, plaintext);
      advance();
      return ciphertext;
    },
    open(associatedData, ciphertext) {
      requireBytes("associatedData", associatedData);
      if (cipher === undefined || isExhausted() || !(ciphertext instanceof Uint8Array)) return undefined;
      const plaintext = cipher.open(nonce, associatedData, ciphertext);
      if (plaintext !== undefined) advance();
      return plaintext;
    },
    setCounter(counter) {
      if (typeof counter !== "bigint" || counter < 0n || counter > LAST_COUNTER) {
        const reason = "counter must be a bigint from 0 to 2^64 - 1";
        throw new IdentityError("E_BAD_COUNTER", reason, { argument: "counter" });
      }
      view.setBigUint64(COUNTER_OFFSET, counter);
    },
    rekey() {
      const sealed = openCipher().seal(REKEY_NONCE, NO_BYTES, new Uint8Array(KEY_BYTES));
      cipher = primitives.createCipher(sealed.subarray(0, KEY_BYTES));
      sealed.fill(0);
    },
    close() {
      cipher = undefined;
    },
  };
}
