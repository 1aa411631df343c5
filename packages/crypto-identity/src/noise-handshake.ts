import { requireBytes } from "./arguments.ts";
import { type CipherState, createCipherState } from "./cipher-state.ts";
import { IdentityError } from "./errors.ts";
import { PATTERNS, type PatternName } from "./handshake-pattern.ts";
import type { Identities, Identity } from "./identity.ts";
import type { NodeId } from "./node-id.ts";
import { requireNodeId } from "./node-id.ts";
import type { HandshakeState, Noise } from "./noise.ts";
import type { PeerKeys } from "./peer-keys.ts";
import type { Primitives } from "./primitives.ts";
import type { RandomSource } from "./random.ts";

// Noise for protocols of one's own: any of the patterns, message by message, then two CipherStates.

/** What a handshake starts from. */
export interface NoiseHandshakeInput {
  /** `Noise_<pattern>_25519_AESGCM_SHA256`. */
  readonly pattern: PatternName;
  readonly role: "initiator" | "responder";
  /** What both sides must agree on without sending it. May be empty. */
  readonly prologue: Uint8Array;
  /** One's own key: given exactly where the pattern has a static key for this role. */
  readonly identity?: Identity | undefined;
  /** The other side's key: given exactly where the pattern says that it is known beforehand. */
  readonly remote?: NodeId | undefined;
  readonly random: RandomSource;
}

/** What a finished handshake gives: a cipher for each direction. */
export interface NoiseTransport {
  /** Closed for the recipient of a one-way pattern (N, X). */
  readonly send: CipherState;
  /** Closed for the sender of a one-way pattern. */
  readonly receive: CipherState;
  /** 32 bytes that name this handshake and no other, the same at both ends: for binding a channel to it (Noise §11.2). */
  readonly handshakeHash: Uint8Array;
}

/** One side of a Noise handshake, message by message. */
export interface NoiseHandshake {
  /** Whether every message went to and fro. */
  readonly isComplete: boolean;
  /** The other side's static key, once it is known. It is proved by the end of the handshake, not before. */
  readonly remote: NodeId | undefined;
  /**
   * The next message, 65,535 bytes at most. Throws `E_OUT_OF_TURN`, `E_TOO_LARGE`, `E_BAD_ARGUMENT`, `E_BAD_RANDOM`, and
   * `E_BAD_KEY` where a key of the other side's, or one's own since forgotten, leads to no secret; nothing has changed then.
   */
  write(payload: Uint8Array): Uint8Array;
  /** The payload of the next message; undefined where it is not that, and then the right one can still be read. */
  read(message: Uint8Array): Uint8Array | undefined;
  /** The keys, once and at the end. Throws `E_OUT_OF_TURN` before it and a second time. */
  split(): NoiseTransport;
}

export interface NoiseHandshakes {
  createNoiseHandshake(input: NoiseHandshakeInput): NoiseHandshake;
}

export function createNoiseHandshakes(
  primitives: Primitives,
  noise: Noise,
  identities: Identities,
  peerKeys: PeerKeys,
): NoiseHandshakes {
  function begin(input: NoiseHandshakeInput): HandshakeState {
    const { role, prologue, identity, remote } = input;
    const pattern = Object.hasOwn(PATTERNS, input.pattern) ? PATTERNS[input.pattern] : undefined;
    if (pattern === undefined) throw bad("pattern", `must be one of ${Object.keys(PATTERNS).join(", ")}`);
    if (role !== "initiator" && role !== "responder") throw bad("role", 'must be "initiator" or "responder"');
    requireBytes("prologue", prologue);
    const isInitiator = role === "initiator";
    const { known, messages } = pattern;
    const knowsRemote = isInitiator ? known.responder : known.initiator;
    const isKnown = isInitiator ? known.initiator : known.responder;
    const hasStatic =
      isKnown || messages.some((tokens, turn) => (turn % 2 === 0) === isInitiator && tokens.includes("s"));
    // Too much is refused as well: a caller who names a key that is not looked at would think that it had been.
    if (hasStatic !== (identity !== undefined)) {
      throw bad("identity", `must ${hasStatic ? "" : "not "}be given to the ${role} of ${pattern.name}`);
    }
    if (knowsRemote !== (remote !== undefined)) {
      throw bad("remote", `must ${knowsRemote ? "" : "not "}be given to the ${role} of ${pattern.name}`);
    }
    return noise.start({
      pattern,
      isInitiator,
      prologue,
      localStatic: identity && identities.keyPairOf(identity),
      remoteStatic: remote === undefined ? undefined : peerKeys.lookUp(requireNodeId("remote", remote)),
    });
  }

  return {
    createNoiseHandshake(input) {
      let state = begin(input);
      let isSplit = false;

      function isComplete(): boolean {
        return state.turn === state.pattern.messages.length;
      }

      function commit(next: HandshakeState): void {
        state.symmetric.wipe();
        state = next;
      }

      return {
        get isComplete() {
          return isComplete();
        },
        get remote() {
          return state.remoteStatic?.id;
        },
        write(payload) {
          requireBytes("payload", payload);
          const written = noise.write(state, payload, input.random);
          commit(written.state);
          return written.message;
        },
        read(message) {
          const read = message instanceof Uint8Array ? noise.read(state, message) : undefined;
          if (read === undefined) return undefined;
          commit(read.state);
          return read.payload;
        },
        split() {
          if (!isComplete() || isSplit) {
            const reason = isSplit ? "this handshake was split already" : "this handshake is not complete";
            throw new IdentityError("E_OUT_OF_TURN", reason);
          }
          isSplit = true;
          const { send, receive, handshakeHash } = noise.split(state);
          noise.wipe(state);
          if (state.remoteStatic !== undefined) peerKeys.remember(state.remoteStatic);
          const isOneWay = state.pattern.messages.length === 1;
          return {
            send: createCipherState(primitives, isOneWay && !state.isInitiator ? undefined : send),
            receive: createCipherState(primitives, isOneWay && state.isInitiator ? undefined : receive),
            handshakeHash,
          };
        },
      };
    },
  };
}

function bad(argument: string, reason: string): IdentityError {
  return new IdentityError("E_BAD_ARGUMENT", `${argument} ${reason}`, { argument });
}
