import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { decodeUtf8 } from "../src/text.ts";

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
function reference(bytes: Uint8Array): string | undefined {
  try {
    return strict.decode(bytes);
  } catch {
    return undefined;
  }
}

test("every short sequence at the bounds of a form is taken or refused as a decoder that throws has it", () => {
  // Behind each first byte those that begin, end or bound a form.
  const bounds = [
    0, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xed, 0xef, 0xf0, 0xf4, 0xf5, 0xff,
  ];
  for (let first = 0; first < 256; first += 1) {
    for (const second of bounds) {
      for (const rest of [[], ...bounds.map((third) => [third]), ...bounds.map((third) => [third, 0x80])]) {
        const bytes = Uint8Array.of(first, second, ...rest);
        if (decodeUtf8(bytes) !== reference(bytes)) throw new Error(`${[...bytes]}`);
      }
    }
  }
  expect(decodeUtf8(new Uint8Array(0))).toBe("");
});

test("text comes back as it was, and one changed byte is taken or refused as a decoder that throws has it", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", maxLength: 40 }), fc.nat(), fc.nat(255), (text, where, value) => {
      const bytes = new TextEncoder().encode(text);
      expect(decodeUtf8(bytes)).toBe(text);
      if (bytes.length === 0) return;
      bytes[where % bytes.length] = value;
      expect(decodeUtf8(bytes)).toBe(reference(bytes));
    }),
    { seed: 1, numRuns: 500 },
  );
});
