import { concatBytes } from "./concat-bytes.ts";
import { IdentityError } from "./errors.ts";
import type { Mac } from "./primitives.ts";

const SHA256_BYTES = 32;
const MAX_OUTPUT_BYTES = 255 * SHA256_BYTES;

export interface HkdfInput {
  readonly salt: Uint8Array;
  readonly inputKey: Uint8Array;
  readonly info: Uint8Array;
  readonly sizeBytes: number;
}

/** HKDF-SHA-256 (RFC 5869 §2.2, §2.3). Throws `E_BAD_SIZE` for more than 8160 bytes. */
export function hkdf(createMac: (key: Uint8Array) => Mac, { salt, inputKey, info, sizeBytes }: HkdfInput): Uint8Array {
  if (!Number.isInteger(sizeBytes) || sizeBytes < 0 || sizeBytes > MAX_OUTPUT_BYTES) {
    throw new IdentityError("E_BAD_SIZE", `HKDF-SHA-256 gives 0 to ${MAX_OUTPUT_BYTES} bytes`);
  }
  const pseudorandomKey = createMac(salt)(inputKey);
  const expand = createMac(pseudorandomKey);
  pseudorandomKey.fill(0);
  const output = new Uint8Array(sizeBytes);
  let input = concatBytes(info, Uint8Array.of(1));
  for (let offset = 0, counter = 1; offset < sizeBytes; offset += SHA256_BYTES) {
    const block = expand(input);
    output.set(block.subarray(0, Math.min(SHA256_BYTES, sizeBytes - offset)), offset);
    counter += 1;
    if (offset + SHA256_BYTES < sizeBytes) input = concatBytes(block, info, Uint8Array.of(counter));
    block.fill(0);
  }
  input.fill(0);
  return output;
}
