import { randomBytes } from "node:crypto";
import { inspect } from "node:util";
import { describe, expect, test } from "@jest/globals";
import * as api from "@starling/crypto-identity";
import fc from "fast-check";
import { backends, flipBit, hex, required, seededRandom, suites, unhex } from "./support.ts";

const ID = "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a";
const FF30 = "ff".repeat(30);

const ACCEPTED = [
  ["an ordinary key", ID],
  ["the base point", `09${"00".repeat(31)}`],
  ["u = 2", `02${"00".repeat(31)}`],
  ["u = p - 2, the largest", `eb${FF30}7f`],
  ["the pattern of p in the wrong order", `7f${FF30}ed`.replace("ed", "0d")],
  ["one middle byte below the pattern of p", `ff${"ff".repeat(29)}fe7f`],
] as const;

const REFUSED: readonly (readonly [string, unknown])[] = [
  ["upper case", ID.toUpperCase()],
  ["63 digits", ID.slice(1)],
  ["65 digits", `${ID}0`],
  ["a blank in front", ` ${ID}`],
  ["a newline behind", `${ID}\n`],
  ["0x in front", `0x${ID.slice(2)}`],
  ["a digit that is none", `g${ID.slice(1)}`],
  ["nothing", ""],
  ["a number", 5],
  ["undefined", undefined],
  ["an array", [ID]],
  ["a String object", Object(ID)],
  ["bit 255 set", `${ID.slice(0, 62)}ea`],
  ["all ones", "ff".repeat(32)],
  ["u = p", `ed${FF30}7f`],
  ["u = p + 1", `ee${FF30}7f`],
  ["u = p + 2, an alias of 2", `ef${FF30}7f`],
  ["u = p + 9, an alias of the base point", `f6${FF30}7f`],
  ["u = 2^255 - 1", `ff${FF30}7f`],
  ["low order, u = 0", "00".repeat(32)],
  ["low order, u = 1", `01${"00".repeat(31)}`],
  ["low order, the first of order 8", "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"],
  ["low order, the second of order 8", "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"],
  ["low order, u = p - 1", `ec${FF30}7f`],
];

describe("NodeId", () => {
  test.each(ACCEPTED)("takes %s", (_name, text) => {
    expect(api.isNodeId(text)).toBe(true);
    const id = api.parseNodeId(text);
    const bytes = api.nodeIdToBytes(id);
    expect(hex(bytes)).toBe(text);
    expect(api.nodeIdFromBytes(bytes)).toBe(id);
    expect(api.nodeIdToBytes(id)).not.toBe(bytes);
  });

  test.each(REFUSED)("refuses %s", (_name, value) => {
    expect(api.isNodeId(value)).toBe(false);
    // People read it, who know of no argument's name.
    const message = expect.stringMatching(/^(a node id is|these digits are)/);
    expect(() => api.parseNodeId(value as string)).toThrow(expect.objectContaining({ code: "E_BAD_ID", message }));
    expect(() => api.nodeIdToBytes(value as api.NodeId)).toThrow(api.IdentityError);
    if (typeof value === "string" && /^[0-9a-f]{64}$/.test(value)) {
      expect(api.nodeIdFromBytes(unhex(value))).toBeUndefined();
    }
  });

  test("comes of exactly 32 bytes", () => {
    for (const size of [0, 31, 33]) expect(api.nodeIdFromBytes(new Uint8Array(size).fill(9))).toBeUndefined();
    expect(api.nodeIdFromBytes(ID as unknown as Uint8Array)).toBeUndefined();
  });

  test("never has two spellings: both backends give every accepted id another secret", () => {
    const { keyPairFromSeed, importPublicKey } = backends[0];
    const { agree } = keyPairFromSeed(seededRandom("spelling")(32));
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), fc.nat(255), (bytes, bit) => {
        const flipped = flipBit(bytes, bit);
        if (api.nodeIdFromBytes(bytes) === undefined || api.nodeIdFromBytes(flipped) === undefined) return;
        expect(agree(importPublicKey(bytes))).not.toEqual(agree(importPublicKey(flipped)));
      }),
      { seed: 3, numRuns: 200 },
    );
  });
});

