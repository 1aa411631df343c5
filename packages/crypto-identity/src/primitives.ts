// What the rest of the package asks of a cryptographic library. Two modules satisfy it, primitives-node.ts and
// primitives-noble.ts; package.json "imports" picks one. Both must answer every input alike, byte for byte.

import type { RandomSource } from "./random.ts";

/** A MAC under one key that was prepared once: 32 bytes for any data. */
export type Mac = (data: Uint8Array) => Uint8Array;

/** AES-256-GCM under one key. The nonce is 12 bytes; ciphertext is the text with the 16-byte tag behind it. */
export interface Cipher {
  seal(nonce: Uint8Array, associatedData: Uint8Array, plaintext: Uint8Array): Uint8Array;
  /** undefined where the tag does not match, whatever the reason. */
  open(nonce: Uint8Array, associatedData: Uint8Array, ciphertext: Uint8Array): Uint8Array | undefined;
}

/** An imported X25519 public key. `handle` is the library's own form of it and means nothing elsewhere. */
export interface PublicKey {
  readonly bytes: Uint8Array;
  readonly handle: unknown;
}

export interface KeyPair {
  /** 32 bytes, as on the wire. */
  readonly publicKey: Uint8Array;
  /** X25519 (RFC 7748 §5); undefined where the result is all zeros (RFC 7748 §6.1) or the library refuses the key. */
  agree(peer: PublicKey): Uint8Array | undefined;
  /** Gives the private key up, and overwrites it where it is ours to overwrite. From then on `agree` gives undefined. */
  wipe(): void;
}

/** An imported Ed25519 public key: the cofactorless equation, R compared as bytes (RFC 8032 §5.1.7, no factor 8). */
export type Verifier = (message: Uint8Array, signature: Uint8Array) => boolean;

export interface Primitives {
  readonly name: "node" | "noble";
  sha256(data: Uint8Array): Uint8Array;
  /** Noise MixHash, in place: `hash` (32 bytes) becomes SHA-256(hash ‖ data). */
  mixHash(hash: Uint8Array, data: Uint8Array): void;
  /**
   * Noise §4.3 HKDF with two outputs, in place: `chainingKey` (32 bytes) becomes the first, `key` (32 bytes) the second.
   * `inputKey` is 32 bytes or none.
   */
  derivePair(chainingKey: Uint8Array, inputKey: Uint8Array, key: Uint8Array): void;
  sha512(data: Uint8Array): Uint8Array;
  /** HMAC-SHA-256 (RFC 2104). */
  createMac(key: Uint8Array): Mac;
  /** `key` is 32 bytes. */
  createCipher(key: Uint8Array): Cipher;
  /** `seed` is the 32 bytes of an X25519 private key before clamping. It is not kept, nor changed. */
  keyPairFromSeed(seed: Uint8Array): KeyPair;
  /** A new pair from the system's own source, which is `systemRandom`'s too. */
  generateKeyPair(): KeyPair;
  /** Throws `E_BAD_SIZE` for anything but an integer from 0 to 65,536. */
  systemRandom: RandomSource;
  /** `bytes` is 32 bytes; any of them is accepted here, for X25519 is defined on all of them (RFC 7748 §5). */
  importPublicKey(bytes: Uint8Array): PublicKey;
  /** `edwards` is a 32-byte Edwards point; the answer refuses every signature where it is no point of the curve. */
  createVerifier(edwards: Uint8Array): Verifier;
  /** In a time that depends on the lengths only. */
  equalBytes(a: Uint8Array, b: Uint8Array): boolean;
}
