import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { formatStamp, MAX_EFFORT, MintError, parseStamp, type Stamp } from "../src/index.ts";

const stamps = fc.record({
  effort: fc.oneof(fc.integer({ min: 1, max: MAX_EFFORT }), fc.constantFrom(1, MAX_EFFORT)),
  nonce: fc.uint8Array({ minLength: 8, maxLength: 8 }),
});

describe("a stamp as text", () => {
  test.each<[string, Stamp]>([
    ["starling1:1:0000000000000000", { effort: 1, nonce: new Uint8Array(8) }],
    ["starling1:65536:000000000000284a", { effort: 2 ** 16, nonce: Uint8Array.from([0, 0, 0, 0, 0, 0, 0x28, 0x4a]) }],
    ["starling1:281474976710655:ffffffffffffffff", { effort: MAX_EFFORT, nonce: new Uint8Array(8).fill(255) }],
  ])("golden: %s", (text, stamp) => {
    expect(formatStamp(stamp)).toBe(text);
    expect(parseStamp(text)).toEqual(stamp);
  });

  test("goes there and back", () => {
    fc.assert(fc.property(stamps, (stamp) => expect(parseStamp(formatStamp(stamp))).toEqual(stamp)));
  });

  test.each([
    "",
    "starling1",
    "starling1:1",
    "starling2:1:0000000000000000",
    "Starling1:1:0000000000000000",
    " starling1:1:0000000000000000",
    "starling1:1:0000000000000000\n",
    "starling1:1:0000000000000000:",
    "starling1::0000000000000000",
    "starling1:0:0000000000000000",
    "starling1:01:0000000000000000",
    "starling1:+1:0000000000000000",
    "starling1:1.0:0000000000000000",
    "starling1:1e3:0000000000000000",
    "starling1:0x1:0000000000000000",
    "starling1:١:0000000000000000",
    "starling1:281474976710656:0000000000000000",
    "starling1:999999999999999:0000000000000000",
    "starling1:1000000000000000:0000000000000000",
    "starling1:1:000000000000000",
    "starling1:1:00000000000000000",
    "starling1:1:000000000000000A",
    "starling1:1:000000000000000g",
  ])("refuses %j", (text) => {
    expect(parseStamp(text)).toBeUndefined();
  });

  test("has one spelling: what is parsed is what would be written, whatever was done to a text", () => {
    const edits = fc.record({ at: fc.nat({ max: 45 }), drop: fc.nat({ max: 2 }), put: fc.string({ maxLength: 2 }) });
    fc.assert(
      fc.property(stamps, edits, (stamp, { at, drop, put }) => {
        const text = formatStamp(stamp);
        const edited = text.slice(0, at) + put + text.slice(at + drop);
        const parsed = parseStamp(edited);
        if (parsed !== undefined) expect(formatStamp(parsed)).toBe(edited);
      }),
      { numRuns: 3000 },
    );
  });

  test("parsing throws at nothing", () => {
    fc.assert(fc.property(fc.anything(), (value) => expect(parseStamp(value)).toBeUndefined()));
  });

  test.each<[string, unknown]>([
    ["stamp", undefined],
    ["effort", { effort: 0, nonce: new Uint8Array(8) }],
    ["effort", { effort: "1", nonce: new Uint8Array(8) }],
    ["nonce", { effort: 1, nonce: new Uint8Array(9) }],
    ["nonce", { effort: 1, nonce: "0000000000000000" }],
  ])("formatting a bad %s is misuse (%#)", (argument, stamp) => {
    const format = () => formatStamp(stamp as Stamp);
    expect(format).toThrow(MintError);
    expect(format).toThrow(expect.objectContaining({ code: "E_MINT_INPUT", argument }));
  });
});
