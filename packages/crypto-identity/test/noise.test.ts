import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { PATTERN_X } from "../src/handshake-pattern.ts";
import type { Identity } from "../src/identity.ts";
import { type NodeId, nodeIdToBytes } from "../src/node-id.ts";
import { createNoise } from "../src/noise.ts";
import { createPeerKeys } from "../src/peer-keys.ts";
import type { KeyPair, Primitives } from "../src/primitives.ts";
import { protocolPrologue } from "../src/prologue.ts";
import { SEALED_BOX_OVERHEAD_BYTES } from "../src/sealed-box.ts";
import {
  HANDSHAKE_INITIATION_OVERHEAD_BYTES,
  HANDSHAKE_RESPONSE_OVERHEAD_BYTES,
  type Initiation,
  type Response,
} from "../src/session-handshake.ts";
import { createSuite } from "../src/suite.ts";
import { backends, flipBit, hex, pairs, required, seededRandom, suites, unhex, utf8 } from "./support.ts";

const prologue = protocolPrologue("test", "unicast");
const seeds = { alice: unhex("01".repeat(32)), bob: unhex("02".repeat(32)), carol: unhex("03".repeat(32)) };

type Name = keyof typeof suites;

function people(name: Name): Readonly<Record<keyof typeof seeds, Identity>> {
  const { identityFromSeed } = suites[name];
  return {
    alice: identityFromSeed(seeds.alice),
    bob: identityFromSeed(seeds.bob),
    carol: identityFromSeed(seeds.carol),
  };
}

const cast = { node: people("node"), noble: people("noble") };

/** Every single flipped bit on node; one a byte on noble, which is twenty times slower. */
function mutations(name: Name, bytes: Uint8Array): Uint8Array[] {
  const step = name === "node" ? 1 : 8;
  const mutated: Uint8Array[] = [];
  for (let bit = 0; bit < bytes.length * 8; bit += step) {
    mutated.push(flipBit(bytes, step === 8 ? bit + ((bit >> 3) & 7) : bit));
  }
  return mutated;
}

/** Cuts at and beside the borders of the fields. */
function truncations(bytes: Uint8Array): Uint8Array[] {
  return [0, 1, 31, 32, 79, 80, 95, bytes.length - 1].map((size) => bytes.slice(0, Math.min(size, bytes.length - 1)));
}

// Made once by this package and checked by the noble backend; a change here is a change of the protocol.
const GOLDEN_BOX =
  "3ecb06cf582071728da0de6a59700e1e4ff996d41a27e67ba3517a98d5ca00056558dd801771d357cd94f7561729cc37911c" +
  "d72ab172092b8631647af6085707659d93f96464103610b3ae2d10e702787faf7b3427ff3ac24e0b8c034aa1d581d69d322b" +
  "aa75";
const GOLDEN_MESSAGE_1 =
  "ed08b4c019c962174e76fb03499711b1df9cd89c705d64fe5f253e07f7fa7d369d511b913eca4a09546d35c77ae95a4a7055" +
  "ec5e287c6f76a29769578d14801c4885fbeca6b3c69c1068a6cc3191347cc9168a2d959fcc3a678b1a1eee69884e11f08a50" +
  "94";
const GOLDEN_MESSAGE_2 =
  "92a8aa43daaf2d18b30477eea0ac6ce9df0e5238774f84094d50f95f8d66ca2690a93dacda52547399e6d3893b93d7c58446" + "31883a7d1d";
const GOLDEN_HASH = "465b9e05fcec241ebb3788bfe1e8cd3263bbb0bb01def8cf414c95240e80a596";

describe.each(pairs)("sealed box, sealed by %s and opened by %s", (sealer, opener) => {
  const { sealBox } = suites[sealer];
  const { openBox } = suites[opener];
  const { alice } = cast[sealer];
  const { bob, carol } = cast[opener];
  const seal = (plaintext: Uint8Array, seed = "box"): Uint8Array =>
    sealBox({ identity: alice, recipient: bob.id, prologue, plaintext, random: seededRandom(seed) });

  test("golden bytes", () => {
    expect(hex(seal(utf8("golden")))).toBe(GOLDEN_BOX);
    expect(openBox({ identity: bob, prologue, box: unhex(GOLDEN_BOX) })).toEqual({
      sender: alice.id,
      plaintext: utf8("golden"),
    });
  });

  test.each([0, 1, 16, 1024, 61_440, 65_535 - SEALED_BOX_OVERHEAD_BYTES])("round trip of %d bytes", (size) => {
    const plaintext = seededRandom("plaintext")(size);
    const box = seal(plaintext);
    expect(box).toHaveLength(size + SEALED_BOX_OVERHEAD_BYTES);
    const opened = required(openBox({ identity: bob, prologue, box }));
    expect(opened.sender).toBe(alice.id);
    expect(Buffer.compare(opened.plaintext, plaintext)).toBe(0);
  });

  test("opens for no other recipient, sender or prologue", () => {
    const box = seal(utf8("x"));
    expect(openBox({ identity: carol, prologue, box })).toBeUndefined();
    for (const other of [protocolPrologue("test", "session"), protocolPrologue("prod", "unicast"), utf8("")]) {
      expect(openBox({ identity: bob, prologue: other, box })).toBeUndefined();
    }
  });

  test("a changed, cut or lengthened box is refused", () => {
    const box = seal(utf8("mutate me"));
    const bad = [...mutations(opener, box), ...truncations(box), Uint8Array.of(...box, 0), Uint8Array.of(0, ...box)];
    for (const changed of bad) expect(openBox({ identity: bob, prologue, box: changed })).toBeUndefined();
    expect(openBox({ identity: bob, prologue, box })).toBeDefined();
  });
});

