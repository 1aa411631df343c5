import { equalBytes } from "@starling/crypto-identity";
import { type Address, MAC_BYTES } from "@starling/wire-protocol";
import { COOKIE_ROTATION_MS } from "./limits.ts";
import type { SessionCrypto } from "./session-crypto.ts";

const SECRET_BYTES = 32;
const encoder = new TextEncoder();

type Secret = { readonly mac: (data: Uint8Array) => Uint8Array; readonly sinceMono: number };

/**
 * Proof that whoever sent a Hello receives at its address, without remembering it: HMAC(secret, ip text || port || mac1),
 * cut to 16 bytes (PROTOCOL §3). The ip text is the one field of variable length and stands first, so no two inputs
 * run into one.
 */
export class CookieJar {
  readonly #crypto: SessionCrypto;
  readonly #random: (sizeBytes: number) => Uint8Array;
  #current: Secret | undefined;
  #previous: Secret | undefined;

  constructor(crypto: SessionCrypto, random: (sizeBytes: number) => Uint8Array) {
    this.#crypto = crypto;
    this.#random = random;
  }

  make(from: Address, mac1: Uint8Array, nowMono: number): Uint8Array {
    return cookieUnder(this.#rotate(nowMono), from, mac1);
  }

  isValid(cookie: Uint8Array, from: Address, mac1: Uint8Array, nowMono: number): boolean {
    if (cookie.every((byte) => byte === 0)) return false;
    const current = this.#rotate(nowMono);
    if (equalBytes(cookie, cookieUnder(current, from, mac1))) return true;
    return this.#previous !== undefined && equalBytes(cookie, cookieUnder(this.#previous, from, mac1));
  }

  /** Rotates only when it is asked, so that an idle table needs no timer. */
  #rotate(nowMono: number): Secret {
    const ageMs = this.#current === undefined ? Number.POSITIVE_INFINITY : nowMono - this.#current.sinceMono;
    if (this.#current !== undefined && ageMs < COOKIE_ROTATION_MS) return this.#current;
    this.#previous = ageMs < 2 * COOKIE_ROTATION_MS ? this.#current : undefined;
    const fresh = { mac: this.#crypto.mac(this.#random(SECRET_BYTES)), sinceMono: nowMono };
    this.#current = fresh;
    return fresh;
  }
}

function cookieUnder(secret: Secret, from: Address, mac1: Uint8Array): Uint8Array {
  const ip = encoder.encode(from.ip);
  const data = new Uint8Array(ip.length + 2 + mac1.length);
  data.set(ip);
  new DataView(data.buffer).setUint16(ip.length, from.port);
  data.set(mac1, ip.length + 2);
  return secret.mac(data).slice(0, MAC_BYTES);
}
