import { requireBytes } from "./arguments.ts";
import { PATTERN_X } from "./handshake-pattern.ts";
import type { Identities, Identity } from "./identity.ts";
import { type NodeId, requireNodeId } from "./node-id.ts";
import type { Noise } from "./noise.ts";
import type { PeerKeys } from "./peer-keys.ts";
import type { RandomSource } from "./random.ts";

// The sealed box, Noise_X_25519_AESGCM_SHA256 (Noise §7.4), one message to a key (PROTOCOL §2.2):
//
//   0    32   e      ephemeral public key, fresh for every box
//   32   48   s      sender's public key, encrypted (32 and its tag)
//   80   n    payload, encrypted
//   80+n 16   its tag
//
// The sender is hidden from all but the recipient, and authenticated to the recipient only. Whoever steals the
// recipient's key reads old boxes and can forge senders to that recipient; a box can be sent again by anybody, so the
// recipient must know a message that it has had (Noise §7.7).

/** Bytes by which a sealed box is longer than its plaintext. */
export const SEALED_BOX_OVERHEAD_BYTES = 96;

/** What goes into a box, and for whom; the box is SEALED_BOX_OVERHEAD_BYTES longer than `plaintext`. */
export interface SealBoxInput {
  readonly identity: Identity;
  readonly recipient: NodeId;
  readonly prologue: Uint8Array;
  readonly plaintext: Uint8Array;
  readonly random: RandomSource;
}

/** A box, and whose key should open it; `prologue` must be that of the sealing. */
export interface OpenBoxInput {
  readonly identity: Identity;
  readonly prologue: Uint8Array;
  readonly box: Uint8Array;
}

/** Who sealed a box, proved by the static-static exchange, and what was in it. */
export interface OpenedBox {
  readonly sender: NodeId;
  readonly plaintext: Uint8Array;
}

export interface SealedBoxes {
  sealBox(input: SealBoxInput): Uint8Array;
  openBox(input: OpenBoxInput): OpenedBox | undefined;
}

export function createSealedBoxes(noise: Noise, identities: Identities, peerKeys: PeerKeys): SealedBoxes {
  return {
    sealBox({ identity, recipient, prologue, plaintext, random }) {
      const localStatic = identities.keyPairOf(identity);
      requireBytes("prologue", prologue);
      requireBytes("plaintext", plaintext);
      const remoteStatic = peerKeys.lookUp(requireNodeId("recipient", recipient));
      const start = noise.start({ pattern: PATTERN_X, isInitiator: true, prologue, localStatic, remoteStatic });
      const { state, message } = noise.write(start, plaintext, random);
      noise.wipe(state);
      peerKeys.remember(remoteStatic);
      return message;
    },
    openBox({ identity, prologue, box }) {
      const localStatic = identities.keyPairOf(identity);
      requireBytes("prologue", prologue);
      if (!(box instanceof Uint8Array) || box.length < SEALED_BOX_OVERHEAD_BYTES) return undefined;
      const start = noise.start({ pattern: PATTERN_X, isInitiator: false, prologue, localStatic });
      const opened = noise.read(start, box);
      const sender = opened?.state.remoteStatic;
      if (opened === undefined || sender === undefined) return undefined;
      noise.wipe(opened.state);
      peerKeys.remember(sender);
      return { sender: sender.id, plaintext: opened.payload };
    },
  };
}