describe.each(pairs)("session handshake, begun by %s and answered by %s", (initiator, responder) => {
  const { initiateHandshake } = suites[initiator];
  const { respondHandshake } = suites[responder];
  const { alice } = cast[initiator];
  const { bob, carol } = cast[responder];
  const begin = (payload = utf8("hello")): Initiation =>
    initiateHandshake({ identity: alice, responder: bob.id, prologue, payload, random: seededRandom("initiator") });
  const answer = (message: Uint8Array): Response | undefined => respondHandshake({ identity: bob, prologue, message });

  test("golden bytes, and both ends with the same keys", () => {
    const initiation = begin();
    expect(hex(initiation.message)).toBe(GOLDEN_MESSAGE_1);
    expect(initiation.message).toHaveLength(5 + HANDSHAKE_INITIATION_OVERHEAD_BYTES);
    const response = required(answer(initiation.message));
    expect(response).toMatchObject({ initiator: alice.id, payload: utf8("hello") });
    const { message, keys } = response.respond(utf8("welcome"), seededRandom("responder"));
    expect(hex(message)).toBe(GOLDEN_MESSAGE_2);
    expect(message).toHaveLength(7 + HANDSHAKE_RESPONSE_OVERHEAD_BYTES);
    const finished = required(initiation.finish(message));
    expect(finished.payload).toEqual(utf8("welcome"));
    expect(hex(keys.handshakeHash)).toBe(GOLDEN_HASH);
    expect(hex(finished.keys.handshakeHash)).toBe(GOLDEN_HASH);
    for (const [from, to] of [
      [keys, finished.keys],
      [finished.keys, keys],
    ] as const) {
      const sealed = from.send.seal(7, utf8("head"), utf8("text"));
      expect(to.receive.open(7, utf8("head"), sealed)).toEqual(utf8("text"));
      // Neither a reflection nor another counter.
      expect(from.receive.open(7, utf8("head"), sealed)).toBeUndefined();
      expect(to.receive.open(8, utf8("head"), sealed)).toBeUndefined();
    }
  });

  test("message 1 opens for no other responder or prologue, nor when changed", () => {
    const { message } = begin();
    expect(respondHandshake({ identity: carol, prologue, message })).toBeUndefined();
    expect(respondHandshake({ identity: bob, prologue: utf8("other"), message })).toBeUndefined();
    for (const bad of [...mutations(responder, message), ...truncations(message), Uint8Array.of(...message, 0)]) {
      expect(answer(bad)).toBeUndefined();
    }
    expect(answer(message)?.initiator).toBe(alice.id);
  });

  test("a bad message 2 changes nothing: the right one is still read", () => {
    const initiation = begin(utf8(""));
    const { message } = required(answer(initiation.message)).respond(utf8(""), seededRandom("responder"));
    for (const bad of [...mutations(initiator, message), ...truncations(message), initiation.message]) {
      expect(initiation.finish(bad)).toBeUndefined();
    }
    expect(initiation.finish(message)).toBeDefined();
  });

  test("every answer makes keys of its own, and only its own message 2 leads to them", () => {
    const initiation = begin();
    const response = required(answer(initiation.message));
    const random = seededRandom("answers");
    const [one, two] = [response.respond(utf8("1"), random), response.respond(utf8("2"), random)];
    expect(hex(one.message)).not.toBe(hex(two.message));
    const finished = required(initiation.finish(one.message));
    const sealed = one.keys.send.seal(0, utf8(""), utf8("x"));
    expect(finished.keys.receive.open(0, utf8(""), sealed)).toEqual(utf8("x"));
    expect(two.keys.send.seal(0, utf8(""), utf8("x"))).not.toEqual(sealed);
    expect(required(initiation.finish(two.message)).payload).toEqual(utf8("2"));
  });
});

test.each(backends)("a responder's ephemeral key is given up with its message 2, $name backend", (primitives) => {
  const pairs: KeyPair[] = [];
  const keep = (pair: KeyPair): KeyPair => {
    pairs.push(pair);
    return pair;
  };
  const spied: Primitives = {
    ...primitives,
    generateKeyPair: () => keep(primitives.generateKeyPair()),
    keyPairFromSeed: (seed) => keep(primitives.keyPairFromSeed(seed)),
  };
  const suite = createSuite(spied);
  const [alice, bob] = [suite.identityFromSeed(seeds.alice), suite.identityFromSeed(seeds.bob)];
  const input = { prologue, payload: utf8(""), random: seededRandom("ephemeral") };
  for (const random of [input.random, spied.systemRandom]) {
    const initiation = suite.initiateHandshake({ ...input, identity: alice, responder: bob.id });
    const response = required(suite.respondHandshake({ identity: bob, prologue, message: initiation.message }));
    const before = pairs.length;
    const { message } = response.respond(utf8(""), random);
    expect(pairs).toHaveLength(before + 1);
    const peer = primitives.importPublicKey(nodeIdToBytes(alice.id));
    expect(pairs[before]?.agree(peer)).toBeUndefined();
    // The initiator's is not: its message 1 may be answered again.
    expect(initiation.finish(message)).toBeDefined();
    expect(initiation.finish(message)).toBeDefined();
  }
});

