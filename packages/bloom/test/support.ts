import { BloomError } from "../src/index.ts";

export const countingKey: Uint8Array = Uint8Array.from({ length: 16 }, (_, index) => index);

/** The index-th of a family of distinct items; `seed` chooses the family. */
export function item(seed: number, index: number): Uint8Array {
  const bytes = new Uint8Array(12);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, seed);
  view.setUint32(8, index);
  return bytes;
}

export function countFound(filter: { has(item: Uint8Array): boolean }, seed: number, probes: number): number {
  const bytes = item(seed, 0);
  const view = new DataView(bytes.buffer);
  let found = 0;
  for (let index = 0; index < probes; index += 1) {
    view.setUint32(8, index);
    if (filter.has(bytes)) found += 1;
  }
  return found;
}

/** What a BloomError blames; anything else thrown as it is. */
export function codeOf(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error instanceof BloomError ? error.code : error;
  }
  return "no error";
}
