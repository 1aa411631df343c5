import { describe, expect, test } from "@jest/globals";
import { ed25519 } from "@noble/curves/ed25519.js";
import fc from "fast-check";
import { concatBytes } from "../src/concat-bytes.ts";
import { edwardsFromMontgomery, GROUP_ORDER, integerFromBytes, scalarToBytes } from "../src/edwards.ts";
import type { NodeId } from "../src/node-id.ts";
import { isNodeId, nodeIdFromBytes, nodeIdToBytes, parseNodeId } from "../src/node-id.ts";
import { backends, flipBit, hex, pairs, required, seededRandom, suites, unhex, utf8 } from "./support.ts";

const { Point } = ed25519;
type PointOf = ReturnType<typeof Point.fromHex>;
const [node, noble] = backends;
const domain = "test";
const FIELD = 2n ** 255n - 19n;

/** What `verify` says, which both backends must say alike. */
function verdict(id: NodeId, message: Uint8Array, signature: Uint8Array): boolean {
  const input = { id, domain, message, signature };
  const answer = suites.node.verify(input);
  expect(suites.noble.verify(input)).toBe(answer);
  return answer;
}

function framed(message: Uint8Array): Uint8Array {
  return concatBytes(Uint8Array.of(0, domain.length), utf8(domain), message);
}

function challenge(commitment: Uint8Array, point: Uint8Array, message: Uint8Array): bigint {
  return integerFromBytes(node.sha512(concatBytes(commitment, point, framed(message)))) % GROUP_ORDER;
}

const seed = seededRandom("signer")(32);
const signer = { node: suites.node.identityFromSeed(seed), noble: suites.noble.identityFromSeed(seed) };

// Made once by this package; a change here is a change of the protocol.
const GOLDEN_ID = "b3e0820a54b6ae799295bc93de28d43ce8a15577d1c9f28990925357acb45200";
const GOLDEN_SIGNATURE =
  "73b9769f9728a0a453bf1eb4a063bf7e15c34d2bccf6bbd1d0f85ac67d79c280a8ddf83a2c851b1f1e3106eddb79ccb8b8a5" +
  "33a9195839a47edf119f9ea22709";

describe.each(pairs)("a signature by %s, verified by %s", (one, other) => {
  const { sign } = suites[one];
  const { verify } = suites[other];
  const identity = signer[one];
  const { id } = identity;
  const message = utf8("what was said");
  const signature = sign({ identity, domain, message, random: seededRandom("nonce") });

  test("golden bytes", () => {
    expect(id).toBe(GOLDEN_ID);
    expect(hex(signature)).toBe(GOLDEN_SIGNATURE);
    expect(verify({ id: parseNodeId(GOLDEN_ID), domain, message, signature: unhex(GOLDEN_SIGNATURE) })).toBe(true);
  });

  test("holds for its message, domain and signer only", () => {
    expect(verify({ id, domain, message, signature })).toBe(true);
    expect(verify({ id, domain: "tesu", message, signature })).toBe(false);
    expect(verify({ id, domain: "tes", message: utf8("twhat was said"), signature })).toBe(false);
    expect(verify({ id, domain, message: utf8("what was sais"), signature })).toBe(false);
    expect(verify({ id, domain, message: utf8(""), signature })).toBe(false);
    const stranger = suites[other].generateIdentity(seededRandom("stranger"));
    expect(verify({ id: stranger.id, domain, message, signature })).toBe(false);
  });

  test("no flipped bit is overlooked", () => {
    for (let bit = 0; bit < 512; bit += other === "node" ? 1 : 7) {
      expect(verify({ id, domain, message, signature: flipBit(signature, bit) })).toBe(false);
    }
  });

  test("anything else is refused and never throws", () => {
    const wrong = [new Uint8Array(0), signature.slice(1), Uint8Array.of(...signature, 0), new Uint8Array(64)];
    for (const bad of wrong) expect(verify({ id, domain, message, signature: bad })).toBe(false);
    for (const bad of [undefined, null, "text", 5, {}]) {
      expect(verify({ id, domain, message, signature: bad as unknown as Uint8Array })).toBe(false);
      expect(verify({ id, domain, message: bad as unknown as Uint8Array, signature })).toBe(false);
      expect(verify({ id: bad as unknown as NodeId, domain, message, signature })).toBe(false);
    }
    for (const bad of ["", "d".repeat(256)]) expect(verify({ id, domain: bad, message, signature })).toBe(false);
  });
});

