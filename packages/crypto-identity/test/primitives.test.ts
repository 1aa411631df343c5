import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { createAead } from "../src/aead.ts";
import { hkdf } from "../src/hkdf.ts";
import { LruMap } from "../src/lru-map.ts";
import { nodeIdFromBytes } from "../src/node-id.ts";
import { counterNonce } from "../src/nonce.ts";
import { createPeerKeys } from "../src/peer-keys.ts";
import { backends, flipBit, hex, required, seededRandom, unhex, utf8 } from "./support.ts";

const [node, noble] = backends;

// RFC 5869 appendix A.1 to A.3.
const HKDF_CASES = [
  {
    inputKey: "0b".repeat(22),
    salt: "000102030405060708090a0b0c",
    info: "f0f1f2f3f4f5f6f7f8f9",
    output: "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
  },
  {
    inputKey: hex(Uint8Array.from({ length: 80 }, (_, i) => i)),
    salt: hex(Uint8Array.from({ length: 80 }, (_, i) => 0x60 + i)),
    info: hex(Uint8Array.from({ length: 80 }, (_, i) => 0xb0 + i)),
    output:
      "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09" +
      "da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87",
  },
  {
    inputKey: "0b".repeat(22),
    salt: "",
    info: "",
    output: "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
  },
];
// RFC 4231 §4.2, §4.3, §4.7: a short key, a shorter one, one beyond a block.
const HMAC_CASES = [
  ["0b".repeat(20), utf8("Hi There"), "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"],
  [
    hex(utf8("Jefe")),
    utf8("what do ya want for nothing?"),
    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
  ],
  [
    "aa".repeat(131),
    utf8("Test Using Larger Than Block-Size Key - Hash Key First"),
    "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
  ],
] as const;
// The public list of X25519 inputs of low order, and the aliases of three of them.
const LOW_ORDER = [
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
  "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "0000000000000000000000000000000000000000000000000000000000000080",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
];

