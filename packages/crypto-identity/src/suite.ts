import { createIdentities, type Identities } from "./identity.ts";
import { createNoise } from "./noise.ts";
import { createPeerKeys } from "./peer-keys.ts";
import type { Mac, Primitives } from "./primitives.ts";
import { createSealedBoxes, type SealedBoxes } from "./sealed-box.ts";
import { createSessionHandshakes, type SessionHandshakes } from "./session-handshake.ts";
import { createSignatures, type Signatures } from "./signature.ts";

/** Everything in this package that stands on a backend, over one backend. An identity belongs to the suite that made it. */
export interface Suite extends Omit<Identities, "keyPairOf">, SealedBoxes, SessionHandshakes, Signatures {
  sha256(data: Uint8Array): Uint8Array;
  hmacSha256(key: Uint8Array, data: Uint8Array): Uint8Array;
  createMac(key: Uint8Array): Mac;
  equalBytes(a: Uint8Array, b: Uint8Array): boolean;
}

export function createSuite(primitives: Primitives): Suite {
  const peerKeys = createPeerKeys(primitives);
  const noise = createNoise(primitives, peerKeys);
  const identities = createIdentities(primitives);
  const { generateIdentity, identityFromSeed, seedOf } = identities;
  return {
    generateIdentity,
    identityFromSeed,
    seedOf,
    ...createSealedBoxes(noise, identities, peerKeys),
    ...createSessionHandshakes(noise, identities, peerKeys),
    ...createSignatures(primitives, identities),
    sha256: primitives.sha256,
    hmacSha256: (key, data) => primitives.createMac(key)(data),
    createMac: primitives.createMac,
    equalBytes: primitives.equalBytes,
  };
}
