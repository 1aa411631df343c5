import { requireBytes } from "./arguments.ts";
import { createIdentities, type Identities } from "./identity.ts";
import { createNoise } from "./noise.ts";
import { createNoiseHandshakes, type NoiseHandshakes } from "./noise-handshake.ts";
import { createPeerKeys } from "./peer-keys.ts";
import type { Mac, Primitives } from "./primitives.ts";
import type { RandomSource } from "./random.ts";
import { createSealedBoxes, type SealedBoxes } from "./sealed-box.ts";
import { createSessionHandshakes, type SessionHandshakes } from "./session-handshake.ts";
import { createSignatures, type Signatures } from "./signature.ts";

/** Everything in this package that stands on a backend, over one backend. An identity belongs to the suite that made it. */
export interface Suite
  extends Omit<Identities, "keyPairOf">,
    SealedBoxes,
    SessionHandshakes,
    NoiseHandshakes,
    Signatures {
  systemRandom: RandomSource;
  sha256(data: Uint8Array): Uint8Array;
  hmacSha256(key: Uint8Array, data: Uint8Array): Uint8Array;
  createMac(key: Uint8Array): Mac;
  equalBytes(a: Uint8Array, b: Uint8Array): boolean;
}

export function createSuite(primitives: Primitives): Suite {
  const peerKeys = createPeerKeys(primitives);
  const noise = createNoise(primitives, peerKeys);
  const identities = createIdentities(primitives, peerKeys.forget);
  const { generateIdentity, identityFromSeed, seedOf, forgetIdentity } = identities;

  function createMac(key: Uint8Array): Mac {
    requireBytes("key", key);
    const mac = primitives.createMac(key);
    return (data) => {
      requireBytes("data", data);
      return mac(data);
    };
  }

  return {
    systemRandom: primitives.systemRandom,
    generateIdentity,
    identityFromSeed,
    seedOf,
    forgetIdentity,
    ...createSealedBoxes(noise, identities, peerKeys),
    ...createSessionHandshakes(noise, identities, peerKeys),
    ...createNoiseHandshakes(primitives, noise, identities, peerKeys),
    ...createSignatures(primitives, identities),
    sha256(data) {
      requireBytes("data", data);
      return primitives.sha256(data);
    },
    hmacSha256: (key, data) => createMac(key)(data),
    createMac,
    equalBytes(a, b) {
      requireBytes("a", a);
      requireBytes("b", b);
      return primitives.equalBytes(a, b);
    },
  };
}
