import { readFileSync } from "node:fs";
import { describe, expect, test } from "@jest/globals";
import { sha256 } from "@noble/hashes/sha2.js";
import fc from "fast-check";
import { highTarget, satisfies } from "../src/effort.ts";
import {
  createMint,
  MAX_EFFORT,
  PUBLISH_FLOOR,
  SEND_FLOOR,
  type StampClaim,
  stampFloor,
  verifyStamp,
} from "../src/index.ts";

/** PROTOCOL §7.4 written down a second time, with a library's hash and big integers. */
function referenceIsValid(digest: Uint8Array, effort: number, nonce: Uint8Array): boolean {
  const input = new Uint8Array(72);
  input.set(new TextEncoder().encode("starling stamp v1"));
  input.set(digest, 24);
  const view = new DataView(input.buffer);
  view.setBigUint64(56, BigInt(effort));
  input.set(nonce, 64);
  const head = new DataView(sha256(input).buffer).getBigUint64(0);
  return head <= 2n ** 64n / BigInt(effort);
}

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const hex = (text: string) => Uint8Array.from(Buffer.from(text, "hex"));
const countingDigest = Uint8Array.from({ length: 32 }, (_, index) => index);

describe("the comparison", () => {
  test("agrees with big integers everywhere", () => {
    const word = fc.integer({ min: 0, max: 2 ** 32 - 1 });
    const effort = fc.oneof(fc.integer({ min: 1, max: 2 ** 18 }), fc.integer({ min: 1, max: MAX_EFFORT }));
    fc.assert(
      fc.property(word, word, effort, (high, low, work) => {
        const head = (BigInt(high) << 32n) | BigInt(low);
        expect(satisfies(high | 0, low | 0, work)).toBe(head <= 2n ** 64n / BigInt(work));
      }),
      { numRuns: 2000 },
    );
  });

  test("is exact at the edge, for every effort", () => {
    const effort = fc.oneof(
      fc.integer({ min: 2, max: MAX_EFFORT }),
      fc.integer({ min: 1, max: 47 }).map((bits) => 2 ** bits),
      fc.integer({ min: 2, max: 47 }).map((bits) => 2 ** bits + 1),
      fc.integer({ min: 2, max: 48 }).map((bits) => 2 ** bits - 1),
    );
    fc.assert(
      fc.property(effort, (work) => {
        const target = 2n ** 64n / BigInt(work);
        const at = (head: bigint) => satisfies(Number(head >> 32n), Number(head & 0xffffffffn), work);
        expect([at(target - 1n), at(target), at(target + 1n)]).toEqual([true, true, false]);
      }),
      { numRuns: 2000 },
    );
  });

  test("the first word that may satisfy is the greatest that does, with nothing behind it", () => {
    const efforts = [1, 2, 3, 5, 2 ** 16 - 1, 2 ** 16, 2 ** 31 + 1, 2 ** 32, 2 ** 32 + 1, 2 ** 47, 2 ** 48 - 1];
    for (const work of efforts) {
      const target = highTarget(work);
      expect([work, satisfies(target, 0, work)]).toEqual([work, true]);
      if (target < 2 ** 32 - 1) expect([work, satisfies(target + 1, 0, work)]).toEqual([work, false]);
    }
    expect(highTarget(1)).toBe(2 ** 32 - 1);
  });

  test("an effort of one is satisfied by any hash", () => {
    expect(satisfies(-1, -1, 1)).toBe(true);
  });
});