describe.each(["node", "noble"] as const)("Identity, %s backend", (name) => {
  const suite = suites[name];
  const seed = unhex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");

  test("has the id of its public key", () => {
    expect(suite.identityFromSeed(seed).id).toBe(ID);
    const generated = suite.generateIdentity(() => seed);
    expect(generated.id).toBe(ID);
    expect(hex(suite.seedOf(generated))).toBe(hex(seed));
  });

  test("shows nobody its private half", () => {
    const identity = suite.identityFromSeed(seed);
    const views = [
      JSON.stringify(identity),
      inspect(identity, { showHidden: true, depth: Number.POSITIVE_INFINITY, getters: true }),
      Reflect.ownKeys(identity).join(),
      `${Object.values(structuredClone(identity))}`,
    ].join("\n");
    expect(views).not.toContain(hex(seed));
    expect(views).not.toContain(String(seed));
    expect(Reflect.ownKeys(identity)).toEqual(["id"]);
    expect(Object.isFrozen(identity)).toBe(true);
  });

  test("is not disturbed by what a caller does to the bytes", () => {
    const mine = Uint8Array.from(seed);
    const identity = suite.identityFromSeed(mine);
    mine.fill(0);
    suite.seedOf(identity).fill(0);
    expect(hex(suite.seedOf(identity))).toBe(hex(seed));
  });

  test("cannot be copied or made up", () => {
    const identity = suite.identityFromSeed(seed);
    for (const copy of [{ ...identity }, structuredClone(identity), { id: identity.id }]) {
      expect(() => suite.seedOf(copy)).toThrow(expect.objectContaining({ code: "E_NOT_AN_IDENTITY" }));
    }
  });

  test("forgotten, is good for nothing, and what was begun with it comes to nothing", () => {
    const random = seededRandom("forget");
    const [one, other] = [suite.generateIdentity(random), suite.generateIdentity(random)];
    const prologue = api.protocolPrologue("main", "session");
    const payload = new Uint8Array(0);
    const box = suite.sealBox({ identity: other, recipient: one.id, prologue, plaintext: payload, random });
    expect(suite.openBox({ identity: one, prologue, box })?.sender).toBe(other.id);
    const initiation = suite.initiateHandshake({ identity: one, responder: other.id, prologue, payload, random });
    const { message } = initiation;
    const answer = required(suite.respondHandshake({ identity: other, prologue, message })).respond(payload, random);
    const begun = suite.initiateHandshake({ identity: other, responder: one.id, prologue, payload, random });
    const response = required(suite.respondHandshake({ identity: one, prologue, message: begun.message }));
    suite.sign({ identity: one, domain: "d", message, random });
    suite.forgetIdentity(one);
    const uses = [
      () => suite.seedOf(one),
      () => suite.forgetIdentity(one),
      () => suite.sign({ identity: one, domain: "d", message, random }),
      () => suite.openBox({ identity: one, prologue, box }),
      () => suite.sealBox({ identity: one, recipient: other.id, prologue, plaintext: payload, random }),
      () => response.respond(payload, random),
    ];
    for (const use of uses) expect(use).toThrow(expect.objectContaining({ code: "E_NOT_AN_IDENTITY" }));
    expect(initiation.finish(answer.message)).toBeUndefined();
    // Another identity of the same key is another one.
    expect(suite.seedOf(other)).toHaveLength(32);
  });

  test("the system's random source gives what it is asked for, and its identities are like any other", () => {
    const { systemRandom: random } = suite;
    expect([0, 1, 32, 100].map((size) => random(size).length)).toEqual([0, 1, 32, 100]);
    expect(hex(random(32))).not.toBe(hex(random(32)));
    const [one, other] = [suite.generateIdentity(random), suite.generateIdentity(random)];
    const again = suite.identityFromSeed(suite.seedOf(one));
    const prologue = api.protocolPrologue("main", "envelope");
    const box = suite.sealBox({ identity: other, recipient: one.id, prologue, plaintext: random(5), random });
    expect(suite.openBox({ identity: again, prologue, box })?.sender).toBe(other.id);
    const second = suite.sealBox({ identity: other, recipient: one.id, prologue, plaintext: random(5), random });
    expect(hex(box.slice(0, 32))).not.toBe(hex(second.slice(0, 32)));
  });

  test("a wrong argument is named by the error; wrong bytes from a network are refused without one", () => {
    const random = seededRandom("arguments");
    const identity = suite.identityFromSeed(seed);
    const bytes = new Uint8Array(3);
    const text = "text" as unknown as Uint8Array;
    const none = undefined as unknown as () => Uint8Array;
    const seal = { identity, recipient: identity.id, prologue: bytes, plaintext: bytes, random };
    const begin = { identity, responder: identity.id, prologue: bytes, payload: bytes, random };
    const sign = { identity, domain: "d", message: bytes, random };
    const { message } = suite.initiateHandshake(begin);
    const response = required(suite.respondHandshake({ identity, prologue: bytes, message }));
    const attempts: readonly (readonly [string, string, () => unknown])[] = [
      ["E_BAD_SEED", "seed", () => suite.identityFromSeed(text)],
      ["E_BAD_RANDOM", "random", () => suite.generateIdentity(none)],
      ["E_NOT_AN_IDENTITY", "identity", () => suite.seedOf(undefined as unknown as api.Identity)],
      ["E_BAD_ID", "text", () => api.parseNodeId("")],
      ["E_BAD_ID", "id", () => api.nodeIdToBytes("" as api.NodeId)],
      ["E_BAD_ID", "recipient", () => suite.sealBox({ ...seal, recipient: "" as api.NodeId })],
      ["E_BAD_ARGUMENT", "prologue", () => suite.sealBox({ ...seal, prologue: text })],
      ["E_BAD_ARGUMENT", "plaintext", () => suite.sealBox({ ...seal, plaintext: text })],
      ["E_BAD_RANDOM", "random", () => suite.sealBox({ ...seal, random: none })],
      ["E_BAD_ARGUMENT", "prologue", () => suite.openBox({ identity, prologue: text, box: bytes })],
      ["E_BAD_ID", "responder", () => suite.initiateHandshake({ ...begin, responder: "" as api.NodeId })],
      ["E_BAD_ARGUMENT", "payload", () => suite.initiateHandshake({ ...begin, payload: text })],
      ["E_BAD_ARGUMENT", "prologue", () => suite.respondHandshake({ identity, prologue: text, message })],
      ["E_BAD_ARGUMENT", "payload", () => response.respond(text, random)],
      ["E_BAD_DOMAIN", "domain", () => suite.sign({ ...sign, domain: 5 as unknown as string })],
      ["E_BAD_ARGUMENT", "message", () => suite.sign({ ...sign, message: text })],
      ["E_BAD_PROLOGUE", "network", () => api.protocolPrologue(5 as unknown as string, "p")],
      ["E_BAD_PROLOGUE", "purpose", () => api.protocolPrologue("n", "")],
      ["E_BAD_ARGUMENT", "data", () => suite.sha256(text)],
      ["E_BAD_ARGUMENT", "key", () => suite.createMac(text)],
      ["E_BAD_ARGUMENT", "data", () => suite.createMac(bytes)(text)],
      ["E_BAD_ARGUMENT", "b", () => suite.equalBytes(bytes, text)],
    ];
    for (const [code, argument, attempt] of attempts) {
      expect(attempt).toThrow(expect.objectContaining({ code, argument }));
    }
    for (const bad of [text, undefined, null, 5, {}, [1, 2]] as unknown as Uint8Array[]) {
      expect(suite.openBox({ identity, prologue: bytes, box: bad })).toBeUndefined();
      expect(suite.respondHandshake({ identity, prologue: bytes, message: bad })).toBeUndefined();
      expect(suite.initiateHandshake(begin).finish(bad)).toBeUndefined();
    }
  });

  test("refuses a bad seed and a source that gives too little", () => {
    for (const size of [0, 31, 33, 64]) {
      const bad = new Uint8Array(size);
      expect(() => suite.identityFromSeed(bad)).toThrow(expect.objectContaining({ code: "E_BAD_SEED" }));
      expect(() => suite.generateIdentity(() => bad)).toThrow(expect.objectContaining({ code: "E_BAD_RANDOM" }));
    }
  });
});

