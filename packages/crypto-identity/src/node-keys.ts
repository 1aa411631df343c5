import * as crypto from "node:crypto";
import type { KeyPair, PublicKey, Verifier } from "./primitives.ts";

// Keys on Node. They are KeyObjects always: a raw key costs a thrown and caught Error a call on Node 24.

// Import of raw keys. From Node 24 on a PEM string is quickest (what is neither KeyObject nor string pays for a caught
// Error), before it a JWK (its PEM decoder is ten times slower). Both ways work everywhere; only the speed differs.
const importsPem = Number.parseInt(process.versions.node, 10) >= 24;
// RFC 8410 §4 and §7: the DER of a SubjectPublicKeyInfo up to the key (12 bytes: whole base64 groups) and of a PKCS #8 key.
const SPKI_X25519 = "MCowBQYDK2VuAyEA";
const SPKI_ED25519 = "MCowBQYDK2VwAyEA";
const PKCS8_X25519 = Uint8Array.from([48, 46, 2, 1, 0, 48, 5, 6, 3, 43, 101, 110, 4, 34, 4, 32]);

/** The same memory without Buffer's methods, of which slice means something else. */
export function plainArray(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length);
}

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
    const pem = `-----BEGIN PRIVATE KEY-----\n${base64(der, "base64")}\n-----END PRIVATE KEY-----\n`;
    der.fill(0);
    return crypto.createPrivateKey(pem);
  }
  // RFC 8037 wants the public key too; OpenSSL derives its own and reads none.
  const key = { kty: "OKP", crv: "X25519", d: base64(seed, "base64url"), x: "" };
  return crypto.createPrivateKey({ key, format: "jwk" });
}

function isZero(bytes: Uint8Array): boolean {
  let bits = 0;
  for (let i = 0; i < bytes.length; i++) bits |= bytes[i] ?? 0;
  return bits === 0;
}

/** `exportable` is whichever half of the pair is at hand. */
function keyPairOf(key: crypto.KeyObject, exportable: crypto.KeyObject): KeyPair {
  let privateKey: crypto.KeyObject | undefined = key;
  return {
    publicKey: Uint8Array.from(Buffer.from(exportable.export({ format: "jwk" }).x ?? "", "base64url")),
    agree(peer) {
      if (privateKey === undefined || !(peer.handle instanceof crypto.KeyObject)) return undefined;
      let secret: Buffer;
      try {
        secret = crypto.diffieHellman({ privateKey, publicKey: peer.handle });
      } catch {
        // OpenSSL refuses an all-zero result by throwing.
        return undefined;
      }
      return isZero(secret) ? undefined : plainArray(secret);
    },
    wipe() {
      // OpenSSL overwrites the key when the last handle on it is collected.
      privateKey = undefined;
    },
  };
}

export function keyPairFromSeed(seed: Uint8Array): KeyPair {
  const privateKey = importPrivate(seed);
  return keyPairOf(privateKey, privateKey);
}

export function generateKeyPair(): KeyPair {
  const { privateKey, publicKey } = crypto.generateKeyPairSync("x25519");
  return keyPairOf(privateKey, publicKey);
}

export function importPublicKey(bytes: Uint8Array): PublicKey {
  return { bytes, handle: importPublic(bytes, "X25519") };
}

export function createVerifier(edwards: Uint8Array): Verifier {
  const key = importPublic(edwards, "Ed25519");
  return (message, signature) => {
    try {
      return crypto.verify(null, message, key, signature);
    } catch {
      return false;
    }
  };
}
