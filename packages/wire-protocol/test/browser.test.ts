/**
 * The conditions under which a bundler for browsers resolves: no node:crypto, @noble instead.
 * @jest-environment-options {"customExportConditions": ["@starling/source", "browser"]}
 */
import { readFileSync } from "node:fs";
import { expect, test } from "@jest/globals";
import { verifyStamp } from "@starling/hashcash";
import fc from "fast-check";
import { bigEndianInteger, stampHash } from "../src/index.ts";
import { VECTOR_FILES, vectorText } from "./vectors/files.ts";

test.each(VECTOR_FILES)("%s comes out the same in a browser", (file) => {
  expect(vectorText(file)).toBe(readFileSync(new URL(`../vectors/${file}`, import.meta.url), "utf8"));
});

test("the integer of a stamp's hash decides as the fast verifier does", () => {
  const bytes = (size: number) => fc.uint8Array({ minLength: size, maxLength: size });
  fc.assert(
    fc.property(bytes(32), fc.integer({ min: 1, max: 64 }), bytes(8), (digest, effort, nonce) => {
      const stamp = { digest: new Uint8Array(digest), effort, nonce: new Uint8Array(nonce) };
      const valid = bigEndianInteger(stampHash(stamp).subarray(0, 8)) * BigInt(effort) <= 2n ** 64n;
      expect(verifyStamp({ ...stamp, floor: 1 })).toBe(valid ? "valid" : "bad-stamp");
    }),
    { seed: 11, numRuns: 500 },
  );
});
