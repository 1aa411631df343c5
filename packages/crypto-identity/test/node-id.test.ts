import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { isNodeId, type NodeId, nodeIdAt, nodeIdFromBytes, nodeIdToBytes, writeNodeId } from "../src/index.ts";

const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => new Uint8Array(bytes));
/** Bytes near what is refused: multiples of small numbers around p, and the ids of low order, a byte or two changed. */
const near = fc
  .tuple(
    fc.constantFrom(
      `ed${"ff".repeat(30)}7f`,
      `ec${"ff".repeat(30)}7f`,
      "00".repeat(32),
      `01${"00".repeat(31)}`,
      "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
      "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    ),
    fc.array(fc.tuple(fc.constantFrom(0, 1, 15, 30, 31), fc.nat(255)), { maxLength: 2 }),
  )
  .map(([text, changes]) => {
    const bytes = new Uint8Array(Buffer.from(text, "hex"));
    for (const [at, byte] of changes) bytes[at] = byte;
    return bytes;
  });

describe("bytes and text have one rule", () => {
  test("what is an id as text is one as bytes, and the other way round", () => {
    fc.assert(
      fc.property(fc.oneof(bytes32, near), (bytes) => {
        const text = hexOf(bytes);
        expect(nodeIdFromBytes(bytes)).toBe(isNodeId(text) ? text : undefined);
        const framed = Uint8Array.from([1, 2, 3, ...bytes, 4]).subarray(1);
        expect(nodeIdAt(framed, 2)).toBe(isNodeId(text) ? text : undefined);
        if (!isNodeId(text)) expect(() => nodeIdToBytes(text as NodeId)).toThrow();
        else expect(hexOf(nodeIdToBytes(text))).toBe(text);
      }),
      { seed: 5, numRuns: 3000 },
    );
  });

  test("text that was only cast is written nowhere for good", () => {
    const target = new Uint8Array(40);
    for (const text of ["", "00", "g".repeat(64), "A".repeat(64), "é".repeat(64), `${"1".repeat(63)}\u0131`]) {
      expect(() => writeNodeId(text as NodeId, target, 4)).toThrow(expect.objectContaining({ code: "E_BAD_ID" }));
    }
    const id = "09".padEnd(64, "0") as NodeId;
    writeNodeId(id, target.fill(0), 4);
    expect(hexOf(target)).toBe(`${"00".repeat(4)}${id}${"00".repeat(4)}`);
  });

  test("bytes that are not all there are none", () => {
    expect(nodeIdAt(new Uint8Array(40).fill(9), 9)).toBeUndefined();
    expect(nodeIdFromBytes(new Uint8Array(33).fill(9))).toBeUndefined();
  });
});