describe("verifyStamp", () => {
  // digest 00 01 .. 1f; the first nonce from zero on.
  test.each([
    [1, "0000000000000000"],
    [2 ** 14, "0000000000001b5e"],
    [50_000, "000000000004d16d"],
    [2 ** 16, "000000000000284a"],
  ])("golden: effort %i has its first nonce at %s", (effort, nonce) => {
    const minted = createMint({ digest: countingDigest, effort, startNonce: new Uint8Array(8) }).run(2 ** 20);
    expect(Buffer.from(minted ?? []).toString("hex")).toBe(nonce);
    expect(verifyStamp({ digest: countingDigest, effort, nonce: hex(nonce), floor: effort })).toBe("valid");
    expect(referenceIsValid(countingDigest, effort, hex(nonce))).toBe(true);
  });

  test("says what a plain SHA-256 of the 72 bytes says", () => {
    fc.assert(
      fc.property(bytes(32), bytes(8), fc.integer({ min: 1, max: 12 }), (digest, nonce, effort) => {
        const expected = referenceIsValid(digest, effort, nonce) ? "valid" : "bad-stamp";
        expect(verifyStamp({ digest, effort, nonce, floor: 1 })).toBe(expected);
      }),
      { numRuns: 500 },
    );
  });

  test("binds every bit of digest, effort and nonce", () => {
    const effort = 2 ** 16;
    const nonce = createMint({ digest: countingDigest, effort, startNonce: new Uint8Array(8) }).run(2 ** 20);
    if (nonce === undefined) throw new Error("no nonce");
    const flipped = (source: Uint8Array, bit: number) =>
      source.map((byte, index) => (index === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
    for (let bit = 0; bit < 256; bit += 1) {
      expect(verifyStamp({ digest: flipped(countingDigest, bit), effort, nonce, floor: 1 })).toBe("bad-stamp");
    }
    for (let bit = 0; bit < 64; bit += 1) {
      expect(verifyStamp({ digest: countingDigest, effort, nonce: flipped(nonce, bit), floor: 1 })).toBe("bad-stamp");
    }
    for (let bit = 0; bit < 48; bit += 1) {
      const other = Number(BigInt(effort) ^ (1n << BigInt(bit)));
      const verdict = other === 0 ? "below-floor" : "bad-stamp";
      expect(verifyStamp({ digest: countingDigest, effort: other, nonce, floor: 1 })).toBe(verdict);
    }
    // Claiming one hash more or less is another input, not a weaker test of the same hash.
    expect(verifyStamp({ digest: countingDigest, effort: effort - 1, nonce, floor: 1 })).toBe("bad-stamp");
    expect(verifyStamp({ digest: countingDigest, effort: effort + 1, nonce, floor: 1 })).toBe("bad-stamp");
  });

  test.each<[string, Partial<StampClaim>, string]>([
    ["less than the floor", { effort: 99, floor: 100 }, "below-floor"],
    ["no effort at all", { effort: 0, floor: 1 }, "below-floor"],
    ["no effort, no floor", { effort: 0, floor: 0 }, "bad-stamp"],
    ["a negative effort", { effort: -5, floor: -10 }, "bad-stamp"],
    ["a fraction", { effort: 1.5, floor: 1 }, "bad-stamp"],
    ["not a number", { effort: Number.NaN, floor: 1 }, "bad-stamp"],
    ["infinite effort", { effort: Number.POSITIVE_INFINITY, floor: 1 }, "bad-stamp"],
    ["49 bits", { effort: 2 ** 48, floor: 1 }, "bad-stamp"],
    ["a floor that is not a number", { effort: 1, floor: Number.NaN }, "below-floor"],
    ["a short digest", { digest: new Uint8Array(31), effort: 1 }, "bad-stamp"],
    ["a long digest", { digest: new Uint8Array(33), effort: 1 }, "bad-stamp"],
    ["a short nonce", { nonce: new Uint8Array(7), effort: 1 }, "bad-stamp"],
    ["a long nonce", { nonce: new Uint8Array(9), effort: 1 }, "bad-stamp"],
    ["the most effort", { effort: MAX_EFFORT, floor: 1 }, "bad-stamp"],
  ])("refuses %s", (_name, part, verdict) => {
    const claim = { digest: countingDigest, effort: 1, nonce: new Uint8Array(8), floor: 1, ...part };
    expect(verifyStamp(claim)).toBe(verdict);
  });

  test.each([
    ["nothing", undefined],
    ["null", null],
    ["a text", "starling1:1:0000000000000000"],
    ["a function", () => 1],
    ["a symbol as floor", { floor: Symbol("floor") }],
    [
      "a floor that throws when compared",
      {
        floor: {
          valueOf: () => {
            throw new Error("compared");
          },
        },
      },
    ],
    ["a big integer as effort", { effort: 1n }],
    ["a digest that is none", { digest: Object.create(Uint8Array.prototype) }],
    ["a proxy of a digest", { digest: new Proxy(countingDigest, {}) }],
  ])("does not throw at %s", (_name, part) => {
    const whole = { digest: countingDigest, effort: 1, nonce: new Uint8Array(8), floor: 1 };
    const claim = typeof part === "object" && part !== null ? { ...whole, ...part } : part;
    expect(["below-floor", "bad-stamp"]).toContain(verifyStamp(claim as unknown as StampClaim));
  });

  test("never throws", () => {
    const anything = fc.oneof(fc.anything(), bytes(32), bytes(8), fc.double(), fc.maxSafeInteger());
    const claim = fc.record({ digest: anything, effort: anything, nonce: anything, floor: anything });
    fc.assert(
      fc.property(claim, (value) => {
        expect(["valid", "below-floor", "bad-stamp"]).toContain(verifyStamp(value as unknown as StampClaim));
      }),
      { numRuns: 3000 },
    );
  });
});

describe("stampFloor", () => {
  test("stands on the floors of PROTOCOL §7.4, and no effort has more than 48 bits", () => {
    expect([SEND_FLOOR, PUBLISH_FLOOR, MAX_EFFORT]).toEqual([16_384, 65_536, 281_474_976_710_655]);
  });

  test.each([
    ["send", 0, SEND_FLOOR],
    ["send", 1, SEND_FLOOR],
    ["send", 512, SEND_FLOOR],
    ["send", 513, 2 * SEND_FLOOR],
    ["send", 61_440, 120 * SEND_FLOOR],
    ["publish", 512, PUBLISH_FLOOR],
    ["publish", 16_384, 32 * PUBLISH_FLOOR],
  ] as const)("%s of %i bytes", (kind, sizeBytes, floor) => {
    expect(stampFloor(kind, sizeBytes)).toBe(floor);
  });

  test.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY])("refuses a size of %d", (sizeBytes) => {
    const refusal = expect.objectContaining({ code: "E_MINT_INPUT", argument: "sizeBytes" });
    expect(() => stampFloor("send", sizeBytes)).toThrow(refusal);
  });

  test("refuses a kind it does not know", () => {
    const floor = () => stampFloor("sent" as "send", 1);
    expect(floor).toThrow(expect.objectContaining({ code: "E_MINT_INPUT", argument: "kind" }));
  });
});

test.each(["index", "pool-web", "web-worker"])("%s imports nothing of Node, for browsers load it", (entry) => {
  const seen = new Set<string>();
  const imported: string[] = [];
  const visit = (url: URL): void => {
    if (seen.has(url.href)) return;
    seen.add(url.href);
    for (const [, path = ""] of readFileSync(url, "utf8").matchAll(/(?:from|import) "([^"]+)"/g)) {
      if (path.startsWith("./")) visit(new URL(path, url));
      else imported.push(path);
    }
  };
  visit(new URL(`../src/${entry}.ts`, import.meta.url));
  expect(seen.size).toBeGreaterThan(8);
  expect(imported).toEqual([]);
});