describe("protocolPrologue", () => {
  test("golden bytes", () => {
    expect(hex(api.protocolPrologue("main", "session"))).toBe(
      `08${hex(Buffer.from("starling"))}01` + `0004${hex(Buffer.from("main"))}` + `0007${hex(Buffer.from("session"))}`,
    );
  });

  test("differs wherever the network or the purpose does", () => {
    const text = fc.string({ minLength: 1, maxLength: 8, unit: "grapheme-ascii" });
    fc.assert(
      fc.property(text, text, text, text, (a, b, c, d) => {
        const isSame = a === c && b === d;
        expect(hex(api.protocolPrologue(a, b)) === hex(api.protocolPrologue(c, d))).toBe(isSame);
      }),
      { seed: 4 },
    );
    expect(hex(api.protocolPrologue("ab", "c"))).not.toBe(hex(api.protocolPrologue("a", "bc")));
  });

  test.each(["", "n".repeat(256)])("refuses the name '%.5s'", (name) => {
    for (const make of [() => api.protocolPrologue(name, "p"), () => api.protocolPrologue("n", name)]) {
      expect(make).toThrow(expect.objectContaining({ code: "E_BAD_PROLOGUE" }));
    }
  });
});

test("the public functions run, with the Buffers of node:crypto's own random source too", () => {
  const random = (sizeBytes: number): Uint8Array => randomBytes(sizeBytes);
  const identity = api.generateIdentity(random);
  const mac = api.createMac(random(32));
  expect(api.equalBytes(mac(random(3)), mac(random(3)))).toBe(false);
  expect(hex(api.hmacSha256(unhex("0b".repeat(20)), Buffer.from("Hi There")))).toMatch(/^b0344c61/);
  expect(hex(api.sha256(Buffer.from("abc")))).toMatch(/^ba7816bf/);
  const prologue = api.protocolPrologue("main", "envelope");
  const box = api.sealBox({ identity, recipient: identity.id, prologue, plaintext: random(9), random });
  expect(box).toHaveLength(9 + api.SEALED_BOX_OVERHEAD_BYTES);
  expect(required(api.openBox({ identity, prologue, box })).sender).toBe(identity.id);
});
