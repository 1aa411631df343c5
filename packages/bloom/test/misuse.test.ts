import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { requireCapacity } from "../src/checks.ts";
import { BloomFilter, RotatingFilter, ScalableBloomFilter } from "../src/index.ts";
import { planSlices } from "../src/scaling-plan.ts";
import { codeOf, countingKey } from "./support.ts";

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

  test("what is allowed ends where it is said to end", () => {
    const edges = (name: "growth" | "tightening" | "errorRate", values: readonly number[]) =>
      values.map((value) => codeOf(() => new ScalableBloomFilter({ ...scaling, [name]: value })) === "no error");
    expect(edges("growth", [1.49, 1.5, 16, 16.01])).toEqual([false, true, true, false]);
    expect(edges("tightening", [0.09, 0.1, 0.95, 0.96])).toEqual([false, true, true, false]);
    expect(edges("errorRate", [0.99e-12, 1e-12, 0.5, 0.51])).toEqual([false, true, true, false]);
    const capacities = (initialCapacity: number, maxCapacity: number) =>
      codeOf(() => new ScalableBloomFilter({ ...scaling, initialCapacity, maxCapacity }));
    expect([capacities(1, 1), capacities(2, 2), capacities(3, 2)]).toEqual([
      "no error",
      "no error",
      "E_BLOOM_MAX_CAPACITY",
    ]);
    // As many bits as 32 bits can name, less one word; none of them is taken before the first item.
    const most = Math.floor((2 ** 32 - 32) * Math.LN2);
    const takes = (capacity: number) =>
      codeOf(() => requireCapacity("E_BLOOM_CAPACITY", "capacity", capacity, 0.5)) === "no error";
    expect([takes(most), takes(most + 1)]).toEqual([true, false]);
  });

  test("a message names what was passed: a number as it is, null, and of anything else the type alone", () => {
    const saying = (text: string) => expect.objectContaining({ message: expect.stringContaining(text) });
    const withRate = (errorRate: unknown) => () => new BloomFilter({ ...fixed, errorRate: errorRate as number });
    expect(withRate(0.75)).toThrow(saying("errorRate must be a number from 1e-12 to 0.5, not 0.75"));
    expect(withRate(null)).toThrow(saying("not null"));
    expect(withRate("0.01")).toThrow(saying("not a value of type string"));
    const image = new RotatingFilter(rotating).save(0);
    const since = { key: countingKey, nowMs: 0, elapsedMs: -1 };
    expect(() => RotatingFilter.restore(image, since)).toThrow(saying("elapsedMs"));
  });

  test("a last slice whose tighter rate asks for more bits than there can be", () => {
    const plan = { initialCapacity: 1e9, maxCapacity: 2.9e9, errorRate: 0.5, growth: 16 };
    const refused = { code: "E_BLOOM_MAX_CAPACITY", message: expect.stringContaining("maxCapacity") };
    expect(() => planSlices({ ...plan, tightening: 0.1 }, 1)).toThrow(expect.objectContaining(refused));
    expect(planSlices({ ...plan, maxCapacity: 1e9 }, 1).slices).toHaveLength(1);
  });

  test("the tightest rate is allowed in every kind", () => {
    expect(codeOf(() => new BloomFilter({ ...fixed, errorRate: 1e-12 }))).toBe("no error");
    expect(codeOf(() => new RotatingFilter({ ...rotating, errorRate: 1e-12 }))).toBe("no error");
  });

  // BloomFilter takes its memory at once; a capacity that is merely large is not misuse, and not for this machine.
  const anything = fc
    .oneof(fc.anything({ withBigInt: true, withTypedArray: true, withNullPrototype: true }), fc.double(), fc.string())
    .filter((value) => !(typeof value === "number" && value > 100_000));
  const oddNumbers = fc.constantFrom<unknown>(
    "1",
    "0.01",
    [1],
    1n,
    true,
    null,
    Symbol("one"),
    new Number(1),
    {},
    new Date(),
  );

  test.each<[string, string, (value: unknown) => unknown]>([
    ["E_BLOOM_CAPACITY", "capacity", (capacity) => new BloomFilter({ ...fixed, capacity } as never)],
    ["E_BLOOM_ERROR_RATE", "errorRate", (errorRate) => new BloomFilter({ ...fixed, errorRate } as never)],
    ["E_BLOOM_KEY", "key", (key) => new BloomFilter({ ...fixed, key } as never)],
    ["E_BLOOM_KEY", "key", (key) => new ScalableBloomFilter({ ...scaling, key } as never)],
    ["E_BLOOM_KEY", "key", (key) => new RotatingFilter({ ...rotating, key } as never)],
    [
      "E_BLOOM_INITIAL_CAPACITY",
      "initialCapacity",
      (initialCapacity) => new ScalableBloomFilter({ ...scaling, maxCapacity: 100_000, initialCapacity } as never),
    ],
    ["E_BLOOM_MAX_CAPACITY", "maxCapacity", (maxCapacity) => new RotatingFilter({ ...rotating, maxCapacity } as never)],
    ["E_BLOOM_GROWTH", "growth", (growth) => new ScalableBloomFilter({ ...scaling, growth } as never)],
    ["E_BLOOM_TIGHTENING", "tightening", (tightening) => new RotatingFilter({ ...rotating, tightening } as never)],
    ["E_BLOOM_ROTATION_MS", "rotationMs", (rotationMs) => new RotatingFilter({ ...rotating, rotationMs } as never)],
    ["E_BLOOM_NOW_MS", "nowMs", (nowMs) => new RotatingFilter({ ...rotating, nowMs } as never)],
    ["E_BLOOM_NOW_MS", "nowMs", (nowMs) => new RotatingFilter(rotating).advance(nowMs as never)],
    ["E_BLOOM_NOW_MS", "nowMs", (nowMs) => new RotatingFilter(rotating).save(nowMs as never)],
    ["E_BLOOM_NOW_MS", "nowMs", (nowMs) => new RotatingFilter(rotating).add(countingKey, nowMs as never)],
    ["E_BLOOM_ITEM", "item", (item) => new BloomFilter(fixed).has(item as never)],
    ["E_BLOOM_ITEM", "item", (item) => new BloomFilter(fixed).add(item as never)],
    ["E_BLOOM_ITEM", "item", (item) => new ScalableBloomFilter(scaling).add(item as never)],
    ["E_BLOOM_ITEM", "item", (item) => new RotatingFilter(rotating).add(item as never, 0)],
    ["E_BLOOM_OPTIONS", "options", (options) => new BloomFilter(options as never)],
    ["E_BLOOM_OPTIONS", "options", (options) => new ScalableBloomFilter(options as never)],
    ["E_BLOOM_OPTIONS", "options", (options) => new RotatingFilter(options as never)],
    ["E_BLOOM_OPTIONS", "options", (options) => BloomFilter.restore(new BloomFilter(fixed).save(), options as never)],
  ])("whatever is passed as it, %s and a message naming %s, or it works", (code, name, action) => {
    const check = (value: unknown): void => {
      // An object without the right fields is options, and blames the first of those.
      if (code === "E_BLOOM_OPTIONS" && typeof value === "object" && value !== null) return;
      try {
        action(value);
      } catch (error) {
        expect(error).toMatchObject({ name: "BloomError", code, message: expect.stringContaining(name) });
        return;
      }
      // Not given at all is the default, of those that have one.
      expect(["number", "undefined", "object"]).toContain(typeof value);
      if (typeof value === "object") expect(value).toBeInstanceOf(Uint8Array);
    };
    fc.assert(fc.property(fc.oneof(anything, oddNumbers), check));
    for (const value of [undefined, Number.NaN, Number.POSITIVE_INFINITY, -1]) check(value);
  });

  test("an argument that is refused changes nothing", () => {
    const filter = new RotatingFilter(rotating);
    filter.add(countingKey, 0);
    expect(codeOf(() => filter.add("text" as never, 1000))).toBe("E_BLOOM_ITEM");
    expect(codeOf(() => filter.add(countingKey, Number.NaN))).toBe("E_BLOOM_NOW_MS");
    expect([filter.count, filter.nextRotationMs]).toEqual([1, 100]);
  });
});

test("bytes of any length and content are an item", () => {
  const filters = [
    new BloomFilter({ capacity: 10_000, errorRate: 1e-12, key: countingKey }),
    new ScalableBloomFilter({ initialCapacity: 10, maxCapacity: 10_000, errorRate: 1e-12, key: countingKey }),
  ];
  fc.assert(
    fc.property(fc.uint8Array({ size: "large" }), (bytes) => {
      for (const filter of filters) {
        filter.add(bytes);
        expect(filter.has(bytes)).toBe(true);
        expect(filter.has(Buffer.from(bytes))).toBe(true);
        // Leading and trailing zeros make another item.
        expect(filter.has(Uint8Array.of(...bytes, 0xa5, 0))).toBe(false);
      }
    }),
  );
});
