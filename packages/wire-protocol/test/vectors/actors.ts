// Who and what the vectors are about: fixed keys, fixed ephemerals, one network.
import type { Identity, RandomSource } from "@starling/crypto-identity";
import { identityFromSeed } from "@starling/crypto-identity";
import { verifyStamp } from "@starling/hashcash";
import { bytesToHex, NONCE_BYTES } from "../../src/index.ts";

export const NETWORK = "vectors";
export const ALICE_SEED: Uint8Array = new Uint8Array(32).fill(1);
export const BOB_SEED: Uint8Array = new Uint8Array(32).fill(2);
export const ALICE: Identity = identityFromSeed(ALICE_SEED);
export const BOB: Identity = identityFromSeed(BOB_SEED);
/** The wall time of all vectors, 2026-01-01. */
export const WALL_MS = 1_767_225_600_000;

export const fill = (sizeBytes: number, byte: number): Uint8Array => new Uint8Array(sizeBytes).fill(byte);
/** 0, 1, 2, ...: content in which a byte out of place shows. */
export const count = (sizeBytes: number): Uint8Array => Uint8Array.from({ length: sizeBytes }, (_, i) => i & 0xff);
export const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

/** A source of one byte over and over: the ephemeral key, or the 64 bytes of a signature, that a vector names. */
export function fixedRandom(byte: number): RandomSource {
  return (sizeBytes) => fill(sizeBytes, byte);
}

/** The lowest nonce from 0 whose stamp satisfies the effort. */
export function mintLowest(digest: Uint8Array, effort: number): Uint8Array {
  const nonce = new Uint8Array(NONCE_BYTES);
  const view = new DataView(nonce.buffer);
  for (let i = 0; i < 2 ** 32; i += 1) {
    view.setUint32(4, i);
    if (verifyStamp({ digest, effort, nonce, floor: 1 }) === "valid") return nonce;
  }
  throw new Error("no nonce");
}

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** Bytes as hex, all else as it is. */
export function toJson(value: unknown): Json {
  if (value instanceof Uint8Array) return bytesToHex(value);
  if (Array.isArray(value)) return value.map(toJson);
  if (value === undefined) return null;
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, toJson(field)]));
  }
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return value;
  throw new TypeError(`${typeof value} is not for a vector`);
}
