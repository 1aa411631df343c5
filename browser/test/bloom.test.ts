import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { BloomFilter, RotatingFilter } from "@starling/bloom";
import { BrowserPage } from "./browser-page.ts";

const key = randomBytes(16);
const items = Array.from({ length: 1000 }, () => randomBytes(32));
const kept = items.slice(0, 500);
const list = (bytes: Uint8Array): number[] => [...bytes];
let page: BrowserPage;

beforeAll(async () => {
  page = await BrowserPage.open("bloom");
}, 30_000);
afterAll(() => page.close());

describe("bloom in Chromium beside Node", () => {
  test("a saved filter gives every answer that it gave", async () => {
    const filter = new BloomFilter({ capacity: 500, errorRate: 0.01, key });
    for (const item of kept) filter.add(item);
    const given = { image: list(filter.save()), key: list(key), items: items.map(list), nowMs: 0 };
    const answers = items.map((item) => filter.has(item));
    expect(answers.slice(0, 500).every(Boolean)).toBe(true);
    expect(await page.call("fixed", given)).toEqual(answers);
  });

  test("a rotating one too, and its image is the same bytes when the page saves it again", async () => {
    const settings = { rotationMs: 1000, initialCapacity: 100, maxCapacity: 1000, errorRate: 0.001, key };
    const filter = new RotatingFilter({ ...settings, nowMs: 0 });
    for (const [at, item] of kept.entries()) filter.add(item, at * 3);
    const image = list(filter.save(1500));
    const given = { image, key: list(key), items: items.map(list), nowMs: 0 };
    expect(await page.call("rotating", given)).toEqual({ has: items.map((item) => filter.has(item)), image });
  });

  test("the page complained of nothing, and the bundle is small", () => {
    expect(page.complaints).toEqual([]);
    expect(page.bundleBytes).toBeLessThan(16_000);
  });
});
