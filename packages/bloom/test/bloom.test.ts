import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { sliceSize } from "../src/bit-slice.ts";
import { BloomFilter, ScalableBloomFilter } from "../src/index.ts";
import { planSlices } from "../src/scaling-plan.ts";
import { countFound, countingKey, item } from "./support.ts";

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
    // At the loosest rate one position is enough.
    expect(sliceSize(100, 0.5)).toEqual({ bits: 160, positions: 1 });
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
  test("is planned slice by slice: each so many times greater, rounded up, the last with what is left; rates that sum to the whole", () => {
    const plan = (growth: number, tightening: number, stacks: number) =>
      planSlices({ initialCapacity: 3, maxCapacity: 100, errorRate: 0.01, growth, tightening }, stacks).slices;
    expect(plan(1.5, 0.5, 1).map(({ capacity }) => capacity)).toEqual([3, 5, 8, 12, 18, 27, 27]);
    for (const stacks of [1, 2]) {
      const rates = plan(4, 0.5, stacks).map(({ errorRate }) => errorRate);
      expect(rates.map((rate) => rate / (rates[0] ?? 0))).toEqual([1, 0.5, 0.25, 0.125]);
      expect(rates.reduce((sum, rate) => sum + rate, 0)).toBeCloseTo(0.01 / stacks, 12);
    }
  });

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
