import { readFileSync } from "node:fs";
import { describe, expect, test } from "@jest/globals";
import { sha256 } from "@noble/hashes/sha2.js";
import fc from "fast-check";
import { kernelSource } from "../scripts/kernel-source.ts";
import { createMint, MAX_EFFORT, MintError, type MintTask, mintKernelName, verifyStamp } from "../src/index.ts";
import { type Kernel, plainKernel } from "../src/kernel.ts";
import { SCALAR_KERNEL, SIMD_KERNEL } from "../src/kernel-bytes.ts";
import { chooseKernel } from "../src/kernel-choice.ts";
import { createMintOn } from "../src/mint.ts";
import { writeMidstate, writeStampHash } from "../src/stamp-input.ts";
import { wasmKernel } from "../src/wasm-kernel.ts";

function compiled(base64: string): Kernel {
  const kernel = wasmKernel(base64);
  if (kernel === undefined) throw new Error("this Node does not run the kernel");
  return kernel;
}

const kernels: [string, Kernel][] = [
  ["wasm-simd", compiled(SIMD_KERNEL)],
  ["wasm", compiled(SCALAR_KERNEL)],
  ["plain", plainKernel],
];
const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const word = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const effortOf = fc.oneof(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: MAX_EFFORT }));

/** PROTOCOL §7.4's 72 bytes under a library's SHA-256: the first 32 bits. */
function referenceWord(digest: Uint8Array, effort: number, nonceHigh: number, nonceLow: number): number {
  const input = new Uint8Array(72);
  const view = new DataView(input.buffer);
  input.set(new TextEncoder().encode("starling stamp v1"));
  input.set(digest, 24);
  view.setBigUint64(56, BigInt(effort));
  view.setUint32(64, nonceHigh);
  view.setUint32(68, nonceLow);
  return new DataView(sha256(input).buffer).getUint32(0);
}

function midstateOf(digest: Uint8Array, effort: number): Int32Array {
  const midstate = new Int32Array(8);
  writeMidstate(midstate, digest, effort);
  return midstate;
}

test("the modules in src are those that the scripts write", () => {
  expect(readFileSync(new URL("../src/kernel-bytes.ts", import.meta.url), "utf8")).toBe(kernelSource());
});

test("Node mints with SIMD", () => {
  expect(mintKernelName()).toBe("wasm-simd");
});

test("without SIMD the scalar module mints, without WebAssembly plain JavaScript", () => {
  const withoutSimd = chooseKernel((base64) => (base64 === SIMD_KERNEL ? undefined : wasmKernel(base64)));
  const { WebAssembly: api } = globalThis as { WebAssembly?: object };
  let withoutWebAssembly: string;
  try {
    Reflect.deleteProperty(globalThis, "WebAssembly");
    withoutWebAssembly = chooseKernel(wasmKernel).name;
  } finally {
    Object.assign(globalThis, { WebAssembly: api });
  }
  expect([withoutSimd.name, withoutWebAssembly]).toEqual(["wasm", "plain"]);
});

test("a module that does not compile is no kernel, and no error", () => {
  expect(wasmKernel(SIMD_KERNEL.slice(0, 400))).toBeUndefined();
  expect(wasmKernel("not base64!")).toBeUndefined();
});

