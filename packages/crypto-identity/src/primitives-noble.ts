import { gcm } from "@noble/ciphers/aes.js";
import { ed25519, x25519 } from "@noble/curves/ed25519.js";
import { hmac } from "@noble/hashes/hmac.js";
import { sha256, sha512 } from "@noble/hashes/sha2.js";
import { randomBytes } from "@noble/hashes/utils.js";
import { concatBytes } from "./concat-bytes.ts";
import { GROUP_ORDER, integerFromBytes } from "./edwards.ts";
import { hkdf } from "./hkdf.ts";
import type { Cipher, KeyPair, Mac, Primitives, Verifier } from "./primitives.ts";
import { requireDrawSize } from "./random.ts";

// The backend for everywhere else: pure JavaScript, some twenty times slower than node:crypto, the same answers.

const HASH_BYTES = 32;
const GCM_TAG_BYTES = 16;
const POINT_BYTES = 32;
const SIGNATURE_BYTES = 64;

function createMac(key: Uint8Array): Mac {
  const keyed = hmac.create(sha256, key);
  return (data) => keyed.clone().update(data).digest();
}

function derivePair(chainingKey: Uint8Array, inputKey: Uint8Array, key: Uint8Array): void {
  const input = { salt: chainingKey, inputKey, info: new Uint8Array(0), sizeBytes: 2 * HASH_BYTES };
  const output = hkdf(createMac, input);
  chainingKey.set(output.subarray(0, HASH_BYTES));
  key.set(output.subarray(HASH_BYTES));
  output.fill(0);
}

function createCipher(key: Uint8Array): Cipher {
  const secret = Uint8Array.from(key);
  return {
    seal: (nonce, associatedData, plaintext) => gcm(secret, nonce, associatedData).encrypt(plaintext),
    open(nonce, associatedData, ciphertext) {
      if (ciphertext.length < GCM_TAG_BYTES) return undefined;
      try {
        return gcm(secret, nonce, associatedData).decrypt(ciphertext);
      } catch {
        return undefined;
      }
    },
  };
}

function keyPairFromSeed(seed: Uint8Array): KeyPair {
  const secret = Uint8Array.from(seed);
  let isWiped = false;
  return {
    publicKey: x25519.getPublicKey(secret),
    agree(peer) {
      if (isWiped) return undefined;
      try {
        return x25519.getSharedSecret(secret, peer.bytes);
      } catch {
        // noble refuses an all-zero result by throwing.
        return undefined;
      }
    },
    wipe() {
      isWiped = true;
      secret.fill(0);
    },
  };
}

function generateKeyPair(): KeyPair {
  const seed = randomBytes(POINT_BYTES);
  const pair = keyPairFromSeed(seed);
  seed.fill(0);
  return pair;
}

function systemRandom(sizeBytes: number): Uint8Array {
  requireDrawSize(sizeBytes);
  return randomBytes(sizeBytes);
}

/**
 * noble's own verify multiplies by the cofactor, OpenSSL's does not. A signature that one accepts and the other does not
 * would split a network, so this is OpenSSL's equation: R' = sB - kA, compared with R as bytes.
 */
function createVerifier(edwards: Uint8Array): Verifier {
  const { Point } = ed25519;
  let negated: InstanceType<typeof Point>;
  try {
    negated = Point.fromBytes(edwards, false).negate();
  } catch {
    return () => false;
  }
  return (message, signature) => {
    if (signature.length !== SIGNATURE_BYTES) return false;
    const r = signature.subarray(0, POINT_BYTES);
    const s = integerFromBytes(signature.subarray(POINT_BYTES));
    if (s >= GROUP_ORDER) return false;
    const k = integerFromBytes(sha512(concatBytes(r, edwards, message))) % GROUP_ORDER;
    const expected = Point.BASE.multiplyUnsafe(s).add(negated.multiplyUnsafe(k)).toBytes();
    return equalBytes(expected, r);
  };
}

function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= (a[i] ?? 0) ^ (b[i] ?? 0);
  return difference === 0;
}

export const primitives: Primitives = {
  name: "noble",
  sha256: (data) => sha256(data),
  mixHash: (hash, data) => hash.set(sha256(concatBytes(hash, data))),
  derivePair,
  sha512: (data) => sha512(data),
  createMac,
  createCipher,
  keyPairFromSeed,
  generateKeyPair,
  systemRandom,
  importPublicKey: (bytes) => ({ bytes, handle: undefined }),
  createVerifier,
  equalBytes,
};