describe("signing", () => {
  const identity = signer.node;

  test("works for every kind of key and message, in the same bytes on both backends", () => {
    const bytes = fc.uint8Array({ minLength: 32, maxLength: 32 });
    fc.assert(
      fc.property(bytes, fc.uint8Array({ maxLength: 100 }), fc.string(), (key, message, nonce) => {
        const random = (): ReturnType<typeof seededRandom> => seededRandom(nonce);
        const [a, b] = [suites.node.identityFromSeed(key), suites.noble.identityFromSeed(key)];
        const signature = suites.node.sign({ identity: a, domain, message, random: random() });
        expect(suites.noble.sign({ identity: b, domain, message, random: random() })).toEqual(signature);
        expect(verdict(a.id, message, signature)).toBe(true);
      }),
      { seed: 6, numRuns: 40 },
    );
  });

  test("draws 64 bytes, and other bytes give another signature", () => {
    const drawn: number[] = [];
    const random = seededRandom("draws");
    const count = (size: number): Uint8Array => {
      drawn.push(size);
      return random(size);
    };
    const [one, two] = [1, 2].map(() => suites.node.sign({ identity, domain, message: utf8("m"), random: count }));
    expect(drawn).toEqual([64, 64]);
    expect(hex(required(one)).slice(0, 64)).not.toBe(hex(required(two)).slice(0, 64));
  });

  test("a source without randomness still never uses one nonce for two messages", () => {
    const random = (size: number): Uint8Array => new Uint8Array(size);
    const [one, two] = ["a", "b"].map((text) =>
      suites.node.sign({ identity, domain, message: utf8(text), random }).slice(0, 32),
    );
    expect(one).not.toEqual(two);
  });

  test("misuse throws with a code", () => {
    const input = { identity, domain, message: utf8("m"), random: seededRandom("misuse") };
    for (const bad of ["", "d".repeat(256)]) {
      expect(() => suites.node.sign({ ...input, domain: bad })).toThrow(
        expect.objectContaining({ code: "E_BAD_DOMAIN" }),
      );
    }
    expect(() => suites.node.sign({ ...input, identity: { id: identity.id } })).toThrow(
      expect.objectContaining({ code: "E_NOT_AN_IDENTITY" }),
    );
    expect(() => suites.node.sign({ ...input, random: () => new Uint8Array(63) })).toThrow(
      expect.objectContaining({ code: "E_BAD_RANDOM" }),
    );
  });
});