describe.each(backends)("$name backend", (primitives) => {
  test("hashes the examples of FIPS 180-2", () => {
    expect(hex(primitives.sha256(utf8("abc")))).toBe(
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    );
    expect(hex(primitives.sha512(utf8("abc")))).toBe(
      "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd" +
        "454d4423643ce80e2a9ac94fa54ca49f",
    );
  });

  test.each(HMAC_CASES)("HMAC-SHA-256 of RFC 4231 under %s", (key, data, output) => {
    const mac = primitives.createMac(unhex(key));
    expect(hex(mac(data))).toBe(output);
    expect(hex(mac(utf8("another message in between")))).not.toBe(output);
    expect(hex(mac(data))).toBe(output);
  });

  test.each(HKDF_CASES)("HKDF-SHA-256 of RFC 5869 with salt '$salt'", ({ inputKey, salt, info, output }) => {
    const input = { salt: unhex(salt), inputKey: unhex(inputKey), info: unhex(info), sizeBytes: output.length / 2 };
    expect(hex(hkdf(primitives.createMac, input))).toBe(output);
  });

  test("HKDF gives at most 255 blocks", () => {
    const input = { salt: utf8(""), inputKey: utf8("k"), info: utf8("") };
    expect(hkdf(primitives.createMac, { ...input, sizeBytes: 8160 })).toHaveLength(8160);
    expect(() => hkdf(primitives.createMac, { ...input, sizeBytes: 8161 })).toThrow(
      expect.objectContaining({ code: "E_BAD_SIZE" }),
    );
  });

  test.each(LOW_ORDER)("no agreement with %s", (point) => {
    const { agree } = primitives.keyPairFromSeed(seededRandom("low order")(32));
    expect(agree(primitives.importPublicKey(unhex(point)))).toBeUndefined();
  });

  test("an AEAD opens what it sealed, under the same counter, associated data and key only", () => {
    const random = seededRandom("aead");
    const aead = createAead(primitives.createCipher(random(32)));
    const other = createAead(primitives.createCipher(random(32)));
    const [data, plaintext] = [random(5), random(33)];
    for (const counter of [0, 1, 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER]) {
      const sealed = aead.seal(counter, data, plaintext);
      expect(sealed).toHaveLength(33 + 16);
      expect(aead.open(counter, data, sealed)).toEqual(plaintext);
      expect(aead.open(counter === 0 ? 1 : counter - 1, data, sealed)).toBeUndefined();
      expect(aead.open(counter, random(5), sealed)).toBeUndefined();
      expect(other.open(counter, data, sealed)).toBeUndefined();
      for (let bit = 0; bit < sealed.length * 8; bit++) {
        expect(aead.open(counter, data, flipBit(sealed, bit))).toBeUndefined();
      }
      for (let size = 0; size < sealed.length; size++) {
        expect(aead.open(counter, data, sealed.subarray(0, size))).toBeUndefined();
      }
    }
  });

  test.each([-1, 0.5, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY])("a counter of %d is refused", (counter) => {
    const aead = createAead(primitives.createCipher(new Uint8Array(32)));
    expect(() => aead.seal(counter, utf8(""), utf8("x"))).toThrow(expect.objectContaining({ code: "E_BAD_COUNTER" }));
    expect(aead.open(counter, utf8(""), new Uint8Array(32))).toBeUndefined();
  });

  test.each([-1, -16, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 65_537, undefined, "8"])(
    "a draw of %s bytes is refused, and the next ones are whole",
    (sizeBytes) => {
      primitives.systemRandom(32);
      expect(() => primitives.systemRandom(sizeBytes as number)).toThrow(
        expect.objectContaining({ code: "E_BAD_SIZE", argument: "sizeBytes" }),
      );
      const drawn = Array.from({ length: 200 }, () => primitives.systemRandom(32));
      // None with a run of zeros, which is what the pool holds where it has been: one in 2^58 by chance.
      for (const bytes of drawn) {
        expect(bytes).toHaveLength(32);
        expect(hex(bytes)).not.toContain("00".repeat(8));
      }
    },
  );

  test("the largest draw is whole too", () => {
    for (const size of [0, 64, 65, 65_536]) expect(primitives.systemRandom(size)).toHaveLength(size);
  });

  test("gives plain arrays, and secrets share no memory with anything", () => {
    const cipher = primitives.createCipher(new Uint8Array(32));
    const sealed = cipher.seal(new Uint8Array(12), utf8("a"), utf8("text"));
    const keys = primitives.keyPairFromSeed(utf8("a seed of exactly 32 bytes, no m"));
    expect(Object.getPrototypeOf(sealed)).toBe(Uint8Array.prototype);
    const outputs = [
      primitives.sha256(utf8("x")),
      primitives.createMac(utf8("k"))(utf8("x")),
      required(cipher.open(new Uint8Array(12), utf8("a"), sealed)),
      keys.publicKey,
      required(keys.agree(primitives.importPublicKey(keys.publicKey))),
    ];
    for (const output of outputs) {
      expect(Object.getPrototypeOf(output)).toBe(Uint8Array.prototype);
      expect(output.buffer.byteLength).toBe(output.length);
    }
  });

  test("compares bytes", () => {
    expect(primitives.equalBytes(utf8("same"), utf8("same"))).toBe(true);
    expect(primitives.equalBytes(utf8("same"), utf8("sane"))).toBe(false);
    expect(primitives.equalBytes(utf8("same"), utf8("sam"))).toBe(false);
    expect(primitives.equalBytes(utf8(""), utf8(""))).toBe(true);
  });
});

const bytes = (constraints: fc.IntArrayConstraints): fc.Arbitrary<Uint8Array> => fc.uint8Array(constraints);
const key = bytes({ minLength: 32, maxLength: 32 });

test("the backends agree on every hash, MAC and ciphertext", () => {
  fc.assert(
    fc.property(key, bytes({ maxLength: 200 }), bytes({ maxLength: 200 }), bytes({ maxLength: 300 }), (k, a, b, c) => {
      expect(node.sha256(c)).toEqual(noble.sha256(c));
      expect(node.sha512(c)).toEqual(noble.sha512(c));
      expect(node.createMac(a)(c)).toEqual(noble.createMac(a)(c));
      const nonce = counterNonce(a.length);
      const sealed = node.createCipher(k).seal(nonce, b, c);
      expect(noble.createCipher(k).seal(nonce, b, c)).toEqual(sealed);
      expect(noble.createCipher(k).open(nonce, b, sealed)).toEqual(c);
      expect(node.createCipher(k).open(nonce, b, sealed)).toEqual(c);
    }),
    { seed: 1, numRuns: 60 },
  );
});

