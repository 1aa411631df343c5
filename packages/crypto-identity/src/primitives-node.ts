import * as crypto from "node:crypto";
import type { Cipher, KeyPair, Mac, Primitives, PublicKey, Verifier } from "./primitives.ts";

// The backend on Node. Keys are always KeyObjects: a raw key costs a thrown and caught Error a call on Node 24.

const GCM_TAG_BYTES = 16;
const GCM = { authTagLength: GCM_TAG_BYTES };
const SHA256_BLOCK_BYTES = 64;

/** The low byte of each character. A digest is cheapest as a latin1 string ("binary"): no Buffer is made for it. */
function bytesOfLatin1(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

// One-shot hashing came with Node 20.12; before it there is only the object.
const hashLatin1: (algorithm: string, data: Uint8Array) => string =
  typeof crypto.hash === "function"
    ? (algorithm, data) => crypto.hash(algorithm, data, "binary")
    : (algorithm, data) => crypto.createHash(algorithm).update(data).digest("binary");

function sha256(data: Uint8Array): Uint8Array {
  return bytesOfLatin1(hashLatin1("sha256", data));
}

// Arrays beyond 64 bytes live outside of V8's heap and cost more to make than a hash: short input goes through this one.
const scratch = new Uint8Array(2048);

/** The block, the data behind it. What is given back is good until the next call. */
function behindBlock(block: Uint8Array, data: Uint8Array): Uint8Array {
  const sizeBytes = SHA256_BLOCK_BYTES + data.length;
  const joined = sizeBytes <= scratch.length ? scratch.subarray(0, sizeBytes) : new Uint8Array(sizeBytes);
  joined.set(block);
  joined.set(data, SHA256_BLOCK_BYTES);
  return joined;
}

/** HMAC as two one-shot hashes (RFC 2104 §2): cheaper than an Hmac object for the short inputs it gets here. */
function createMac(key: Uint8Array): Mac {
  const short = key.length > SHA256_BLOCK_BYTES ? sha256(key) : key;
  const inner = new Uint8Array(SHA256_BLOCK_BYTES);
  const outer = new Uint8Array(SHA256_BLOCK_BYTES);
  for (let i = 0; i < SHA256_BLOCK_BYTES; i++) {
    const byte = short[i] ?? 0;
    inner[i] = byte ^ 0x36;
    outer[i] = byte ^ 0x5c;
  }
  return (data) => sha256(behindBlock(outer, sha256(behindBlock(inner, data))));
}

/** The same memory without Buffer's methods, of which slice means something else. */
function plainArray(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length);
}

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
        return undefined;
      }
      return plainArray(plaintext);
    },
  };
}

// Import of raw keys. From Node 24 on a PEM string is quickest (what is neither KeyObject nor string pays for a caught
// Error), before it a JWK (its PEM decoder is ten times slower). Both ways work everywhere; only the speed differs.
const importsPem = Number.parseInt(process.versions.node, 10) >= 24;
// RFC 8410 §4 and §7: the DER of a SubjectPublicKeyInfo up to the key (12 bytes: whole base64 groups) and of a PKCS #8 key.
const SPKI_X25519 = "MCowBQYDK2VuAyEA";
const SPKI_ED25519 = "MCowBQYDK2VwAyEA";
const PKCS8_X25519 = Uint8Array.from([48, 46, 2, 1, 0, 48, 5, 6, 3, 43, 101, 110, 4, 34, 4, 32]);

function base64(bytes: Uint8Array, encoding: "base64" | "base64url"): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString(encoding);
}

function importPublic(bytes: Uint8Array, curve: "X25519" | "Ed25519"): crypto.KeyObject {
  if (importsPem) {
    const prefix = curve === "X25519" ? SPKI_X25519 : SPKI_ED25519;
    return crypto.createPublicKey(
      `-----BEGIN PUBLIC KEY-----\n${prefix}${base64(bytes, "base64")}\n-----END PUBLIC KEY-----\n`,
    );
  }
  return crypto.createPublicKey({ key: { kty: "OKP", crv: curve, x: base64(bytes, "base64url") }, format: "jwk" });
}

function importPrivate(seed: Uint8Array): crypto.KeyObject {
  if (importsPem) {
    const der = new Uint8Array(PKCS8_X25519.length + seed.length);
    der.set(PKCS8_X25519);
    der.set(seed, PKCS8_X25519.length);
    return crypto.createPrivateKey(
      `-----BEGIN PRIVATE KEY-----\n${base64(der, "base64")}\n-----END PRIVATE KEY-----\n`,
    );
  }
  // RFC 8037 wants the public key too; OpenSSL derives its own and reads none.
  const key = { kty: "OKP", crv: "X25519", d: base64(seed, "base64url"), x: "" };
  return crypto.createPrivateKey({ key, format: "jwk" });
}

function keyPairFromSeed(seed: Uint8Array): KeyPair {
  const privateKey = importPrivate(seed);
  const exported = privateKey.export({ format: "jwk" });
  return {
    publicKey: Uint8Array.from(Buffer.from(exported.x ?? "", "base64url")),
    agree(peer) {
      if (!(peer.handle instanceof crypto.KeyObject)) return undefined;
      let secret: Buffer;
      try {
        secret = crypto.diffieHellman({ privateKey, publicKey: peer.handle });
      } catch {
        // OpenSSL refuses an all-zero result by throwing.
        return undefined;
      }
      let bits = 0;
      for (const byte of secret) bits |= byte;
      return bits === 0 ? undefined : plainArray(secret);
    },
  };
}

function importPublicKey(bytes: Uint8Array): PublicKey {
  return { bytes, handle: importPublic(bytes, "X25519") };
}

function createVerifier(edwards: Uint8Array): Verifier {
  const key = importPublic(edwards, "Ed25519");
  return (message, signature) => {
    try {
      return crypto.verify(null, message, key, signature);
    } catch {
      return false;
    }
  };
}

export const primitives: Primitives = {
  name: "node",
  sha256,
  sha512: (data) => bytesOfLatin1(hashLatin1("sha512", data)),
  createMac,
  createCipher,
  keyPairFromSeed,
  importPublicKey,
  createVerifier,
  equalBytes: (a, b) => a.length === b.length && crypto.timingSafeEqual(a, b),
};
