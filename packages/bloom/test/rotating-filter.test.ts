import { describe, expect, test } from "@jest/globals";
import { RotatingFilter, ScalableBloomFilter } from "../src/index.ts";
import { countFound, countingKey, item } from "./support.ts";

describe("RotatingFilter", () => {
  const options = { initialCapacity: 8, maxCapacity: 64, errorRate: 1e-12, key: countingKey };

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

test("its two generations share the error rate, and each takes bits of its own", () => {
  const sizes = { initialCapacity: 1_000, maxCapacity: 8_000 };
  const alone = new ScalableBloomFilter({ ...sizes, errorRate: 1e-6 / 2, key: countingKey });
  alone.add(item(1, 1));
  const filter = new RotatingFilter({ ...sizes, errorRate: 1e-6, key: countingKey, rotationMs: 1_000, nowMs: 0 });
  expect(filter.sizeBytes).toBe(0);
  filter.add(item(1, 1), 0);
  expect(filter.sizeBytes).toBe(alone.sizeBytes);
  filter.add(item(1, 2), 1_000);
  expect([filter.sizeBytes, filter.count]).toEqual([2 * alone.sizeBytes, 2]);
  filter.advance(2_000);
  expect([filter.sizeBytes, filter.count]).toEqual([alone.sizeBytes, 1]);
});