test.each(backends)(
  "the pair that a handshake derives is HKDF's, and mixing a hash is hashing, $name backend",
  (primitives) => {
    fc.assert(
      fc.property(key, fc.oneof(key, fc.constant(new Uint8Array(0))), bytes({ maxLength: 3000 }), (ck, input, data) => {
        const expected = hkdf(noble.createMac, { salt: ck, inputKey: input, info: utf8(""), sizeBytes: 64 });
        const [first, second] = [Uint8Array.from(ck), new Uint8Array(32)];
        primitives.derivePair(first, input, second);
        expect(hex(first) + hex(second)).toBe(hex(expected));
        const hash = Uint8Array.from(ck);
        primitives.mixHash(hash, data);
        expect(hash).toEqual(noble.sha256(Uint8Array.of(...ck, ...data)));
      }),
      { seed: 9, numRuns: 60 },
    );
  },
);

test("the backends agree on the result of any 32 bytes as a key", () => {
  fc.assert(
    fc.property(key, key, (seed, peer) => {
      const [one, two] = [node.keyPairFromSeed(seed), noble.keyPairFromSeed(seed)];
      expect(one.publicKey).toEqual(two.publicKey);
      expect(one.agree(node.importPublicKey(peer))).toEqual(two.agree(noble.importPublicKey(peer)));
    }),
    { seed: 2, numRuns: 60 },
  );
});

test.each([
  [0, "000000000000000000000000"],
  [1, "000000000000000000000001"],
  [0xfffefdfc, "0000000000000000fffefdfc"],
  [2 ** 32, "000000000000000100000000"],
  [Number.MAX_SAFE_INTEGER, "00000000001fffffffffffff"],
])("the nonce of counter %d", (counter, nonce) => {
  expect(hex(counterNonce(counter))).toBe(nonce);
});

test("an LRU map keeps what was used last, and no more than its capacity", () => {
  const map = new LruMap<number, string>(3);
  for (const n of [1, 2, 3]) map.set(n, `v${n}`);
  expect(map.get(1)).toBe("v1");
  map.set(4, "v4");
  expect([1, 2, 3, 4].map((n) => map.get(n))).toEqual(["v1", undefined, "v3", "v4"]);
  for (let n = 10; n < 1000; n++) map.set(n, "x");
  expect(map.size).toBe(3);
});

test.each(backends)("a peer's key is kept once it is remembered, and not before, $name backend", (primitives) => {
  const peerKeys = createPeerKeys(primitives);
  const local = primitives.keyPairFromSeed(new Uint8Array(32).fill(1));
  const id = required(nodeIdFromBytes(primitives.keyPairFromSeed(new Uint8Array(32).fill(2)).publicKey));
  const first = peerKeys.lookUp(id);
  expect(peerKeys.lookUp(id)).not.toBe(first);
  const secret = required(peerKeys.staticSecret(local, first));
  peerKeys.remember(first);
  expect(peerKeys.lookUp(id)).toBe(first);
  expect(peerKeys.staticSecret(local, peerKeys.lookUp(id))).toBe(secret);
  const other = primitives.keyPairFromSeed(new Uint8Array(32).fill(3));
  const copy = Uint8Array.from(secret);
  const others = required(peerKeys.staticSecret(other, first));
  expect(others).not.toEqual(copy);
  expect(secret).toEqual(new Uint8Array(32));
  expect(peerKeys.staticSecret(local, first)).toEqual(copy);
  const again = required(peerKeys.staticSecret(local, first));
  peerKeys.forget(other);
  expect(again).toEqual(copy);
  peerKeys.forget(local);
  expect(again).toEqual(new Uint8Array(32));
  expect(peerKeys.staticSecret(local, first)).toEqual(copy);
});
