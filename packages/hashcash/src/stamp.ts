import { FLOOR_SIZE_BYTES, isEffort, PUBLISH_FLOOR, SEND_FLOOR, satisfies } from "./effort.ts";
import { MintError } from "./errors.ts";
import { DIGEST_BYTES, NONCE_BYTES, readWord, writeMidstate, writeStampHash } from "./stamp-input.ts";

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
 * Verifies a stamp (PROTOCOL §7) with one SHA-256 at most; what claims less than the floor is refused before any. Never
 * throws, keeps nothing, allocates nothing.
 */
export function verifyStamp({ digest, effort, nonce, floor }: StampClaim): StampVerdict {
  if (!isBytes(digest, DIGEST_BYTES) || !isBytes(nonce, NONCE_BYTES) || !Number.isInteger(effort)) return "bad-stamp";
  // Written so that a floor of NaN refuses everything.
  if (!(effort >= floor)) return "below-floor";
  if (!isEffort(effort)) return "bad-stamp";
  writeMidstate(midstate, digest, effort);
  writeStampHash(hash, midstate, readWord(nonce, 0), readWord(nonce, 4));
  return satisfies(hash[0] as number, hash[1] as number, effort) ? "valid" : "bad-stamp";
}

/**
 * The least effort a stamp must claim: the floor of its kind for each 512 bytes begun.
 *
 * @param sizeBytes encoded size of what is stamped
 * @throws MintError `E_MINT_INPUT` if the size is no integer from 0
 */
export function stampFloor(kind: "send" | "publish", sizeBytes: number): number {
  if (!Number.isSafeInteger(sizeBytes) || sizeBytes < 0) {
    throw new MintError("E_MINT_INPUT", `sizeBytes must be an integer from 0, not ${sizeBytes}`);
  }
  const floor = kind === "publish" ? PUBLISH_FLOOR : SEND_FLOOR;
  return floor * Math.max(1, Math.ceil(sizeBytes / FLOOR_SIZE_BYTES));
}

function isBytes(value: unknown, length: number): boolean {
  return value instanceof Uint8Array && value.length === length;
}
