// What is in an image, byte by byte (tags and bits were worked out by a second implementation too), and images whose tag is right
// but whose content cannot be.
import { describe, expect, test } from "@jest/globals";
import { sliceSize } from "../src/bit-slice.ts";
import { type ImageKind, ImageWriter } from "../src/image.ts";
import { BloomFilter, RotatingFilter, ScalableBloomFilter } from "../src/index.ts";
import { ItemHasher } from "../src/item-hasher.ts";
import { codeOf, item, countingKey as key } from "./support.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const bytesOf = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(/\s/g, ""), "hex"));

describe("golden images", () => {
  const goldenFixed = `
    53424c4d01017b14 ae47e17a843f0600 0000030000004000 00000725960e2400 0043d16960498956 263f84
  `;
  const goldenScalable = `
    53424c4d01020000 00000000d03f0200 00000a0000000000 0000000008400000 00000000e83f0300 0000022000000003
    810000d120000000 043060000094e61a 9cda12cb5a
  `;
  const goldenRotating = `
    53424c4d01037b14 ae47e17a843f0200 00000a0000000000 0000000000400000 00000000e03f0000 000000408f400000
    000000506f400100 0000012000000008 400280d101000000 012000000008870b 008092cd17f3dc38 d006
  `;

  test("of a BloomFilter, both ways", () => {
    const filter = new BloomFilter({ capacity: 6, errorRate: 0.01, key });
    for (let index = 0; index < 3; index += 1) filter.add(item(1, index));
    expect(hex(filter.save())).toBe(hex(bytesOf(goldenFixed)));
    const restored = BloomFilter.restore(bytesOf(goldenFixed), { key });
    expect([restored.count, restored.has(item(1, 2)), restored.has(item(1, 3))]).toEqual([3, true, false]);
  });

  test("of a ScalableBloomFilter, both ways", () => {
    const options = { initialCapacity: 2, maxCapacity: 10, errorRate: 0.25, growth: 3, tightening: 0.75, key };
    const filter = new ScalableBloomFilter(options);
    for (let index = 0; index < 3; index += 1) filter.add(item(1, index));
    expect(hex(filter.save())).toBe(hex(bytesOf(goldenScalable)));
    const restored = ScalableBloomFilter.restore(bytesOf(goldenScalable), { key });
    expect([restored.count, restored.has(item(1, 2)), restored.has(item(1, 3))]).toEqual([3, true, false]);
  });

  test("of a RotatingFilter, both ways", () => {
    const options = { initialCapacity: 2, maxCapacity: 10, errorRate: 0.01, rotationMs: 1000, key };
    const filter = new RotatingFilter({ ...options, nowMs: 0 });
    filter.add(item(1, 0), 900);
    filter.add(item(1, 1), 1250);
    expect(hex(filter.save(1250.5))).toBe(hex(bytesOf(goldenRotating)));
    const restored = RotatingFilter.restore(bytesOf(goldenRotating), { key, nowMs: 70_000 });
    expect([restored.count, restored.nextRotationMs]).toEqual([2, 70_749.5]);
    expect([0, 1, 2].map((index) => restored.has(item(1, index)))).toEqual([true, true, false]);
    restored.advance(70_749.5);
    expect([0, 1, 2].map((index) => restored.has(item(1, index)))).toEqual([false, true, false]);
  });
});

