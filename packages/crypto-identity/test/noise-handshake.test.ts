import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { createCipherState } from "../src/cipher-state.ts";
import { PATTERNS, type PatternName } from "../src/handshake-pattern.ts";
import type { NodeId } from "../src/node-id.ts";
import type { NoiseHandshake, NoiseHandshakeInput, NoiseTransport } from "../src/noise-handshake.ts";
import { backends, flipBit, hex, pairs, required, seededRandom, suites, utf8 } from "./support.ts";

type Name = keyof typeof suites;

const NAMES = Object.keys(PATTERNS) as PatternName[];
const prologue = utf8("prologue");
const empty = utf8("");
const LAST = 2n ** 64n - 1n;

/** Which sides have a static key, and which know the other's beforehand: Noise §7.4 and §7.5, told apart from the table. */
const KEYS: Record<PatternName, readonly [initiator: string, responder: string]> = {
  N: ["r", "s"],
  X: ["sr", "s"],
  XX: ["s", "s"],
  IK: ["sr", "s"],
  KK: ["sr", "sr"],
};

function inputs(pattern: PatternName, [one, two]: readonly [Name, Name]): [NoiseHandshakeInput, NoiseHandshakeInput] {
  const seeds = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)] as const;
  const people = [suites[one].identityFromSeed(seeds[0]), suites[two].identityFromSeed(seeds[1])] as const;
  const input = (side: 0 | 1): NoiseHandshakeInput => ({
    pattern,
    role: side === 0 ? "initiator" : "responder",
    prologue,
    random: seededRandom(`${pattern} ${side}`),
    ...(KEYS[pattern][side].includes("s") ? { identity: people[side] } : {}),
    ...(KEYS[pattern][side].includes("r") ? { remote: people[1 - side]?.id } : {}),
  });
  return [input(0), input(1)];
}

function begin(pattern: PatternName, sides: readonly [Name, Name]): [NoiseHandshake, NoiseHandshake] {
  const [initiator, responder] = inputs(pattern, sides);
  return [suites[sides[0]].createNoiseHandshake(initiator), suites[sides[1]].createNoiseHandshake(responder)];
}

function complete([initiator, responder]: [NoiseHandshake, NoiseHandshake]): [NoiseTransport, NoiseTransport] {
  for (let turn = 0; !initiator.isComplete; turn++) {
    const [writer, reader] = turn % 2 === 0 ? [initiator, responder] : [responder, initiator];
    expect(reader.read(writer.write(utf8(`payload ${turn}`)))).toEqual(utf8(`payload ${turn}`));
  }
  return [initiator.split(), responder.split()];
}

const isOneWay = (pattern: PatternName): boolean => PATTERNS[pattern].messages.length === 1;

describe.each(pairs)("a Noise handshake between %s and %s", (...sides) => {
  test.each(NAMES)("%s: both ends with one hash, and keys that fit", (pattern) => {
    const ends = begin(pattern, sides);
    const [one, two] = complete(ends);
    expect(hex(one.handshakeHash)).toBe(hex(two.handshakeHash));
    const [initiator, responder] = inputs(pattern, sides);
    expect(ends[1].remote).toBe(initiator.identity?.id);
    expect(ends[0].remote).toBe(responder.identity?.id);
    for (const text of ["one", "two", "three"]) {
      expect(two.receive.open(utf8("ad"), one.send.seal(utf8("ad"), utf8(text)))).toEqual(utf8(text));
      if (isOneWay(pattern)) continue;
      expect(one.receive.open(empty, two.send.seal(empty, utf8(text)))).toEqual(utf8(text));
    }
    if (!isOneWay(pattern)) return;
    expect(() => two.send.seal(empty, empty)).toThrow(expect.objectContaining({ code: "E_CLOSED" }));
    expect(one.receive.open(empty, new Uint8Array(32))).toBeUndefined();
  });

  test.each(NAMES)("%s: no flipped bit of any message goes unnoticed, and none disturbs the handshake", (pattern) => {
    const ends = begin(pattern, sides);
    for (let turn = 0; !ends[0].isComplete; turn++) {
      const [writer, reader] = turn % 2 === 0 ? ends : ([ends[1], ends[0]] as const);
      const message = writer.write(utf8("p"));
      // The first message of XX is in the clear: there a changed bit is noticed when the answer comes.
      if (pattern !== "XX" || turn > 0) {
        const step = sides.join().includes("noble") ? 41 : 3;
        for (let bit = turn; bit < message.length * 8; bit += step) {
          expect(reader.read(flipBit(message, bit))).toBeUndefined();
        }
        for (let size = 0; size < message.length; size += 7) {
          expect(reader.read(message.subarray(0, size))).toBeUndefined();
        }
        expect(reader.read(Uint8Array.of(...message, 0))).toBeUndefined();
      }
      expect(reader.read(message)).toEqual(utf8("p"));
    }
    complete(ends);
  });
});