// Where implementations of Ed25519 differ, and a network of two of them would split.
describe("both backends draw the line at the same place", () => {
  const message = utf8("edge");
  const torsion = Point.fromHex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05");
  const torsions = Array.from({ length: 8 }, (_, j) => (j === 0 ? Point.ZERO : torsion.multiplyUnsafe(BigInt(j))));

  interface Key {
    readonly id: NodeId;
    readonly scalar: bigint;
    /** Of the torsion point in A. */
    readonly index: number;
    readonly point: Uint8Array;
  }

  /** The key A = aB + jT, turned over where needed so that its sign is 0, as XEdDSA reads it off the id. */
  function keyOf(secret: bigint, torsionIndex: number): Key {
    let [scalar, index] = [secret, torsionIndex];
    let point: PointOf = Point.BASE.multiply(scalar).add(required(torsions[index]));
    if ((point.toAffine().x & 1n) === 1n) {
      point = point.negate();
      scalar = GROUP_ORDER - scalar;
      index = (8 - index) % 8;
    }
    const { y } = point.toAffine();
    const u = Point.Fp.div(1n + y, Point.Fp.create(1n - y));
    return { id: required(nodeIdFromBytes(scalarToBytes(u))), scalar, index, point: point.toBytes() };
  }

  /** s for a commitment to r, given as whatever bytes. */
  function signWith(key: Key, r: bigint, commitment: Uint8Array, text: Uint8Array): Uint8Array {
    const s = (r + challenge(commitment, key.point, text) * key.scalar) % GROUP_ORDER;
    return concatBytes(commitment, scalarToBytes(s));
  }

  const [secret, nonce] = [integerFromBytes(seededRandom("a")(31)), integerFromBytes(seededRandom("r")(31))];
  const plain = keyOf(secret, 0);

  test("the map from u to y leads to the key's own point", () => {
    expect(hex(required(edwardsFromMontgomery(nodeIdToBytes(plain.id))))).toBe(hex(plain.point));
    expect(verdict(plain.id, message, signWith(plain, nonce, Point.BASE.multiply(nonce).toBytes(), message))).toBe(
      true,
    );
  });

  test.each([0, 1, 2, 3, 4, 5, 6, 7])("a commitment with torsion %d: only without", (index) => {
    const commitment = Point.BASE.multiply(nonce).add(required(torsions[index])).toBytes();
    expect(verdict(plain.id, message, signWith(plain, nonce, commitment, message))).toBe(index === 0);
  });

  test.each([0, 1, 2, 3, 4, 5, 6, 7])("a commitment that is itself of small order, %d, is refused", (index) => {
    // The equation itself holds for index 0: r = 0 is all it takes. Some versions of Node accept that and some do not.
    const commitment = required(torsions[index]).toBytes();
    expect(verdict(plain.id, message, signWith(plain, 0n, commitment, message))).toBe(false);
    const key = keyOf(secret, 1 + (index % 7));
    for (let i = 0; i < 16; i++) {
      const text = utf8(`message ${i}`);
      expect(verdict(key.id, text, signWith(key, 0n, commitment, text))).toBe(false);
    }
  });

  test.each([1, 2, 3, 4, 5, 6, 7])("a key with torsion %d: where it happens to cancel out", (index) => {
    const key = keyOf(secret, index);
    const seen = new Set<boolean>();
    for (let i = 0; i < 24; i++) {
      const text = utf8(`message ${i}`);
      for (const shift of [0, i % 8]) {
        const commitment = Point.BASE.multiply(nonce).add(required(torsions[shift])).toBytes();
        const k = challenge(commitment, key.point, text);
        // sB - kA = rB - k j T must be R = rB + shift T, byte for byte.
        const cancels = (BigInt(shift) + k * BigInt(key.index)) % 8n === 0n;
        expect(verdict(key.id, text, signWith(key, nonce, commitment, text))).toBe(cancels);
        seen.add(cancels);
      }
    }
    expect(seen.size).toBe(2);
  });

  test.each([
    ["the neutral point", `01${"00".repeat(31)}`],
    ["the neutral point, sign set", `01${"00".repeat(30)}80`],
    ["the neutral point, y = p + 1", `ee${"ff".repeat(30)}7f`],
    ["the neutral point, y = p + 1, sign set", `ee${"ff".repeat(30)}ff`],
  ])("%s as commitment is refused in every spelling", (_name, commitment) => {
    expect(verdict(plain.id, message, signWith(plain, 0n, unhex(commitment), message))).toBe(false);
  });

  test("s in another spelling", () => {
    const commitment = Point.BASE.multiply(nonce).toBytes();
    const signature = signWith(plain, nonce, commitment, message);
    const s = integerFromBytes(signature.subarray(32));
    for (let alias = s + GROUP_ORDER; alias < 2n ** 256n; alias += GROUP_ORDER) {
      expect(verdict(plain.id, message, concatBytes(commitment, scalarToBytes(alias)))).toBe(false);
    }
    // Signal's older variant keeps a sign in the top bit; that is no XEdDSA.
    expect(verdict(plain.id, message, flipBit(signature, 511))).toBe(false);
  });

  test("the bare equation of both backends refuses s = L, and takes s = 0 no more than L - 1 for a wrong R", () => {
    for (const primitives of backends) {
      const verifier = primitives.createVerifier(plain.point);
      for (const s of [0n, GROUP_ORDER - 1n, GROUP_ORDER]) {
        expect(verifier(message, concatBytes(plain.point, scalarToBytes(s)))).toBe(false);
      }
    }
  });

  test("u = -1 has no point and is no id", () => {
    expect(edwardsFromMontgomery(scalarToBytes(FIELD - 1n))).toBeUndefined();
    expect(isNodeId(hex(scalarToBytes(FIELD - 1n)))).toBe(false);
    expect(verdict(hex(scalarToBytes(FIELD - 1n)) as NodeId, message, new Uint8Array(64))).toBe(false);
  });

  test("an id on the twist has signed nothing", () => {
    const signature = signWith(plain, nonce, Point.BASE.multiply(nonce).toBytes(), message);
    let onTwist = 0;
    for (let u = 2n; u < 40n; u++) {
      const id = required(nodeIdFromBytes(scalarToBytes(u)));
      // v^2 = u^3 + 486662 u^2 + u has a root on the curve only (RFC 7748 §4.1).
      const square = (u ** 3n + 486662n * u ** 2n + u) % FIELD;
      if (Point.Fp.pow(square, (FIELD - 1n) / 2n) === 1n) continue;
      onTwist += 1;
      expect(verdict(id, message, signature)).toBe(false);
      expect(verdict(id, message, new Uint8Array(64).fill(1, 0, 1))).toBe(false);
    }
    expect(onTwist).toBeGreaterThan(5);
  });

  test("a signature by an ordinary Ed25519 key that has sign 0", () => {
    // An independent signer: OpenSSL's equation, noble's signing.
    for (let i = 0; i < 8; i++) {
      const secretKey = seededRandom(`ed25519 ${i}`)(32);
      const publicKey = ed25519.getPublicKey(secretKey);
      const signature = ed25519.sign(framed(message), secretKey);
      const id = required(nodeIdFromBytes(ed25519.utils.toMontgomery(publicKey)));
      expect(verdict(id, message, signature)).toBe((required(publicKey[31]) & 0x80) === 0);
    }
  });

  test("random signatures over random ids: never one yes and one no", () => {
    const bytes = (size: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: size, maxLength: size });
    fc.assert(
      fc.property(bytes(32), bytes(64), (u, signature) => {
        const id = nodeIdFromBytes(u);
        if (id !== undefined) expect(verdict(id, message, signature)).toBe(false);
      }),
      { seed: 7, numRuns: 50 },
    );
  });
});

test("a signature of Signal's own: its key's point, the sign beside it", () => {
  // libsignal's published check of its Curve25519 signatures. That older variant has A's sign in the top bit of s.
  const identityKey = unhex("ab7e717d4a163b7d9a1d8071dfe9dcf8cdcd1cea3339b6356be84d887e322c64");
  const signedKey = unhex("05edce9d9c415ca78cb7252e72c2c4a554d3eb29485a0e1d503118d1a82d99fb4a");
  const signature = unhex(
    "5de88ca9a89b4a115da79109c67c9c7464a3e4180274f1cb8c63c2984e286dfb" +
      "ede82deb9dcd9fae0bfbb821569b3d9001bd8130cd11d486cef047bd60b86e88",
  );
  const point = required(edwardsFromMontgomery(identityKey));
  point[31] = required(point[31]) | (required(signature[63]) & 0x80);
  signature[63] = required(signature[63]) & 0x7f;
  for (const { createVerifier } of [node, noble]) {
    expect(createVerifier(point)(signedKey, signature)).toBe(true);
    for (let bit = 0; bit < 512; bit += 17) {
      expect(createVerifier(point)(signedKey, flipBit(signature, bit))).toBe(false);
    }
  }
});
