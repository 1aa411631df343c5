import { requireSizedBytes } from "./arguments.ts";
import { IdentityError } from "./errors.ts";
import { type NodeId, nodeIdFromBytes } from "./node-id.ts";
import type { KeyPair, Primitives } from "./primitives.ts";
import { drawRandom, type RandomSource } from "./random.ts";

/** Size of the seed that an identity is derived from. */
export const SEED_BYTES = 32;

/** A node's key pair. Only the id is on it: the private half is out of reach of loggers, JSON and inspectors. */
export interface Identity {
  readonly id: NodeId;
}

export interface Identities {
  generateIdentity(random: RandomSource): Identity;
  identityFromSeed(seed: Uint8Array): Identity;
  seedOf(identity: Identity): Uint8Array;
  forgetIdentity(identity: Identity): void;
  keyPairOf(identity: Identity): KeyPair;
}

interface Secret {
  readonly seed: Uint8Array;
  readonly keyPair: KeyPair;
}

/** `onForget` is told of a key pair that is about to be wiped. */
export function createIdentities(primitives: Primitives, onForget: (keyPair: KeyPair) => void): Identities {
  const secrets = new WeakMap<Identity, Secret>();

  function secretOf(identity: Identity): Secret {
    const secret = secrets.get(identity);
    if (secret === undefined) {
      const reason = "identity must be one that this package made (a copy is none), and not forgotten";
      throw new IdentityError("E_NOT_AN_IDENTITY", reason, { argument: "identity" });
    }
    return secret;
  }

  function identityFromSeed(seed: Uint8Array): Identity {
    requireSizedBytes("seed", seed, SEED_BYTES, "E_BAD_SEED");
    const copy = Uint8Array.from(seed);
    const keyPair = primitives.keyPairFromSeed(copy);
    const id = nodeIdFromBytes(keyPair.publicKey);
    // A clamped scalar times the base point never has low order, and the result is always reduced.
    if (id === undefined)
      throw new IdentityError("E_BAD_SEED", "seed gives no usable public key", { argument: "seed" });
    const identity: Identity = Object.freeze({ id });
    secrets.set(identity, { seed: copy, keyPair });
    return identity;
  }

  return {
    generateIdentity(random) {
      const seed = drawRandom(random, SEED_BYTES);
      const identity = identityFromSeed(seed);
      // Not ours where the source is a caller's: it may give out views of its own memory.
      if (random === primitives.systemRandom) seed.fill(0);
      return identity;
    },
    identityFromSeed,
    seedOf: (identity) => Uint8Array.from(secretOf(identity).seed),
    forgetIdentity(identity) {
      const { seed, keyPair } = secretOf(identity);
      secrets.delete(identity);
      onForget(keyPair);
      keyPair.wipe();
      seed.fill(0);
    },
    keyPairOf: (identity) => secretOf(identity).keyPair,
  };
}