test("a changed first message of XX is noticed by the initiator when the answer comes", () => {
  for (const bit of [0, 100, 255, 256, 263]) {
    const [initiator, responder] = begin("XX", ["node", "node"]);
    expect(responder.read(flipBit(initiator.write(utf8("clear")), bit))).toBeDefined();
    expect(initiator.read(responder.write(empty))).toBeUndefined();
  }
});

describe.each(["node", "noble"] as const)("misuse of a handshake, %s backend", (name) => {
  const sides = [name, name] as const;

  test("turns are kept, and a split comes once and at the end", () => {
    const [initiator, responder] = begin("IK", sides);
    const outOfTurn = expect.objectContaining({ code: "E_OUT_OF_TURN" });
    expect(() => responder.write(empty)).toThrow(outOfTurn);
    expect(() => initiator.split()).toThrow(outOfTurn);
    const message = initiator.write(empty);
    expect(() => initiator.write(empty)).toThrow(outOfTurn);
    expect(initiator.read(message)).toBeUndefined();
    responder.read(message);
    expect(responder.read(message)).toBeUndefined();
    initiator.read(responder.write(empty));
    initiator.split();
    expect(() => initiator.split()).toThrow(outOfTurn);
    expect(() => initiator.write(empty)).toThrow(outOfTurn);
    expect(initiator.read(message)).toBeUndefined();
  });

  test("a write that fails has changed nothing", () => {
    const [input, other] = inputs("IK", sides);
    let isShort = true;
    const good = seededRandom("good");
    const random = (size: number): Uint8Array => (isShort ? new Uint8Array(1) : good(size));
    const initiator = suites[name].createNoiseHandshake({ ...input, random });
    expect(() => initiator.write(empty)).toThrow(expect.objectContaining({ code: "E_BAD_RANDOM" }));
    isShort = false;
    expect(() => initiator.write(new Uint8Array(65_535))).toThrow(expect.objectContaining({ code: "E_TOO_LARGE" }));
    const responder = suites[name].createNoiseHandshake(other);
    expect(responder.read(initiator.write(utf8("fine")))).toEqual(utf8("fine"));
  });

  test.each(NAMES)("%s: a key too few or too many is refused by name", (pattern) => {
    for (const side of [0, 1] as const) {
      const input = inputs(pattern, sides)[side];
      const stranger = suites[name].generateIdentity(seededRandom("stranger"));
      const keys = KEYS[pattern][side];
      const wrong = [
        ["identity", { identity: keys.includes("s") ? undefined : stranger }],
        ["remote", { remote: keys.includes("r") ? undefined : stranger.id }],
      ] as const;
      for (const [argument, change] of wrong) {
        expect(() => suites[name].createNoiseHandshake({ ...input, ...change })).toThrow(
          expect.objectContaining({ code: "E_BAD_ARGUMENT", argument }),
        );
      }
    }
  });

  test("other bad arguments are refused by name", () => {
    const [input] = inputs("IK", sides);
    const attempts = [
      ["pattern", "E_BAD_ARGUMENT", { pattern: "toString" }],
      ["role", "E_BAD_ARGUMENT", { role: "client" }],
      ["prologue", "E_BAD_ARGUMENT", { prologue: "text" }],
      ["remote", "E_BAD_ID", { remote: "00".repeat(32) as NodeId }],
      ["identity", "E_NOT_AN_IDENTITY", { identity: { id: input.remote } }],
    ] as const;
    for (const [argument, code, change] of attempts) {
      const attempt = (): unknown => suites[name].createNoiseHandshake({ ...input, ...change } as NoiseHandshakeInput);
      expect(attempt).toThrow(expect.objectContaining({ code, argument }));
    }
    const handshake = suites[name].createNoiseHandshake(input);
    const payload = "text" as unknown as Uint8Array;
    expect(() => handshake.write(payload)).toThrow(
      expect.objectContaining({ code: "E_BAD_ARGUMENT", argument: "payload" }),
    );
    expect(handshake.read(payload)).toBeUndefined();
  });

  test("a message for another prologue or pattern is refused", () => {
    const [initiator, responder] = inputs("IK", sides);
    const message = suites[name].createNoiseHandshake({ ...initiator, prologue: utf8("other") }).write(empty);
    expect(suites[name].createNoiseHandshake(responder).read(message)).toBeUndefined();
    const [sender] = inputs("X", sides);
    const box = suites[name].createNoiseHandshake(sender).write(empty);
    expect(suites[name].createNoiseHandshake(responder).read(box)).toBeUndefined();
  });
});

