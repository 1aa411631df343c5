import { type Aead, createAead } from "./aead.ts";
import { requireBytes } from "./arguments.ts";
import { PATTERN_IK } from "./handshake-pattern.ts";
import type { Identities, Identity } from "./identity.ts";
import { type NodeId, requireNodeId } from "./node-id.ts";
import type { HandshakeState, Noise } from "./noise.ts";
import type { PeerKeys } from "./peer-keys.ts";
import type { RandomSource } from "./random.ts";

// The session handshake, Noise_IK_25519_AESGCM_SHA256 (Noise §7.5), one round trip between known keys (PROTOCOL §2.2):
//
//   message 1, initiator           message 2, responder
//   0    32   e                    0    32   e
//   32   48   s, encrypted         32   n    payload, encrypted
//   80   n    payload, encrypted   32+n 16   its tag
//   80+n 16   its tag
//
// Message 1 can be sent again by anybody, so the responder does nothing on it that lasts; its payload has no forward
// secrecy (Noise §7.7). The initiator is proved fresh by the first data that opens under the new keys.

/** Bytes by which message 1 is longer than its payload. */
export const HANDSHAKE_INITIATION_OVERHEAD_BYTES = 96;
/** Bytes by which message 2 is longer than its payload. */
export const HANDSHAKE_RESPONSE_OVERHEAD_BYTES = 48;

/** The two directions of a session, and the hash that names this handshake and no other (Noise §11.2). */
export interface SessionKeys {
  readonly send: Aead;
  readonly receive: Aead;
  readonly handshakeHash: Uint8Array;
}

/** What a Noise IK handshake begins with; `payload` travels encrypted in message 1, with less protection than later data. */
export interface InitiateInput {
  readonly identity: Identity;
  readonly responder: NodeId;
  readonly prologue: Uint8Array;
  readonly payload: Uint8Array;
  readonly random: RandomSource;
}

/** The initiator's half of a Noise IK handshake, between its two messages. */
export interface Initiation {
  /** Message 1. */
  readonly message: Uint8Array;
  /** Reads message 2; undefined where it is not the answer to this message 1, and then it may be tried with another. */
  finish(message2: Uint8Array): { readonly payload: Uint8Array; readonly keys: SessionKeys } | undefined;
}

/** What a responder has: its key, the prologue that both must know, and a message 1 that may be anything. */
export interface RespondInput {
  readonly identity: Identity;
  readonly prologue: Uint8Array;
  /** Message 1. */
  readonly message: Uint8Array;
}

/** A message 1 that was for this key: who sent it, and what came in it. That it is no replay is for the caller to see to. */
export interface Response {
  readonly initiator: NodeId;
  readonly payload: Uint8Array;
  /**
   * Writes message 2, 48 bytes longer than the payload. Every call makes other keys, from a fresh ephemeral. Throws
   * `E_NOT_AN_IDENTITY` once the identity was forgotten, `E_BAD_ARGUMENT`, `E_BAD_RANDOM`, and `E_TOO_LARGE` beyond 65,535
   * bytes.
   */
  respond(payload: Uint8Array, random: RandomSource): { readonly message: Uint8Array; readonly keys: SessionKeys };
}

export interface SessionHandshakes {
  initiateHandshake(input: InitiateInput): Initiation;
  respondHandshake(input: RespondInput): Response | undefined;
}

export function createSessionHandshakes(noise: Noise, identities: Identities, peerKeys: PeerKeys): SessionHandshakes {
  function sessionKeys(state: HandshakeState): SessionKeys {
    const { send, receive, handshakeHash } = noise.split(state);
    return { send: createAead(send), receive: createAead(receive), handshakeHash };
  }

  return {
    initiateHandshake({ identity, responder, prologue, payload, random }) {
      const localStatic = identities.keyPairOf(identity);
      requireBytes("prologue", prologue);
      requireBytes("payload", payload);
      const remoteStatic = peerKeys.lookUp(requireNodeId("responder", responder));
      const start = noise.start({ pattern: PATTERN_IK, isInitiator: true, prologue, localStatic, remoteStatic });
      const { state, message } = noise.write(start, payload, random);
      peerKeys.remember(remoteStatic);
      return {
        message,
        finish(message2) {
          const read = message2 instanceof Uint8Array ? noise.read(state, message2) : undefined;
          if (read === undefined) return undefined;
          const keys = sessionKeys(read.state);
          // Not the ephemeral: it is the initiation's, which may be finished with another message 2.
          read.state.symmetric.wipe();
          return { payload: read.payload, keys };
        },
      };
    },
    respondHandshake({ identity, prologue, message }) {
      const localStatic = identities.keyPairOf(identity);
      requireBytes("prologue", prologue);
      if (!(message instanceof Uint8Array) || message.length < HANDSHAKE_INITIATION_OVERHEAD_BYTES) return undefined;
      const start = noise.start({ pattern: PATTERN_IK, isInitiator: false, prologue, localStatic });
      const read = noise.read(start, message);
      const initiator = read?.state.remoteStatic;
      if (read === undefined || initiator === undefined) return undefined;
      // Its owner made this message 1, if perhaps some time ago.
      peerKeys.remember(initiator);
      return {
        initiator: initiator.id,
        payload: read.payload,
        respond(payload, random) {
          // Forgotten since, perhaps: message 2 needs no more of its key, and says all the same that its owner answers.
          identities.keyPairOf(identity);
          requireBytes("payload", payload);
          const written = noise.write(read.state, payload, random);
          const keys = sessionKeys(written.state);
          // The last state is this call's alone, its ephemeral included.
          noise.wipe(written.state);
          return { message: written.message, keys };
        },
      };
    },
  };
}
