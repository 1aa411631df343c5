import { describe, expect, test } from "@jest/globals";
import type { Primitives } from "../src/primitives.ts";
import { backends, hex, required, unhex } from "./support.ts";

// RFC 7748 §5.2 and §6.1, as printed there.
const SCALAR_MULTIPLICATIONS = [
  [
    "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
    "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
    "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552",
  ],
  [
    "4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
    "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
    "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957",
  ],
] as const;
const AFTER_1 = "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079";
const AFTER_1000 = "684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51";
const ALICE = {
  seed: "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a",
  publicKey: "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a",
};
const BOB = {
  seed: "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb",
  publicKey: "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f",
};
const SHARED = "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742";

function multiply({ keyPairFromSeed, importPublicKey }: Primitives, k: Uint8Array, u: Uint8Array): Uint8Array {
  return required(keyPairFromSeed(k).agree(importPublicKey(u)));
}

describe.each(backends)("X25519 of RFC 7748, $name backend", (primitives) => {
  test.each(SCALAR_MULTIPLICATIONS)("k %s", (k, u, output) => {
    expect(hex(multiply(primitives, unhex(k), unhex(u)))).toBe(output);
  });

  test("iterated 1 and 1,000 times", () => {
    let k = unhex("0900000000000000000000000000000000000000000000000000000000000000");
    let u = k;
    for (let round = 1; round <= 1000; round++) {
      [k, u] = [multiply(primitives, k, u), k];
      if (round === 1) expect(hex(k)).toBe(AFTER_1);
    }
    expect(hex(k)).toBe(AFTER_1000);
  });

  test("Diffie-Hellman of Alice and Bob", () => {
    for (const [mine, theirs] of [
      [ALICE, BOB],
      [BOB, ALICE],
    ] as const) {
      expect(hex(primitives.keyPairFromSeed(unhex(mine.seed)).publicKey)).toBe(mine.publicKey);
      expect(hex(multiply(primitives, unhex(mine.seed), unhex(theirs.publicKey)))).toBe(SHARED);
    }
  });
});
