import { concatBytes } from "./concat-bytes.ts";
import { IdentityError } from "./errors.ts";
import type { Primitives } from "./primitives.ts";

const SHA256_BYTES = 32;
const MAX_OUTPUT_BYTES = 255 * SHA256_BYTES;

export interface HkdfInput {
  readonly salt: Uint8Array;
  readonly inputKey: Uint8Array;
  readonly info: Uint8Array;
  readonly sizeBytes: number;
}

/** HKDF-SHA-256 (RFC 5869 §2.2, §2.3). Throws `E_BAD_SIZE` for more than 8160 bytes. */
export function hkdf(primitives: Primitives, { salt, inputKey, info, sizeBytes }: HkdfInput): Uint8Array {
  if (!Number.isInteger(sizeBytes) || sizeBytes < 0 || sizeBytes > MAX_OUTPUT_BYTES) {
    throw new IdentityError("E_BAD_SIZE", `HKDF-SHA-256 gives 0 to ${MAX_OUTPUT_BYTES} bytes`);
  }
  const expand = primitives.createMac(primitives.createMac(salt)(inputKey));
  const output = new Uint8Array(sizeBytes);
  let block: Uint8Array = new Uint8Array(0);
  for (let offset = 0, counter = 1; offset < sizeBytes; offset += SHA256_BYTES, counter++) {
    block = expand(concatBytes(block, info, Uint8Array.of(counter)));
    output.set(block.subarray(0, Math.min(SHA256_BYTES, sizeBytes - offset)), offset);
  }
  return output;
}
