// Who hashes how often: counted in the one function through which this package hashes outside its kernels.
import { beforeEach, expect, jest, test } from "@jest/globals";
import fc from "fast-check";
import type { StampClaim } from "../src/index.ts";
import * as real from "../src/sha256.ts";

let compressions = 0;
jest.unstable_mockModule("../src/sha256.ts", () => ({
  ...real,
  compress: (state: Int32Array, words: Int32Array): void => {
    compressions += 1;
    real.compress(state, words);
  },
}));
const { createMint, MAX_EFFORT, verifyStamp } = await import("../src/index.ts");
const { createMintPool } = await import("../src/pool.ts");

/** The 72 bytes that a stamp hashes take two of SHA-256's blocks. */
const ONE_HASH = 2;
const digest = new Uint8Array(32).fill(5);
const task = { digest, effort: 2 ** 14, startNonce: new Uint8Array(8) };

beforeEach(() => {
  compressions = 0;
});

test("to verify takes one hash", () => {
  const nonce = createMint(task).run(2 ** 20) ?? new Uint8Array(8);
  compressions = 0;
  expect(verifyStamp({ ...task, nonce, floor: 2 ** 14 })).toBe("valid");
  expect(compressions).toBe(ONE_HASH);
});

test("to refuse what claims less than the floor takes none", () => {
  expect(verifyStamp({ ...task, nonce: new Uint8Array(8), floor: 2 ** 14 + 1 })).toBe("below-floor");
  expect(compressions).toBe(0);
});

test("no input whatever costs more than one hash", () => {
  const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
  const effort = fc.oneof(fc.integer({ min: -1, max: 100 }), fc.integer({ min: 1, max: MAX_EFFORT + 2 }), fc.double());
  const likely = { digest: bytes(32), effort, nonce: bytes(8), floor: fc.integer({ min: 0, max: 100 }) };
  const unlikely = { digest: fc.anything(), effort: fc.anything(), nonce: fc.anything(), floor: fc.anything() };
  fc.assert(
    fc.property(fc.oneof(fc.record(likely), fc.record(unlikely), fc.anything()), (claim) => {
      compressions = 0;
      verifyStamp(claim as unknown as StampClaim);
      expect([0, ONE_HASH]).toContain(compressions);
    }),
    { numRuns: 3000 },
  );
});

test("a pool hashes nothing on its caller's thread", async () => {
  const pool = createMintPool({ workers: 2 });
  const progress: number[] = [];
  const minted = await pool.mint({ ...task, effort: 2 ** 20, onProgress: ({ hashes }) => progress.push(hashes) });
  await pool.close();
  expect([compressions, progress.length > 0]).toEqual([0, true]);
  expect(verifyStamp({ digest, ...minted, floor: 2 ** 20 })).toBe("valid");
  expect(compressions).toBe(ONE_HASH);
});
