import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { sliceSize } from "../src/bit-slice.ts";
import { BloomError, BloomFilter, RotatingFilter, ScalableBloomFilter } from "../src/index.ts";
import { sipHash, sipKey } from "../src/siphash.ts";
import { sipHash13Vectors, sipHash24Vectors } from "./siphash-vectors.ts";

const countingKey = Uint8Array.from({ length: 16 }, (_, index) => index);

/** The index-th of a family of distinct items; `seed` chooses the family. */
function item(seed: number, index: number): Uint8Array {
  const bytes = new Uint8Array(12);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, seed);
  view.setUint32(8, index);
  return bytes;
}

function countFound(filter: { has(item: Uint8Array): boolean }, seed: number, probes: number): number {
  const bytes = item(seed, 0);
  const view = new DataView(bytes.buffer);
  let found = 0;
  for (let index = 0; index < probes; index += 1) {
    view.setUint32(8, index);
    if (filter.has(bytes)) found += 1;
  }
  return found;
}

const codeOf = (action: () => unknown): unknown => {
  try {
    action();
  } catch (error) {
    return error instanceof BloomError ? error.code : error;
  }
  return "no error";
};

describe("SipHash", () => {
  const hashOf = (bytes: Uint8Array, c: number, d: number): string => {
    const out = new Int32Array(2);
    sipHash(sipKey(countingKey), bytes, out, c, d);
    const view = new DataView(new ArrayBuffer(8));
    view.setInt32(0, out[0] ?? 0, true);
    view.setInt32(4, out[1] ?? 0, true);
    return Buffer.from(view.buffer).toString("hex");
  };
  const messages = Array.from({ length: 64 }, (_, length) => Uint8Array.from({ length }, (_byte, index) => index));

  test("2-4 gives the vectors of its authors", () => {
    expect(messages.map((message) => hashOf(message, 2, 4))).toEqual(sipHash24Vectors);
  });

  test("1-3, which the filters use, gives the vectors of the Rust library", () => {
    expect(messages.map((message) => hashOf(message, 1, 3))).toEqual(sipHash13Vectors);
  });
});

describe("BloomFilter", () => {
  test("finds whatever was added", () => {
    const items = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 200 });
    fc.assert(
      fc.property(items, fc.uint8Array({ minLength: 16, maxLength: 16 }), (added, key) => {
        const filter = new BloomFilter({ capacity: 50, errorRate: 0.01, key });
        for (const bytes of added) filter.add(bytes);
        expect(added.every((bytes) => filter.has(bytes))).toBe(true);
      }),
    );
  });

  test.each([
    [0.01, 20_000, 200_000],
    [0.001, 5000, 300_000],
    [0.0001, 2000, 600_000],
  ])("at capacity finds strangers at %d, no more and no less", (errorRate, capacity, probes) => {
    const filter = new BloomFilter({ capacity, errorRate, key: countingKey });
    for (let index = 0; index < capacity; index += 1) filter.add(item(1, index));
    const expected = errorRate * probes;
    const found = countFound(filter, 2, probes);
    // Four standard deviations, and the fill of a small filter; the seeds are fixed, so this passes always or never.
    expect(Math.abs(found - expected)).toBeLessThan(4 * Math.sqrt(expected) + 0.02 * expected);
  });

  test("keeps a rate at which two items must not share their positions by chance", () => {
    // With the positions of the textbook, reduced before they are added up, this finds about twelve.
    const filter = new BloomFilter({ capacity: 64, errorRate: 1e-9, key: countingKey });
    for (let index = 0; index < 64; index += 1) filter.add(item(1, index));
    expect(countFound(filter, 2, 1_500_000)).toBe(0);
  });

  test("is as small as theory allows", () => {
    for (const errorRate of [0.1, 0.01, 1e-4, 1e-6, 1e-9, 1e-12]) {
      const theory = (10_000 * -Math.log(errorRate)) / Math.LN2 ** 2;
      expect(sliceSize(10_000, errorRate).bits / theory).toBeLessThan(1.03);
    }
    expect(new BloomFilter({ capacity: 10_000, errorRate: 1e-9, key: countingKey }).sizeBytes).toBe(53_920);
  });

  test("counts what was new", () => {
    const filter = new BloomFilter({ capacity: 100, errorRate: 1e-9, key: countingKey });
    for (let turn = 0; turn < 3; turn += 1) {
      for (let index = 0; index < 100; index += 1) filter.add(item(1, index));
    }
    expect(filter.count).toBe(100);
  });

  test("two keys place the same item differently", () => {
    const one = new BloomFilter({ capacity: 100, errorRate: 1e-9, key: countingKey });
    const other = new BloomFilter({ capacity: 100, errorRate: 1e-9, key: countingKey.map((byte) => byte ^ 0x80) });
    one.add(item(1, 1));
    expect([one.has(item(1, 1)), other.has(item(1, 1))]).toEqual([true, false]);
  });
});