describe.each(backends)("a CipherState, $name backend", (primitives) => {
  const key = seededRandom("cipher state")(32);
  const make = (): ReturnType<typeof createCipherState> => createCipherState(primitives, primitives.createCipher(key));

  test("counts what it sealed and what it opened, and nothing else", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom("good", "bad", "old", "short", "no bytes"), { maxLength: 20 }), (steps) => {
        const [sender, receiver] = [make(), make()];
        let old = sender.seal(empty, utf8("old"));
        receiver.open(empty, old);
        for (const step of steps) {
          const before = receiver.counter;
          if (step === "bad") {
            expect(receiver.open(empty, flipBit(old, Number(before) % 8))).toBeUndefined();
          } else if (step === "old") {
            expect(receiver.open(empty, old)).toBeUndefined();
          } else if (step === "short") {
            expect(receiver.open(empty, new Uint8Array(Number(before) % 16))).toBeUndefined();
          } else if (step === "no bytes") {
            expect(receiver.open(empty, "text" as unknown as Uint8Array)).toBeUndefined();
          } else {
            old = sender.seal(empty, utf8(`message ${before}`));
            expect(receiver.open(empty, old)).toEqual(utf8(`message ${before}`));
          }
          expect(receiver.counter).toBe(before + (step === "good" ? 1n : 0n));
          expect(receiver.counter).toBe(sender.counter);
        }
      }),
      { seed: 8, numRuns: 40 },
    );
  });

  test("its nonce is the counter, big-endian, over all 64 bits", () => {
    const cipher = primitives.createCipher(key);
    for (const counter of [0n, 1n, 255n, 2n ** 32n - 1n, 2n ** 53n, 2n ** 63n, LAST - 1n]) {
      const nonce = new Uint8Array(12);
      new DataView(nonce.buffer).setBigUint64(4, counter);
      const sender = make();
      sender.setCounter(counter);
      expect(sender.seal(utf8("ad"), utf8("x"))).toEqual(cipher.seal(nonce, utf8("ad"), utf8("x")));
      expect(sender.counter).toBe(counter + 1n);
    }
  });

  test("refuses 2^64 - 1 in both directions, and goes no further", () => {
    const [sender, receiver] = [make(), make()];
    sender.setCounter(LAST - 1n);
    receiver.setCounter(LAST - 1n);
    expect(receiver.open(empty, sender.seal(empty, utf8("the last")))).toEqual(utf8("the last"));
    for (let i = 0; i < 3; i++) {
      expect(() => sender.seal(empty, empty)).toThrow(expect.objectContaining({ code: "E_COUNTER_EXHAUSTED" }));
    }
    const nonce = new Uint8Array(12).fill(0xff, 4);
    const forged = primitives.createCipher(key).seal(nonce, empty, utf8("one more"));
    expect(receiver.open(empty, forged)).toBeUndefined();
    expect([sender.counter, receiver.counter]).toEqual([LAST, LAST]);
  });

  test("rekeys as Noise §4.2 says, and the counter goes on", () => {
    const [sender, receiver] = [make(), make()];
    receiver.open(empty, sender.seal(empty, utf8("before")));
    const nonce = new Uint8Array(12).fill(0xff, 4);
    const next = primitives.createCipher(key).seal(nonce, empty, new Uint8Array(32)).slice(0, 32);
    sender.rekey();
    const sealed = sender.seal(empty, utf8("after"));
    expect(sealed).toEqual(
      primitives.createCipher(next).seal(Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1), empty, utf8("after")),
    );
    expect(receiver.open(empty, sealed)).toBeUndefined();
    receiver.rekey();
    expect(receiver.open(empty, sealed)).toEqual(utf8("after"));
    expect(receiver.counter).toBe(2n);
  });

  test("closed, it has no key", () => {
    const [sender, receiver] = [make(), make()];
    const sealed = sender.seal(empty, utf8("x"));
    receiver.close();
    sender.close();
    expect(receiver.open(empty, sealed)).toBeUndefined();
    const closed = expect.objectContaining({ code: "E_CLOSED" });
    expect(() => sender.seal(empty, empty)).toThrow(closed);
    expect(() => sender.rekey()).toThrow(closed);
  });

  test("bad arguments are refused by name", () => {
    const state = make();
    for (const counter of [-1n, 2n ** 64n, 5 as unknown as bigint, undefined as unknown as bigint]) {
      expect(() => state.setCounter(counter)).toThrow(
        expect.objectContaining({ code: "E_BAD_COUNTER", argument: "counter" }),
      );
    }
    const text = "text" as unknown as Uint8Array;
    const attempts = [
      ["associatedData", () => state.seal(text, empty)],
      ["plaintext", () => state.seal(empty, text)],
      ["associatedData", () => state.open(text, empty)],
    ] as const;
    for (const [argument, attempt] of attempts) {
      expect(attempt).toThrow(expect.objectContaining({ code: "E_BAD_ARGUMENT", argument }));
    }
    expect(required(state).counter).toBe(0n);
  });
});
