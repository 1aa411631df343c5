import { BloomFilter, RotatingFilter } from "@starling/bloom";
import { expose } from "./expose.ts";

type Given = { image: number[]; key: number[]; items: number[][]; nowMs: number };

expose({
  fixed({ image, key, items }: Given): boolean[] {
    const filter = BloomFilter.restore(Uint8Array.from(image), { key: Uint8Array.from(key) });
    return items.map((item) => filter.has(Uint8Array.from(item)));
  },
  rotating({ image, key, items, nowMs }: Given): { has: boolean[]; image: number[] } {
    const filter = RotatingFilter.restore(Uint8Array.from(image), { key: Uint8Array.from(key), nowMs });
    const has = items.map((item) => filter.has(Uint8Array.from(item)));
    return { has, image: [...filter.save(nowMs)] };
  },
});
