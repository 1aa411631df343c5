import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { decodeBase64, encodeBase64 } from "../src/base64.ts";
import { DEPTH_MAX } from "../src/limits.ts";
import { LineReader, parseLine } from "../src/line-framing.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const parse = (text: string) => parseLine(bytes(text));

describe("LineReader", () => {
  test("lines come out whole, however the bytes are cut", () => {
    const line = fc.stringMatching(/^[^\n]*$/);
    fc.assert(
      fc.property(fc.array(line), fc.array(fc.nat(40)), (lines, cuts) => {
        const all = bytes(lines.map((text) => `${text}\n`).join(""));
        const reader = new LineReader();
        const got: string[] = [];
        let at = 0;
        for (const size of [...cuts, all.length]) {
          const out = reader.push(all.subarray(at, at + size));
          at += size;
          if (out !== "too-long") got.push(...out.map((part) => new TextDecoder().decode(part)));
        }
        expect(got).toEqual(lines);
      }),
    );
  });

  test("a line of exactly the limit passes, one byte more does not, in one piece or many", () => {
    const push = (size: number, piece: number): boolean => {
      const reader = new LineReader(100);
      const text = bytes(`${"x".repeat(size - 1)}\n`);
      for (let at = 0; at < text.length; at += piece) {
        if (reader.push(text.subarray(at, at + piece)) === "too-long") return false;
      }
      return true;
    };
    for (const piece of [1, 7, 1000]) expect([push(100, piece), push(101, piece)]).toEqual([true, false]);
  });

  test("a line that never ends is refused before its end comes", () => {
    const reader = new LineReader(100);
    expect(reader.push(bytes("x".repeat(99)))).toEqual([]);
    expect(reader.push(bytes("x"))).toBe("too-long");
  });

  test("what a chunk held may be overwritten afterwards", () => {
    const reader = new LineReader();
    const chunk = bytes("abc");
    reader.push(chunk);
    chunk.fill(0);
    const lines = reader.push(bytes("d\n"));
    expect(lines !== "too-long" && lines.map((line) => new TextDecoder().decode(line))).toEqual(["abcd"]);
  });
});

describe("parseLine", () => {
  test("nesting is allowed to the limit and no deeper", () => {
    const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
    expect(parse(nested(DEPTH_MAX)).ok).toBe(true);
    expect(parse(nested(DEPTH_MAX + 1))).toMatchObject({ ok: false, code: "E_TOO_DEEP" });
    expect(parse("[{".repeat(20_000))).toMatchObject({ ok: false, code: "E_TOO_DEEP" });
  });

  test("brackets within strings do not count", () => {
    const text = JSON.stringify({ a: '[{\\"'.repeat(100), b: "]" });
    expect(parse(text)).toEqual({ ok: true, value: JSON.parse(text) });
  });

  test("it agrees with JSON.parse about everything shallow", () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 5 }), (text) => {
        expect(parse(text)).toEqual({ ok: true, value: JSON.parse(text) });
      }),
    );
  });

  test("it never throws, whatever the bytes", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (line) => typeof parseLine(line).ok === "boolean"));
    expect(parseLine(Uint8Array.of(0x22, 0xff, 0x22))).toMatchObject({ ok: false, code: "E_PARSE" });
  });
});

describe("base64", () => {
  test("it agrees with Node both ways", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (content) => {
        const text = encodeBase64(content);
        expect(text).toBe(Buffer.from(content).toString("base64"));
        expect(decodeBase64(text)).toEqual(content);
      }),
    );
    const large = new Uint8Array(60_000).map((_, at) => at * 31);
    expect(decodeBase64(encodeBase64(large))).toEqual(large);
  });

  test.each([
    ["a"],
    ["ab"],
    ["abc"],
    ["ab=="],
    ["abc="],
    ["YQ== "],
    ["YQ\n=="],
    ["YR=="],
    ["YQ==YQ=="],
    ["_-8="],
    ["===="],
  ])("%j has another spelling or none, and is refused", (text) => {
    const canonical = Buffer.from(text, "base64").toString("base64");
    expect(decodeBase64(text) === undefined).toBe(canonical !== text);
  });
});
