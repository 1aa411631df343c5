import { primitives as noble } from "../src/primitives-noble.ts";
import { primitives as node } from "../src/primitives-node.ts";
import type { RandomSource } from "../src/random.ts";
import { createSuite } from "../src/suite.ts";

export const backends = [node, noble] as const;
export const suites = { node: createSuite(node), noble: createSuite(noble) } as const;

/** For describe.each: every ordered pair of backends, named. */
export const pairs = [
  ["node", "node"],
  ["node", "noble"],
  ["noble", "node"],
  ["noble", "noble"],
] as const;

/** An endless reproducible stream. */
export function seededRandom(seed: string): RandomSource {
  let counter = 0;
  return (sizeBytes) => {
    const bytes = new Uint8Array(sizeBytes);
    for (let offset = 0; offset < sizeBytes; offset += 32) {
      const block = node.sha256(new TextEncoder().encode(`${seed} ${counter++}`));
      bytes.set(block.subarray(0, Math.min(32, sizeBytes - offset)), offset);
    }
    return bytes;
  };
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

/** Strict, unlike Buffer's, and a plain Uint8Array. */
export function unhex(text: string): Uint8Array {
  if (!/^(?:[0-9a-fA-F]{2})*$/.test(text)) throw new Error(`not hex: ${text}`);
  return Uint8Array.from(Buffer.from(text, "hex"));
}

export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function required<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("expected a value, got undefined");
  return value;
}

export function flipBit(bytes: Uint8Array, bit: number): Uint8Array {
  const flipped = Uint8Array.from(bytes);
  flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return flipped;
}