describe.each(["node", "noble"] as const)("what a forger may try, %s backend", (name) => {
  const suite = suites[name];
  const { alice, bob } = cast[name];
  const box = suite.sealBox({
    identity: alice,
    recipient: bob.id,
    prologue,
    plaintext: utf8("forge"),
    random: seededRandom("forge"),
  });

  test.each([
    ["zero", "00".repeat(32)],
    ["one", `01${"00".repeat(31)}`],
    ["of order 8", "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"],
    ["of order 4", `ec${"ff".repeat(30)}7f`],
    ["not reduced", `ed${"ff".repeat(30)}7f`],
    ["zero with bit 255", `${"00".repeat(31)}80`],
  ])("an ephemeral key that is %s", (_what, point) => {
    const forged = Uint8Array.from(box);
    forged.set(unhex(point));
    expect(suite.openBox({ identity: bob, prologue, box: forged })).toBeUndefined();
    expect(suite.respondHandshake({ identity: bob, prologue, message: forged })).toBeUndefined();
  });

  test("a sender under an alias of its key, though it knows the private one", () => {
    const primitives = name === "node" ? backends[0] : backends[1];
    const peerKeys = createPeerKeys(primitives);
    const noise = createNoise(primitives, peerKeys);
    const keyPair = primitives.keyPairFromSeed(seeds.alice);
    const boxAs = (publicKey: Uint8Array): Uint8Array => {
      const state = noise.start({
        pattern: PATTERN_X,
        isInitiator: true,
        prologue,
        localStatic: { ...keyPair, publicKey },
        remoteStatic: peerKeys.lookUp(bob.id),
      });
      return noise.write(state, utf8("alias"), seededRandom("alias")).message;
    };
    expect(suite.openBox({ identity: bob, prologue, box: boxAs(keyPair.publicKey) })?.sender).toBe(alice.id);
    const alias = flipBit(keyPair.publicKey, 255);
    expect(suite.openBox({ identity: bob, prologue, box: boxAs(alias) })).toBeUndefined();
    const lowOrder = new Uint8Array(32);
    expect(suite.openBox({ identity: bob, prologue, box: boxAs(lowOrder) })).toBeUndefined();
  });

  test("any bytes at all never throw and are never taken", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(suite.openBox({ identity: bob, prologue, box: bytes })).toBeUndefined();
        expect(suite.respondHandshake({ identity: bob, prologue, message: bytes })).toBeUndefined();
      }),
      { seed: 5, numRuns: 60 },
    );
  });

  test("a box is no handshake, and a handshake no box", () => {
    expect(suite.respondHandshake({ identity: bob, prologue, message: box })).toBeUndefined();
    const { message } = suite.initiateHandshake({
      identity: alice,
      responder: bob.id,
      prologue,
      payload: utf8("forge"),
      random: seededRandom("forge"),
    });
    expect(suite.openBox({ identity: bob, prologue, box: message })).toBeUndefined();
  });

  test("misuse throws with a code", () => {
    const input = { identity: alice, recipient: bob.id, prologue, plaintext: utf8(""), random: seededRandom("misuse") };
    const attempts = [
      ["E_BAD_ID", () => suite.sealBox({ ...input, recipient: "00".repeat(32) as NodeId })],
      ["E_NOT_AN_IDENTITY", () => suite.sealBox({ ...input, identity: { id: alice.id } })],
      ["E_NOT_AN_IDENTITY", () => suite.openBox({ identity: { id: bob.id }, prologue, box })],
      ["E_BAD_RANDOM", () => suite.sealBox({ ...input, random: () => new Uint8Array(31) })],
      ["E_TOO_LARGE", () => suite.sealBox({ ...input, plaintext: new Uint8Array(65_440) })],
    ] as const;
    for (const [code, attempt] of attempts) expect(attempt).toThrow(expect.objectContaining({ code }));
  });

  test("a box opens still after more senders than keys are kept", () => {
    const count = name === "node" ? 1100 : 20;
    const random = seededRandom("strangers");
    for (let i = 0; i < count; i++) {
      const stranger = suite.generateIdentity(random);
      const sealed = suite.sealBox({ identity: stranger, recipient: bob.id, prologue, plaintext: utf8("s"), random });
      expect(required(suite.openBox({ identity: bob, prologue, box: sealed })).sender).toBe(stranger.id);
    }
    expect(required(suite.openBox({ identity: bob, prologue, box })).sender).toBe(alice.id);
  });
});
