import { IdentityError } from "./errors.ts";
import { type NodeId, nodeIdFromBytes } from "./node-id.ts";
import type { KeyPair, Primitives } from "./primitives.ts";
import { drawRandom, type RandomSource } from "./random.ts";

export const SEED_BYTES = 32;

/** A node's key pair. Only the id is on it: the private half is out of reach of loggers, JSON and inspectors. */
export interface Identity {
  readonly id: NodeId;
}

export interface Identities {
  generateIdentity(random: RandomSource): Identity;
  identityFromSeed(seed: Uint8Array): Identity;
  seedOf(identity: Identity): Uint8Array;
  keyPairOf(identity: Identity): KeyPair;
}

interface Secret {
  readonly seed: Uint8Array;
  readonly keyPair: KeyPair;
}

export function createIdentities(primitives: Primitives): Identities {
  const secrets = new WeakMap<Identity, Secret>();

  function secretOf(identity: Identity): Secret {
    const secret = secrets.get(identity);
    if (secret === undefined) {
      throw new IdentityError("E_NOT_AN_IDENTITY", "not an identity made by this package (a copy of one is none)");
    }
    return secret;
  }

  function identityFromSeed(seed: Uint8Array): Identity {
    if (!(seed instanceof Uint8Array) || seed.length !== SEED_BYTES) {
      throw new IdentityError("E_BAD_SEED", `a seed is ${SEED_BYTES} bytes`);
    }
    const copy = Uint8Array.from(seed);
    const keyPair = primitives.keyPairFromSeed(copy);
    const id = nodeIdFromBytes(keyPair.publicKey);
    // A clamped scalar times the base point never has low order, and the result is always reduced.
    if (id === undefined) throw new IdentityError("E_BAD_SEED", "this seed gives no usable public key");
    const identity: Identity = Object.freeze({ id });
    secrets.set(identity, { seed: copy, keyPair });
    return identity;
  }

  return {
    generateIdentity: (random) => identityFromSeed(drawRandom(random, SEED_BYTES)),
    identityFromSeed,
    seedOf: (identity) => Uint8Array.from(secretOf(identity).seed),
    keyPairOf: (identity) => secretOf(identity).keyPair,
  };
}
