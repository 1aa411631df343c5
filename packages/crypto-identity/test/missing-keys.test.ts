import { describe, expect, test } from "@jest/globals";
import { PATTERNS } from "../src/handshake-pattern.ts";
import { createIdentities } from "../src/identity.ts";
import { createNoise } from "../src/noise.ts";
import { createPeerKeys } from "../src/peer-keys.ts";
import { backends, required, seededRandom, unhex, utf8 } from "./support.ts";

const random = seededRandom("missing keys");
const code = (name: string) => expect.objectContaining({ code: name });

describe.each(backends.map((primitives) => [primitives.name, primitives] as const))(
  "where a handshake lacks a key, on %s",
  (_name, primitives) => {
    const identities = createIdentities(primitives, () => {});
    const keyPair = (seed: number) => identities.keyPairOf(identities.identityFromSeed(new Uint8Array(32).fill(seed)));
    const peerKeys = createPeerKeys(primitives);
    const noise = createNoise(primitives, peerKeys);
    const bob = identities.identityFromSeed(new Uint8Array(32).fill(2));
    const remoteStatic = peerKeys.lookUp(bob.id);
    const prologue = utf8("missing");

    test("one that must be known beforehand", () => {
      const start = () => noise.start({ pattern: PATTERNS.IK, isInitiator: true, prologue, localStatic: keyPair(1) });
      expect(start).toThrow(code("E_BAD_KEY"));
    });

    test("the own static one, which is to be sent", () => {
      const state = noise.start({ pattern: PATTERNS.X, isInitiator: true, prologue, remoteStatic });
      expect(() => noise.write(state, utf8("hi"), random)).toThrow(code("E_BAD_KEY"));
    });

    test("the own static one, which is to be agreed with", () => {
      const known = { pattern: PATTERNS.KK, prologue, localStatic: keyPair(1), remoteStatic };
      const state = { ...noise.start({ ...known, isInitiator: true }), localStatic: undefined };
      expect(() => noise.write(state, utf8("hi"), random)).toThrow(code("E_BAD_KEY"));
    });

    test("a key pair that was given up agrees with nobody, and keeps no secret", () => {
      const given = keyPair(3);
      given.wipe();
      expect(peerKeys.staticSecret(given, remoteStatic)).toBeUndefined();
      const state = noise.start({ pattern: PATTERNS.X, isInitiator: true, prologue, localStatic: given, remoteStatic });
      expect(() => noise.write(state, utf8("hi"), random)).toThrow(code("E_BAD_KEY"));
    });

    test("a key that is sent before there are any secrets comes unencrypted, and is read", () => {
      // Not one of the shipped patterns: the token's rule, Noise §5.3, without a key to encrypt with.
      const pattern = { name: "NX1", known: { initiator: false, responder: false }, messages: [["s"]] } as const;
      const alice = keyPair(1);
      const writing = noise.start({ pattern, isInitiator: true, prologue, localStatic: alice });
      const { message } = noise.write(writing, utf8("hi"), random);
      expect(message).toHaveLength(32 + 2);
      const reading = noise.start({ pattern, isInitiator: false, prologue });
      const read = required(noise.read(reading, message));
      expect(read.payload).toEqual(utf8("hi"));
      expect(read.state.remoteStatic?.publicKey.bytes).toEqual(alice.publicKey);
      expect(noise.read(reading, message.subarray(0, 31))).toBeUndefined();
    });
  },
);

test("a verifier takes a signature of another size for none", () => {
  for (const primitives of backends) {
    // The base point of edwards25519, RFC 8032 §5.1.
    const verifier = primitives.createVerifier(unhex(`58${"66".repeat(31)}`));
    for (const sizeBytes of [0, 63, 65]) expect(verifier(utf8("m"), new Uint8Array(sizeBytes))).toBe(false);
  }
});