describe("ScalableBloomFilter", () => {
  const options = { initialCapacity: 500, maxCapacity: 16_000, errorRate: 0.01, key: countingKey };

  test("keeps its rate over all slices, full to the cap", () => {
    const filter = new ScalableBloomFilter(options);
    let refused = 0;
    for (let index = 0; filter.count < 16_000; index += 1) refused += filter.add(item(1, index)) ? 0 : 1;
    expect(refused).toBe(0);
    expect(countFound(filter, 2, 200_000)).toBeLessThan(1.1 * 0.01 * 200_000);
    const theory = (16_000 * -Math.log(0.01)) / Math.LN2 ** 2 / 8;
    expect(filter.sizeBytes / theory).toBeLessThan(2);
  });

  test("refuses what is beyond the cap, and forgets nothing", () => {
    const items = fc.uniqueArray(fc.integer({ min: 0, max: 100_000 }), { minLength: 1, maxLength: 120 });
    fc.assert(
      fc.property(items, fc.integer({ min: 1, max: 20 }), fc.integer({ min: 0, max: 60 }), (indices, first, more) => {
        const filter = new ScalableBloomFilter({
          ...options,
          errorRate: 1e-9,
          initialCapacity: first,
          maxCapacity: first + more,
        });
        const stored = indices.filter((index) => filter.add(item(1, index)));
        expect(stored).toEqual(indices.slice(0, first + more));
        expect(filter.count).toBe(stored.length);
        expect(indices.filter((index) => filter.has(item(1, index)))).toEqual(stored);
        // What is known already is still welcome.
        expect(stored.every((index) => filter.add(item(1, index)))).toBe(true);
      }),
    );
  });

  test("grows only with its items", () => {
    const filter = new ScalableBloomFilter({ ...options, maxCapacity: 1_000_000 });
    expect(filter.sizeBytes).toBe(0);
    filter.add(item(1, 0));
    const one = filter.sizeBytes;
    for (let index = 0; index < 400; index += 1) filter.add(item(1, index));
    expect(filter.sizeBytes).toBe(one);
    for (let index = 0; index < 600; index += 1) filter.add(item(1, index));
    expect(filter.sizeBytes).toBeGreaterThan(2 * one);
  });
});

describe("RotatingFilter", () => {
  const options = { initialCapacity: 8, maxCapacity: 64, errorRate: 1e-12, key: countingKey };

  test("never forgets what it accepted within rotationMs, and keeps nothing for two of them", () => {
    const step = fc.record({
      forwardMs: fc.oneof(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 400 }), fc.constant(-5)),
      index: fc.integer({ min: 0, max: 60 }),
      adds: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), fc.integer({ min: 1, max: 150 }), (steps, rotationMs) => {
        let nowMs = 1000;
        let latestMs = nowMs;
        const filter = new RotatingFilter({ ...options, rotationMs, nowMs });
        const acceptedAtMs = new Map<number, number>();
        for (const { forwardMs, index, adds } of steps) {
          nowMs += forwardMs;
          latestMs = Math.max(latestMs, nowMs);
          if (!adds) filter.advance(nowMs);
          else if (filter.add(item(1, index), nowMs)) acceptedAtMs.set(index, latestMs);
          for (const [known, atMs] of acceptedAtMs) {
            if (latestMs - atMs <= rotationMs) expect(filter.has(item(1, known))).toBe(true);
            if (latestMs - atMs >= 2 * rotationMs) expect(filter.has(item(1, known))).toBe(false);
          }
          expect(filter.nextRotationMs).toBeGreaterThan(latestMs);
        }
      }),
      { numRuns: 300 },
    );
  });

  test("rotates on the whole multiples of rotationMs, and is empty after two of silence", () => {
    const filter = new RotatingFilter({ ...options, rotationMs: 100, nowMs: 50 });
    expect(filter.nextRotationMs).toBe(150);
    filter.add(item(1, 1), 149);
    filter.advance(150);
    expect([filter.nextRotationMs, filter.has(item(1, 1)), filter.count]).toEqual([250, true, 1]);
    filter.advance(249);
    expect(filter.has(item(1, 1))).toBe(true);
    filter.advance(250);
    expect([filter.nextRotationMs, filter.has(item(1, 1)), filter.sizeBytes]).toEqual([350, false, 0]);
    filter.add(item(1, 2), 300);
    filter.advance(575);
    expect([filter.nextRotationMs, filter.count, filter.sizeBytes]).toEqual([650, 0, 0]);
  });

  test("an item accepted again is remembered anew", () => {
    const filter = new RotatingFilter({ ...options, rotationMs: 100, nowMs: 0 });
    filter.add(item(1, 1), 0);
    filter.add(item(1, 1), 190);
    filter.advance(299);
    expect(filter.has(item(1, 1))).toBe(true);
  });

  test("time that steps back neither rotates nor throws", () => {
    const filter = new RotatingFilter({ ...options, rotationMs: 100, nowMs: 1000 });
    expect(filter.add(item(1, 1), -1e9)).toBe(true);
    filter.advance(0);
    expect([filter.has(item(1, 1)), filter.nextRotationMs]).toEqual([true, 1100]);
  });

  test("the cap is one of each generation, and a full one opens again", () => {
    const filter = new RotatingFilter({ ...options, maxCapacity: 8, rotationMs: 100, nowMs: 0 });
    const addAll = (seed: number, nowMs: number) =>
      Array.from({ length: 10 }, (_, index) => filter.add(item(seed, index), nowMs)).filter(Boolean).length;
    expect([addAll(1, 0), addAll(2, 99), addAll(3, 100), filter.count]).toEqual([8, 0, 8, 16]);
  });

  test("holds its error rate with both generations full", () => {
    const wide = { ...options, errorRate: 0.01, initialCapacity: 1000, maxCapacity: 4000 };
    const filter = new RotatingFilter({ ...wide, rotationMs: 100, nowMs: 0 });
    for (let index = 0; filter.count < 4000; index += 1) filter.add(item(1, index), 0);
    for (let index = 0; filter.count < 8000; index += 1) filter.add(item(2, index), 100);
    expect(countFound(filter, 3, 200_000)).toBeLessThan(1.1 * 0.01 * 200_000);
  });
});