describe("restoring a RotatingFilter", () => {
  const image = (): Uint8Array => {
    const filter = new RotatingFilter({
      initialCapacity: 4,
      maxCapacity: 4,
      errorRate: 0.01,
      rotationMs: 1000,
      nowMs: 0,
      key,
    });
    filter.add(item(1, 0), 600);
    return filter.save(600);
  };
  const restore = (options: object): RotatingFilter => RotatingFilter.restore(image(), { key, nowMs: 0, ...options });

  test("goes on where it stopped, unless it is told how long ago that was", () => {
    const holds = (elapsedMs: number) => restore({ elapsedMs }).has(item(1, 0));
    expect(restore({}).nextRotationMs).toBe(400);
    expect([0, 399, 400, 1399, 1400, 1e15].map(holds)).toEqual([true, true, true, true, false, false]);
    expect(restore({ elapsedMs: 1399 }).nextRotationMs).toBe(1);
  });

  test.each<[string, object]>([
    ["E_BLOOM_NOW_MS", { nowMs: undefined }],
    ["E_BLOOM_NOW_MS", { nowMs: Number.NaN }],
    ["E_BLOOM_ELAPSED_MS", { elapsedMs: -1 }],
    ["E_BLOOM_ELAPSED_MS", { elapsedMs: "1" }],
    ["E_BLOOM_KEY", { key: "secret" }],
  ])("throws %s for %o", (code, options) => {
    expect(codeOf(() => restore(options))).toBe(code);
  });

  test("by a filter whose time stepped back keeps for longer", () => {
    const filter = new RotatingFilter({
      initialCapacity: 4,
      maxCapacity: 4,
      errorRate: 0.01,
      rotationMs: 1000,
      nowMs: 0,
      key,
    });
    filter.add(item(1, 0), 600);
    expect(RotatingFilter.restore(filter.save(-5000), { key, nowMs: 0 }).nextRotationMs).toBe(1000);
  });
});

