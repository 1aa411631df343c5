import { AEAD_TAG_BYTES, type Aead, createAead } from "./aead.ts";
import { concatBytes } from "./concat-bytes.ts";
import { IdentityError } from "./errors.ts";
import type { HandshakePattern, Token } from "./handshake-pattern.ts";
import { NODE_ID_BYTES, nodeIdFromBytes } from "./node-id.ts";
import type { PeerKey, PeerKeys } from "./peer-keys.ts";
import type { KeyPair, Primitives, PublicKey } from "./primitives.ts";
import { drawRandom, type RandomSource } from "./random.ts";
import { createSymmetricStates, type SymmetricState } from "./symmetric-state.ts";

// Noise §5.3: the HandshakeState, suite 25519_AESGCM_SHA256, driven by the pattern's table and held as a value. Reading a
// bad message gives undefined and the state it was read with is still good for the next.

const KEY_BYTES = 32;
/** Noise §3. */
const MAX_MESSAGE_BYTES = 65_535;

export interface HandshakeState {
  readonly pattern: HandshakePattern;
  readonly isInitiator: boolean;
  /** How many messages went to and fro. */
  readonly turn: number;
  readonly symmetric: SymmetricState;
  readonly localStatic: KeyPair | undefined;
  readonly localEphemeral: KeyPair | undefined;
  readonly remoteStatic: PeerKey | undefined;
  readonly remoteEphemeral: PublicKey | undefined;
}

/** The two directions of a session, and the hash that names this handshake and no other (Noise §11.2). */
export interface SessionKeys {
  readonly send: Aead;
  readonly receive: Aead;
  readonly handshakeHash: Uint8Array;
}

interface HandshakeOptions {
  readonly pattern: HandshakePattern;
  readonly isInitiator: boolean;
  readonly prologue: Uint8Array;
  readonly localStatic?: KeyPair | undefined;
  readonly remoteStatic?: PeerKey | undefined;
}

export interface Noise {
  start(options: HandshakeOptions): HandshakeState;
  /** Throws `E_TOO_LARGE` beyond 65,535 bytes, `E_BAD_KEY` where a key is missing or has no secret with ours. */
  write(
    state: HandshakeState,
    payload: Uint8Array,
    random: RandomSource,
  ): { readonly state: HandshakeState; readonly message: Uint8Array };
  read(
    state: HandshakeState,
    message: Uint8Array,
  ): { readonly state: HandshakeState; readonly payload: Uint8Array } | undefined;
  split(state: HandshakeState): SessionKeys;
}

