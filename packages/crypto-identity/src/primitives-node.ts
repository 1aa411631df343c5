import * as crypto from "node:crypto";
import { createMac, derivePair, mixHash, sha256, sha512 } from "./node-hash.ts";
import { createVerifier, generateKeyPair, importPublicKey, keyPairFromSeed, plainArray } from "./node-keys.ts";
import type { Cipher, Primitives } from "./primitives.ts";
import { requireDrawSize } from "./random.ts";

// The backend on Node.

const GCM_TAG_BYTES = 16;
const GCM = { authTagLength: GCM_TAG_BYTES };

function createCipher(key: Uint8Array): Cipher {
  const secret = crypto.createSecretKey(key);
  return {
    seal(nonce, associatedData, plaintext) {
      const cipher = crypto.createCipheriv("aes-256-gcm", secret, nonce, GCM);
      if (associatedData.length > 0) cipher.setAAD(associatedData);
      // Out of Buffer's pool, for a fresh array of this size costs as much again as the cipher.
      const sealed = Buffer.allocUnsafe(plaintext.length + GCM_TAG_BYTES);
      sealed.set(cipher.update(plaintext));
      cipher.final();
      sealed.set(cipher.getAuthTag(), plaintext.length);
      return plainArray(sealed);
    },
    open(nonce, associatedData, ciphertext) {
      const sizeBytes = ciphertext.length - GCM_TAG_BYTES;
      if (sizeBytes < 0) return undefined;
      const decipher = crypto.createDecipheriv("aes-256-gcm", secret, nonce, GCM);
      if (associatedData.length > 0) decipher.setAAD(associatedData);
      decipher.setAuthTag(ciphertext.subarray(sizeBytes));
      const plaintext = decipher.update(ciphertext.subarray(0, sizeBytes));
      try {
        decipher.final();
      } catch {
        plaintext.fill(0);
        return undefined;
      }
      return plainArray(plaintext);
    },
  };
}

// One call of the system costs as much for 16 bytes as for a thousand, and a message needs several of 16.
const POOL_BYTES = 4096;
const POOLED_MAX_BYTES = 64;
const pool = new Uint8Array(POOL_BYTES);
let usedBytes = POOL_BYTES;

function systemRandom(sizeBytes: number): Uint8Array {
  requireDrawSize(sizeBytes);
  if (sizeBytes > POOLED_MAX_BYTES) return crypto.randomFillSync(new Uint8Array(sizeBytes));
  if (usedBytes + sizeBytes > POOL_BYTES) {
    crypto.randomFillSync(pool);
    usedBytes = 0;
  }
  const bytes = pool.slice(usedBytes, usedBytes + sizeBytes);
  // What has been given out may be a key: the pool keeps no second copy of it.
  pool.fill(0, usedBytes, usedBytes + sizeBytes);
  usedBytes += sizeBytes;
  return bytes;
}

export const primitives: Primitives = {
  name: "node",
  sha256,
  mixHash,
  derivePair,
  sha512,
  createMac,
  createCipher,
  keyPairFromSeed,
  generateKeyPair,
  systemRandom,
  importPublicKey,
  createVerifier,
  equalBytes: (a, b) => a.length === b.length && crypto.timingSafeEqual(a, b),
};