describe("misuse", () => {
  const fixed = { capacity: 10, errorRate: 0.01, key: countingKey };
  const scaling = { initialCapacity: 10, maxCapacity: 100, errorRate: 0.01, key: countingKey };
  const rotating = { ...scaling, rotationMs: 100, nowMs: 0 };

  test.each<[string, () => unknown]>([
    ["E_BLOOM_CAPACITY", () => new BloomFilter({ ...fixed, capacity: 0 })],
    ["E_BLOOM_CAPACITY", () => new BloomFilter({ ...fixed, capacity: 1.5 })],
    ["E_BLOOM_CAPACITY", () => new BloomFilter({ ...fixed, capacity: 2 ** 40 })],
    ["E_BLOOM_ERROR_RATE", () => new BloomFilter({ ...fixed, errorRate: 0 })],
    ["E_BLOOM_ERROR_RATE", () => new BloomFilter({ ...fixed, errorRate: 1e-13 })],
    ["E_BLOOM_ERROR_RATE", () => new BloomFilter({ ...fixed, errorRate: Number.NaN })],
    ["E_BLOOM_KEY", () => new BloomFilter({ ...fixed, key: new Uint8Array(15) })],
    ["E_BLOOM_KEY", () => new ScalableBloomFilter({ ...scaling, key: new Uint8Array(32) })],
    ["E_BLOOM_INITIAL_CAPACITY", () => new ScalableBloomFilter({ ...scaling, initialCapacity: -1 })],
    ["E_BLOOM_MAX_CAPACITY", () => new ScalableBloomFilter({ ...scaling, maxCapacity: 9 })],
    ["E_BLOOM_MAX_CAPACITY", () => new ScalableBloomFilter({ ...scaling, maxCapacity: 2 ** 40 })],
    ["E_BLOOM_GROWTH", () => new ScalableBloomFilter({ ...scaling, growth: 1 })],
    ["E_BLOOM_TIGHTENING", () => new ScalableBloomFilter({ ...scaling, tightening: 1 })],
    ["E_BLOOM_ROTATION_MS", () => new RotatingFilter({ ...rotating, rotationMs: 0 })],
    ["E_BLOOM_NOW_MS", () => new RotatingFilter({ ...rotating, nowMs: Number.NaN })],
    ["E_BLOOM_NOW_MS", () => new RotatingFilter(rotating).advance(Number.POSITIVE_INFINITY)],
  ])("throws %s", (code, action) => {
    expect(codeOf(action)).toBe(code);
  });

  test("the tightest rate is allowed in every kind", () => {
    expect(codeOf(() => new BloomFilter({ ...fixed, errorRate: 1e-12 }))).toBe("no error");
    expect(codeOf(() => new RotatingFilter({ ...rotating, errorRate: 1e-12 }))).toBe("no error");
  });
});
