// A stamp as text, for a header, a form or a log:
//
//   starling1:65536:000000000000284a
//   |         |     nonce: 16 hexadecimal digits, lower case
//   |         effort: decimal, 1 to 2^48 - 1, no leading zero
//   what is hashed: stamp-input.ts
//
// A stamp has this one text and no other. The digest is not in it: whoever verifies computes it from what was stamped, so that
// there is no second one to believe.
import { requireBytes, requireInteger, requireObject } from "./arguments.ts";
import { isEffort, MAX_EFFORT } from "./effort.ts";
import { NONCE_BYTES } from "./stamp-input.ts";

/** What proves work: the number of hashes that it claims to have cost, and the nonce that shows it. */
export interface Stamp {
  /** Expected number of hashes, an integer from 1 to MAX_EFFORT. */
  readonly effort: number;
  /** 8 bytes. */
  readonly nonce: Uint8Array;
}

const PATTERN = /^starling1:([1-9][0-9]{0,14}):([0-9a-f]{16})$/;

/** @throws MintError `E_MINT_INPUT` */
export function formatStamp(stamp: Stamp): string {
  requireObject("stamp", stamp);
  const { effort, nonce } = stamp;
  requireInteger("effort", effort, 1, MAX_EFFORT);
  requireBytes("nonce", nonce, NONCE_BYTES);
  const digits = Array.from(nonce, (byte) => byte.toString(16).padStart(2, "0"));
  return `starling1:${effort}:${digits.join("")}`;
}

/**
 * The stamp that a text from anywhere spells, or undefined; never throws, and reads 42 characters at most. Whether the stamp
 * is worth anything, `verifyStamp` says.
 */
export function parseStamp(text: unknown): Stamp | undefined {
  if (typeof text !== "string") return undefined;
  const [, decimal = "", digits = ""] = PATTERN.exec(text) ?? [];
  const effort = Number(decimal);
  if (!isEffort(effort)) return undefined;
  const nonce = Uint8Array.from({ length: NONCE_BYTES }, (_, at) =>
    Number.parseInt(digits.slice(2 * at, 2 * at + 2), 16),
  );
  return { effort, nonce };
}
