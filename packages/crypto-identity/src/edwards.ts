import { ED25519_TORSION_SUBGROUP, ed25519 } from "@noble/curves/ed25519.js";
import { bytesToHex } from "@noble/hashes/utils.js";

// The arithmetic that XEdDSA needs and node:crypto does not offer: edwards25519 points and scalars.

const { Point } = ed25519;
const { Fp } = Point;

/** L, the order of the base point (RFC 8032 §5.1). */
export const GROUP_ORDER: bigint = Point.Fn.ORDER;

/** A little-endian integer of any width. */
export function integerFromBytes(bytes: Uint8Array): bigint {
  return bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

/** The scalar modulo L, 32 bytes little-endian. */
export function scalarToBytes(scalar: bigint): Uint8Array {
  const bytes = new Uint8Array(32);
  let rest = scalar;
  for (let i = 0; i < bytes.length; i++) {
    bytes[i] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  return bytes;
}

/** `scalar` times the base point, encoded as in RFC 8032 §5.1.2. In constant time as far as noble-curves manages that. */
export function multiplyBase(scalar: bigint): Uint8Array {
  return Uint8Array.from(Point.BASE.multiply(scalar).toBytes());
}

const SMALL_ORDER: ReadonlySet<string> = new Set(ED25519_TORSION_SUBGROUP);

/** Whether these 32 bytes are the canonical encoding of one of the eight points whose order divides 8. */
export function isSmallOrder(point: Uint8Array): boolean {
  return SMALL_ORDER.has(bytesToHex(point));
}

/**
 * The Edwards point of sign 0 for a Montgomery u, y = (u - 1) / (u + 1) (RFC 7748 §4.1); undefined for u = -1, which has
 * none. Whether it lies on the curve (and not on its twist) is left to whoever decodes it.
 */
export function edwardsFromMontgomery(u: Uint8Array): Uint8Array | undefined {
  const value = Fp.create(integerFromBytes(u));
  const below = Fp.add(value, Fp.ONE);
  if (Fp.is0(below)) return undefined;
  return scalarToBytes(Fp.mul(Fp.sub(value, Fp.ONE), Fp.inv(below)));
}