export function createNoise(primitives: Primitives, peerKeys: PeerKeys): Noise {
  const symmetric = createSymmetricStates(primitives);

  /** The secret of a two-letter token; undefined where a key is missing or the result is refused. */
  function agree(state: HandshakeState, token: Token): Uint8Array | undefined {
    const { isInitiator, localStatic, localEphemeral, remoteStatic, remoteEphemeral } = state;
    if (token === "ss") return localStatic && remoteStatic && peerKeys.staticSecret(localStatic, remoteStatic);
    const usesLocalStatic = token === (isInitiator ? "se" : "es");
    const usesRemoteStatic = token === (isInitiator ? "es" : "se");
    const local = usesLocalStatic ? localStatic : localEphemeral;
    const remote = usesRemoteStatic ? remoteStatic?.publicKey : remoteEphemeral;
    return remote && local?.agree(remote);
  }

  function mixSecret(state: HandshakeState, token: Token): HandshakeState | undefined {
    const secret = agree(state, token);
    return secret && { ...state, symmetric: symmetric.mixKey(state.symmetric, secret) };
  }

  function badKey(token: Token): IdentityError {
    return new IdentityError("E_BAD_KEY", `this handshake has no key for the Noise token "${token}"`);
  }

  function tokensOf(state: HandshakeState, isWriting: boolean): readonly Token[] | undefined {
    const isInitiatorsTurn = state.turn % 2 === 0;
    return isInitiatorsTurn === (state.isInitiator === isWriting) ? state.pattern.messages[state.turn] : undefined;
  }

  return {
    start({ pattern, isInitiator, prologue, localStatic, remoteStatic }) {
      let mixed = symmetric.mixHash(symmetric.start(`Noise_${pattern.name}_25519_AESGCM_SHA256`), prologue);
      const local = localStatic?.publicKey;
      const remote = remoteStatic?.publicKey.bytes;
      const initiator = isInitiator ? local : remote;
      const responder = isInitiator ? remote : local;
      for (const [isKnown, key] of [
        [pattern.known.initiator, initiator],
        [pattern.known.responder, responder],
      ] as const) {
        if (!isKnown) continue;
        if (key === undefined) throw badKey("s");
        mixed = symmetric.mixHash(mixed, key);
      }
      return {
        pattern,
        isInitiator,
        turn: 0,
        symmetric: mixed,
        localStatic,
        localEphemeral: undefined,
        remoteStatic,
        remoteEphemeral: undefined,
      };
    },

    write(before, payload, random) {
      let state = before;
      const parts: Uint8Array[] = [];
      const tokens = tokensOf(state, true);
      if (tokens === undefined) throw new IdentityError("E_BAD_KEY", "it is not this side's turn to write");
      for (const token of tokens) {
        if (token === "e") {
          const localEphemeral = primitives.keyPairFromSeed(drawRandom(random, KEY_BYTES));
          parts.push(localEphemeral.publicKey);
          state = { ...state, localEphemeral, symmetric: symmetric.mixHash(state.symmetric, localEphemeral.publicKey) };
        } else if (token === "s") {
          if (state.localStatic === undefined) throw badKey(token);
          const step = symmetric.encryptAndHash(state.symmetric, state.localStatic.publicKey);
          parts.push(step.bytes);
          state = { ...state, symmetric: step.state };
        } else {
          const mixed = mixSecret(state, token);
          if (mixed === undefined) throw badKey(token);
          state = mixed;
        }
      }
      const last = symmetric.encryptAndHash(state.symmetric, payload);
      const message = concatBytes(...parts, last.bytes);
      if (message.length > MAX_MESSAGE_BYTES) {
        throw new IdentityError("E_TOO_LARGE", `a Noise message is at most ${MAX_MESSAGE_BYTES} bytes`);
      }
      return { state: { ...state, turn: state.turn + 1, symmetric: last.state }, message };
    },

    read(before, message) {
      let state = before;
      const tokens = tokensOf(state, false);
      if (tokens === undefined || message.length > MAX_MESSAGE_BYTES) return undefined;
      let offset = 0;
      for (const token of tokens) {
        if (token === "e") {
          // The sender's choice, never taken for anybody's id: any 32 bytes will do, a refused agreement ends it.
          const bytes = message.slice(offset, offset + KEY_BYTES);
          if (bytes.length !== KEY_BYTES) return undefined;
          offset += KEY_BYTES;
          const remoteEphemeral = primitives.importPublicKey(bytes);
          state = { ...state, remoteEphemeral, symmetric: symmetric.mixHash(state.symmetric, bytes) };
        } else if (token === "s") {
          const sizeBytes = NODE_ID_BYTES + (state.symmetric.cipher === undefined ? 0 : AEAD_TAG_BYTES);
          if (message.length < offset + sizeBytes) return undefined;
          const step = symmetric.decryptAndHash(state.symmetric, message.subarray(offset, offset + sizeBytes));
          if (step === undefined) return undefined;
          const id = nodeIdFromBytes(step.bytes);
          if (id === undefined) return undefined;
          offset += sizeBytes;
          state = { ...state, remoteStatic: peerKeys.lookUp(id), symmetric: step.state };
        } else {
          const mixed = mixSecret(state, token);
          if (mixed === undefined) return undefined;
          state = mixed;
        }
      }
      const last = symmetric.decryptAndHash(state.symmetric, message.subarray(offset));
      return last && { state: { ...state, turn: state.turn + 1, symmetric: last.state }, payload: last.bytes };
    },

    split(state) {
      const [fromInitiator, fromResponder] = symmetric.split(state.symmetric);
      return {
        send: createAead(state.isInitiator ? fromInitiator : fromResponder),
        receive: createAead(state.isInitiator ? fromResponder : fromInitiator),
        handshakeHash: state.symmetric.hash,
      };
    },
  };
}
