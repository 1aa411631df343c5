import { badInput, isBytes, requireInteger } from "./arguments.ts";
import { FLOOR_SIZE_BYTES, isEffort, PUBLISH_FLOOR, SEND_FLOOR, satisfies } from "./effort.ts";
import { DIGEST_BYTES, NONCE_BYTES, readWord, writeMidstate, writeStampHash } from "./stamp-input.ts";

/** `below-floor`: it claims less than is asked; `bad-stamp`: its hash does not bear out what it claims. */
export type StampVerdict = "valid" | "below-floor" | "bad-stamp";

/** A stamp as it came from the network: nothing about it is trusted, except `floor`, which is ours. */
export interface StampClaim {
  /** SHA-256 over what is stamped, 32 bytes. */
  readonly digest: Uint8Array;
  /** As claimed: a 48-bit integer, the expected number of hashes. */
  readonly effort: number;
  /** 8 bytes. */
  readonly nonce: Uint8Array;
  /** The least effort accepted. */
  readonly floor: number;
}

const midstate = new Int32Array(8);
const hash = new Int32Array(8);

/**
 * Verifies a stamp (PROTOCOL §7.4) with one SHA-256 at most; what claims less than the floor is refused before any. Never
 * throws, whatever it is given; keeps nothing, allocates nothing.
 */
export function verifyStamp(claim: StampClaim): StampVerdict {
  if (typeof claim !== "object" || claim === null) return "bad-stamp";
  const { digest, effort, nonce, floor } = claim;
  if (!isBytes(digest, DIGEST_BYTES) || !isBytes(nonce, NONCE_BYTES) || !Number.isInteger(effort)) return "bad-stamp";
  // Written so that a floor that is no number refuses everything.
  if (typeof floor !== "number" || !(effort >= floor)) return "below-floor";
  if (!isEffort(effort)) return "bad-stamp";
  writeMidstate(midstate, digest, effort);
  writeStampHash(hash, midstate, readWord(nonce, 0), readWord(nonce, 4));
  return satisfies(hash[0] as number, hash[1] as number, effort) ? "valid" : "bad-stamp";
}

/**
 * The least effort a stamp must claim: the floor of its kind for each 512 bytes begun.
 *
 * @param sizeBytes encoded size of what is stamped
 * @throws MintError `E_MINT_INPUT` if the kind is neither, or the size no integer from 0
 */
export function stampFloor(kind: "send" | "publish", sizeBytes: number): number {
  if (kind !== "send" && kind !== "publish") throw badInput("kind", '"send" or "publish"', kind);
  requireInteger("sizeBytes", sizeBytes, 0);
  const floor = kind === "publish" ? PUBLISH_FLOOR : SEND_FLOOR;
  return floor * Math.max(1, Math.ceil(sizeBytes / FLOOR_SIZE_BYTES));
}
