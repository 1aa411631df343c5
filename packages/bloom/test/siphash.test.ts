import { describe, expect, test } from "@jest/globals";
import { sipHash, sipKey } from "../src/siphash.ts";
import { sipHash13Vectors, sipHash24Vectors } from "./siphash-vectors.ts";
import { countingKey } from "./support.ts";

describe("SipHash", () => {
  const hashOf = (bytes: Uint8Array, c: number, d: number): string => {
    const out = new Int32Array(2);
    sipHash(sipKey(countingKey), bytes, out, c, d);
    const view = new DataView(new ArrayBuffer(8));
    view.setInt32(0, out[0] ?? 0, true);
    view.setInt32(4, out[1] ?? 0, true);
    return Buffer.from(view.buffer).toString("hex");
  };
  const messages = Array.from({ length: 64 }, (_, length) => Uint8Array.from({ length }, (_byte, index) => index));

  test("2-4 gives the vectors of its authors", () => {
    expect(messages.map((message) => hashOf(message, 2, 4))).toEqual(sipHash24Vectors);
  });

  test("1-3, which the filters use, gives the vectors of the Rust library", () => {
    expect(messages.map((message) => hashOf(message, 1, 3))).toEqual(sipHash13Vectors);
  });
});