describe.each(kernels)("kernel %s", (_name, kernel) => {
  test("computes the hash that a library computes", () => {
    // With the very word as target the nonce is a hit; with one less it is not.
    fc.assert(
      fc.property(bytes(32), effortOf, word, word, (digest, effort, nonceHigh, nonceLow) => {
        const midstate = midstateOf(digest, effort);
        const head = referenceWord(digest, effort, nonceHigh, nonceLow);
        expect(kernel(midstate, nonceHigh, nonceLow, head, 1)).toBe(0);
        if (head > 0) expect(kernel(midstate, nonceHigh, nonceLow, head - 1, 1)).toBe(1);
      }),
      { numRuns: 300 },
    );
  });

  test("finds the first hit of a range, and only within it", () => {
    const tries = fc.integer({ min: 1, max: 70 });
    fc.assert(
      fc.property(bytes(32), word, tries, fc.integer({ min: 0, max: 69 }), (digest, nonceHigh, count, index) => {
        const nonceLow = 2 ** 32 - count;
        const heads = Array.from({ length: count }, (_, at) => referenceWord(digest, 7, nonceHigh, nonceLow + at));
        const target = heads[index % count] ?? 0;
        const first = heads.findIndex((head) => head <= target);
        const midstate = midstateOf(digest, 7);
        expect(kernel(midstate, nonceHigh, nonceLow, target, count)).toBe(first);
        // One try fewer than it takes finds nothing, whatever other lanes saw.
        if (first > 0) expect(kernel(midstate, nonceHigh, nonceLow, target, first)).toBe(first);
      }),
      { numRuns: 200 },
    );
  });

  test("finds the same nonce in one run or in many, carrying into the high word", () => {
    const slices = fc.array(fc.integer({ min: 0, max: 500 }), { minLength: 1, maxLength: 10 });
    fc.assert(
      fc.property(bytes(32), fc.integer({ min: 1, max: 2000 }), slices, (digest, effort, sizes) => {
        const startNonce = Uint8Array.from([255, 255, 255, 255, 255, 255, 254, 200]);
        const whole = createMintOn(plainKernel, { digest, effort, startNonce });
        const nonce = whole.run(2 ** 17);
        const sliced = createMintOn(kernel, { digest, effort, startNonce });
        let found: Uint8Array | undefined;
        for (let turn = 0; found === undefined && turn < 2 ** 17; turn += 1) {
          const before = sliced.hashes;
          const size = (sizes[turn % sizes.length] ?? 0) + 1;
          found = sliced.run(size);
          expect(sliced.hashes - before).toBeLessThanOrEqual(size);
        }
        expect([found, sliced.hashes]).toEqual([nonce, whole.hashes]);
        expect(nonce && verifyStamp({ digest, effort, nonce, floor: effort })).toBe("valid");
      }),
      { numRuns: 40 },
    );
  });

  test("passes over a hit that the exact comparison refuses", () => {
    // Effort 2^31 leaves a target of 2 in the first word: a kernel that reports everything must still give no stamp.
    const eager: Kernel = (midstate, nonceHigh, nonceLow, _target, tries) =>
      kernel(midstate, nonceHigh, nonceLow, 2 ** 32 - 1, tries);
    const mint = createMintOn(eager, { digest: new Uint8Array(32), effort: 2 ** 31, startNonce: new Uint8Array(8) });
    expect([mint.run(100), mint.hashes]).toEqual([undefined, 100]);
  });
});

describe("createMint", () => {
  const task = { digest: new Uint8Array(32).fill(9), effort: 500, startNonce: new Uint8Array(8) };

  test("keeps what it found, and hands out copies", () => {
    const mint = createMint(task);
    expect([mint.run(0), mint.hashes]).toEqual([undefined, 0]);
    const nonce = mint.run(2 ** 16);
    const { hashes } = mint;
    nonce?.fill(1);
    expect(mint.run(100)).not.toEqual(nonce);
    expect(mint.hashes).toBe(hashes);
  });

  test("takes as many hashes as the effort says, in the mean", () => {
    let hashes = 0;
    for (let index = 0; index < 400; index += 1) {
      const digest = new Uint8Array(32).fill(index % 256, 0, 16).fill(index >> 8, 16);
      const mint = createMint({ ...task, digest });
      mint.run(2 ** 20);
      hashes += mint.hashes;
    }
    // The standard deviation of the mean is 5 %; the digests are fixed.
    expect(hashes / 400 / task.effort).toBeGreaterThan(0.85);
    expect(hashes / 400 / task.effort).toBeLessThan(1.15);
  });

  test.each<[string, unknown]>([
    ["task", undefined],
    ["digest", { ...task, digest: new Uint8Array(31) }],
    ["digest", { ...task, digest: "0".repeat(32) }],
    ["startNonce", { ...task, startNonce: new Uint8Array(9) }],
    ["startNonce", { ...task, startNonce: undefined }],
    ["effort", { ...task, effort: 0 }],
    ["effort", { ...task, effort: 2 ** 48 }],
    ["effort", { ...task, effort: Number.NaN }],
  ])("refuses a bad %s by its name (%#)", (argument, bad) => {
    const start = () => createMint(bad as MintTask);
    expect(start).toThrow(MintError);
    expect(start).toThrow(expect.objectContaining({ code: "E_MINT_INPUT", argument }));
    expect(start).toThrow(argument);
  });

  test.each([-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, "5"])("refuses to run %p hashes", (maxHashes) => {
    const run = () => createMint(task).run(maxHashes as number);
    expect(run).toThrow(expect.objectContaining({ code: "E_MINT_INPUT", argument: "maxHashes" }));
  });
});

test("the plain hash is SHA-256 in all its words", () => {
  fc.assert(
    fc.property(bytes(32), effortOf, bytes(8), (digest, effort, nonce) => {
      const input = new Uint8Array(72);
      input.set(new TextEncoder().encode("starling stamp v1"));
      input.set(digest, 24);
      new DataView(input.buffer).setBigUint64(56, BigInt(effort));
      input.set(nonce, 64);
      const state = new Int32Array(8);
      const view = new DataView(nonce.buffer, nonce.byteOffset);
      writeStampHash(state, midstateOf(digest, effort), view.getInt32(0), view.getInt32(4));
      const hash = new DataView(new ArrayBuffer(32));
      for (const [index, value] of state.entries()) hash.setInt32(4 * index, value);
      expect(new Uint8Array(hash.buffer)).toEqual(sha256(input));
    }),
  );
});