describe("an image that its key's holder made, and that cannot be, is refused", () => {
  const seal = (kind: ImageKind, write: (image: ImageWriter) => void): Uint8Array => {
    const image = new ImageWriter(kind, 4096);
    write(image);
    return image.seal(new ItemHasher(key).imageKey());
  };
  const slice = (image: ImageWriter, bits: number, positions: number, bytes = bits / 8): void => {
    image.u32(bits);
    image.u8(positions);
    image.words(new Int32Array(bytes / 4));
  };
  const { bits, positions } = sliceSize(10, 0.01);
  const restoreFixed = (errorRate: number, capacity: number, write: (image: ImageWriter) => void) => () =>
    BloomFilter.restore(
      seal(1, (image) => {
        image.f64(errorRate);
        image.u32(capacity);
        image.u32(0);
        write(image);
      }),
      { key },
    );

  test("which this test can tell from a good one", () => {
    expect(codeOf(restoreFixed(0.01, 10, (image) => slice(image, bits, positions)))).toBe("no error");
    // Another engine's logarithms.
    expect(codeOf(restoreFixed(0.01, 10, (image) => slice(image, bits + 32, positions + 1)))).toBe("no error");
  });

  test("by a slice that is further off than another engine's logarithms can be", () => {
    // 512 bits: 96 more or fewer may be.
    const planned = sliceSize(53, 0.01);
    expect(planned).toEqual({ bits: 512, positions: 7 });
    const takes = (moreBits: number, morePositions: number) =>
      codeOf(restoreFixed(0.01, 53, (image) => slice(image, 512 + moreBits, planned.positions + morePositions))) ===
      "no error";
    expect([-128, -96, 96, 128].map((more) => takes(more, 0))).toEqual([false, true, true, false]);
    expect([-2, -1, 1, 2].map((more) => takes(0, more))).toEqual([false, true, true, false]);
  });

  test.each<[string, () => unknown]>([
    ["error rate of 0", restoreFixed(0, 10, (image) => slice(image, bits, positions))],
    ["error rate that is no number", restoreFixed(Number.NaN, 10, (image) => slice(image, bits, positions))],
    ["capacity of 0", restoreFixed(0.01, 0, (image) => slice(image, bits, positions))],
    ["capacity beyond 512 MiB", restoreFixed(0.01, 2 ** 32 - 1, (image) => slice(image, bits, positions))],
    ["slice of no bits", restoreFixed(0.5, 1, (image) => slice(image, 0, 1))],
    ["slice of another size", restoreFixed(0.01, 10, (image) => slice(image, 2 * bits, positions))],
    ["slice of bits that are no words", restoreFixed(0.01, 10, (image) => slice(image, bits + 1, positions, bits / 8))],
    ["slice of other positions", restoreFixed(0.01, 10, (image) => slice(image, bits, positions + 2))],
    ["slice of no positions", restoreFixed(0.5, 10, (image) => slice(image, sliceSize(10, 0.5).bits, 0))],
    ["slice cut short", restoreFixed(0.01, 10, (image) => slice(image, bits, positions, bits / 8 - 4))],
    ["slice without its words", restoreFixed(0.01, 10, (image) => slice(image, bits, positions, 0))],
    ["body cut short", restoreFixed(0.01, 10, () => {})],
    [
      "body too long",
      restoreFixed(0.01, 10, (image) => {
        slice(image, bits, positions);
        image.u8(0);
      }),
    ],
  ])("%s", (_name, restore) => {
    expect(codeOf(restore)).toBe("E_BLOOM_IMAGE");
  });

  const restoreStack = (count: number, slices: number, growth = 2, bytesBehind = 0) => {
    const image = seal(2, (writer) => {
      writer.f64(0.01);
      writer.u32(4);
      writer.u32(12);
      writer.f64(growth);
      writer.f64(0.5);
      writer.u32(count);
      writer.u8(slices);
      // Capacities 4 and 8, rates that sum to 1 %.
      const sizes = [sliceSize(4, 0.02 / 3), sliceSize(8, 0.01 / 3), sliceSize(8, 0.01 / 3)];
      for (const size of sizes.slice(0, slices)) slice(writer, size.bits, size.positions);
      for (let byte = 0; byte < bytesBehind; byte += 1) writer.u8(0);
    });
    return codeOf(() => ScalableBloomFilter.restore(image, { key }));
  };

  test("slices that do not fit the count, a growth that is none, something behind them", () => {
    const fits = (count: number, slices: number) => restoreStack(count, slices) === "no error";
    const counts = [0, 1, 4, 5, 12, 13];
    expect(counts.map((count) => fits(count, 0))).toEqual([true, false, false, false, false, false]);
    expect(counts.map((count) => fits(count, 1))).toEqual([false, true, true, false, false, false]);
    expect(counts.map((count) => fits(count, 2))).toEqual([false, false, false, true, true, false]);
    expect(counts.map((count) => fits(count, 3))).toEqual([false, false, false, false, false, false]);
    const others = [restoreStack(4, 1, 1), restoreStack(4, 1, Number.NaN), restoreStack(4, 1, 2, 1)];
    expect(others).toEqual(["E_BLOOM_IMAGE", "E_BLOOM_IMAGE", "E_BLOOM_IMAGE"]);
  });

  test.each([
    ["a generation older than a rotation", 1000, 1001],
    ["an age below 0", 1000, -1],
    ["an age that is no number", 1000, Number.NaN],
    ["a rotation of 0", 0, 0],
    ["something behind two generations", 1000, 1000, 1],
  ])("%s", (_name, rotationMs, ageMs, bytesBehind = 0) => {
    const image = (rotation: number, age: number, behind = 0) =>
      seal(3, (writer) => {
        writer.f64(0.01);
        writer.u32(4);
        writer.u32(12);
        writer.f64(2);
        writer.f64(0.5);
        writer.f64(rotation);
        writer.f64(age);
        for (let stack = 0; stack < 2; stack += 1) {
          writer.u32(0);
          writer.u8(0);
        }
        for (let byte = 0; byte < behind; byte += 1) writer.u8(0);
      });
    expect(codeOf(() => RotatingFilter.restore(image(1000, 1000), { key, nowMs: 0 }))).toBe("no error");
    const wrong = image(rotationMs, ageMs, bytesBehind);
    expect(codeOf(() => RotatingFilter.restore(wrong, { key, nowMs: 0 }))).toBe("E_BLOOM_IMAGE");
  });
});
