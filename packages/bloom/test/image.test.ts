// Saving and restoring. An image comes from a disk, which may be damaged, or in the hands of others.
import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { BloomFilter, RotatingFilter, ScalableBloomFilter } from "../src/index.ts";
import { codeOf, countingKey, item } from "./support.ts";

const key = countingKey;
const fixed = { capacity: 20, errorRate: 0.01, key };
const scaling = { initialCapacity: 4, maxCapacity: 40, errorRate: 0.01, key };
const rotating = { ...scaling, rotationMs: 1000, nowMs: 0 };

type Any = {
  add(item: Uint8Array): unknown;
  has(item: Uint8Array): boolean;
  save(): Uint8Array;
  count: number;
  sizeBytes: number;
};
type Kind = { name: string; create(): Any; restore(image: Uint8Array, key: Uint8Array): Any };

/** At the time at which it stands. */
const still = (filter: RotatingFilter): Any => ({
  add: (bytes) => filter.add(bytes, 0),
  has: (bytes) => filter.has(bytes),
  save: () => filter.save(0),
  get count() {
    return filter.count;
  },
  get sizeBytes() {
    return filter.sizeBytes;
  },
});

const kinds: Kind[] = [
  {
    name: "BloomFilter",
    create: () => new BloomFilter(fixed),
    restore: (image, of) => BloomFilter.restore(image, { key: of }),
  },
  {
    name: "ScalableBloomFilter",
    create: () => new ScalableBloomFilter(scaling),
    restore: (image, of) => ScalableBloomFilter.restore(image, { key: of }),
  },
  {
    name: "RotatingFilter",
    create: () => {
      const filter = new RotatingFilter({ ...rotating, nowMs: -1000 });
      for (let index = 0; index < 6; index += 1) filter.add(item(9, index), -500);
      filter.advance(0);
      return still(filter);
    },
    restore: (image, of) => still(RotatingFilter.restore(image, { key: of, nowMs: 0 })),
  },
];

function imageOf(kind: Kind, items: number): Uint8Array {
  const filter = kind.create();
  for (let index = 0; index < items; index += 1) filter.add(item(1, index));
  return filter.save();
}

describe.each(kinds)("an image of a $name", (kind) => {
  test("restores a filter that does what the saved one does, from there on too", () => {
    const indices = fc.array(fc.integer({ min: 0, max: 100 }), { maxLength: 60 });
    fc.assert(
      fc.property(indices, indices, (before, after) => {
        const saved = kind.create();
        for (const index of before) saved.add(item(1, index));
        const image = saved.save();
        const restored = kind.restore(image, key);
        image.fill(0xff);
        expect([restored.count, restored.sizeBytes]).toEqual([saved.count, saved.sizeBytes]);
        for (const index of after) expect(restored.add(item(1, index))).toBe(saved.add(item(1, index)));
        for (let index = 0; index <= 100; index += 1)
          expect(restored.has(item(1, index))).toBe(saved.has(item(1, index)));
        expect(Buffer.from(restored.save()).equals(saved.save())).toBe(true);
      }),
    );
  });

  test.each([0, 4, 17])("with %d items is refused whichever bit is flipped", (items) => {
    const image = imageOf(kind, items);
    for (let bit = 0; bit < 8 * image.length; bit += 1) {
      const flipped = image.slice();
      flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7));
      const code = codeOf(() => kind.restore(flipped, key));
      expect([bit, code]).toEqual([bit, bit >> 3 === 4 ? "E_BLOOM_IMAGE_VERSION" : "E_BLOOM_IMAGE"]);
    }
    expect(codeOf(() => kind.restore(image, key))).toBe("no error");
  });

  test("is refused cut short anywhere, and with anything after it", () => {
    const image = imageOf(kind, 17);
    for (let length = 0; length < image.length; length += 1) {
      expect([length, codeOf(() => kind.restore(image.subarray(0, length), key))]).toEqual([length, "E_BLOOM_IMAGE"]);
      expect([length, codeOf(() => kind.restore(image.subarray(image.length - length), key))]).toEqual([
        length,
        "E_BLOOM_IMAGE",
      ]);
    }
    expect(codeOf(() => kind.restore(Uint8Array.of(...image, 0), key))).toBe("E_BLOOM_IMAGE");
  });

  test("is refused with any bytes replaced, and any bytes at all are", () => {
    const image = imageOf(kind, 17);
    const at = fc.integer({ min: 0, max: image.length - 1 });
    fc.assert(
      fc.property(at, fc.uint8Array({ minLength: 1, maxLength: 64 }), (start, bytes) => {
        const patched = image.slice();
        patched.set(bytes.subarray(0, image.length - start), start);
        const isChanged = patched.some((byte, index) => byte !== image[index]);
        const code = codeOf(() => kind.restore(patched, key));
        expect(code).toMatch(isChanged ? /^E_BLOOM_IMAGE(_VERSION)?$/ : /^no error$/);
      }),
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(codeOf(() => kind.restore(bytes, key))).toBe("E_BLOOM_IMAGE");
        const headed = Uint8Array.of(...image.subarray(0, 6), ...bytes);
        expect(codeOf(() => kind.restore(headed, key))).toBe("E_BLOOM_IMAGE");
      }),
    );
  });

  test("is refused under another key, and does not contain its own", () => {
    const other = key.slice();
    other[15] = 0xff;
    const image = Buffer.from(imageOf(kind, 17));
    expect(codeOf(() => kind.restore(image, other))).toBe("E_BLOOM_IMAGE");
    for (let start = 0; start <= 12; start += 1)
      expect(image.includes(Buffer.from(key.subarray(start, start + 4)))).toBe(false);
  });

  test("is refused by the other kinds, and as anything but bytes", () => {
    const image = imageOf(kind, 4);
    const codes = kinds.map((other) => codeOf(() => other.restore(image, key)));
    expect(codes).toEqual(kinds.map((other) => (other === kind ? "no error" : "E_BLOOM_IMAGE_KIND")));
    for (const odd of [undefined, null, "SBLM", [...image], image.buffer, new DataView(image.buffer)]) {
      expect(codeOf(() => kind.restore(odd as never, key))).toBe("E_BLOOM_IMAGE");
    }
    expect(codeOf(() => kind.restore(image, new Uint8Array(15)))).toBe("E_BLOOM_KEY");
  });

  test("may stand anywhere in a greater buffer", () => {
    const image = imageOf(kind, 17);
    const around = Uint8Array.of(1, 2, 3, ...image, 4);
    expect(codeOf(() => kind.restore(around.subarray(3, 3 + image.length), key))).toBe("no error");
  });
});
