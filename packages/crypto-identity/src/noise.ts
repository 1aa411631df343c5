import { AEAD_TAG_BYTES } from "./aead.ts";
import { concatBytes } from "./concat-bytes.ts";
import { IdentityError } from "./errors.ts";
import type { HandshakePattern, Token } from "./handshake-pattern.ts";
import { NODE_ID_BYTES, nodeIdFromBytes } from "./node-id.ts";
import type { PeerKey, PeerKeys } from "./peer-keys.ts";
import type { Cipher, KeyPair, Primitives, PublicKey } from "./primitives.ts";
import { drawRandom, type RandomSource } from "./random.ts";
import { SymmetricState } from "./symmetric-state.ts";

// Noise §5.3: the HandshakeState, suite 25519_AESGCM_SHA256, driven by the pattern's table. Writing and reading work on a
// copy: where a message is bad or an argument wrong, the state that it was tried with is still good for the next.

const KEY_BYTES = 32;
/** Noise §3. */
const MAX_MESSAGE_BYTES = 65_535;

export interface HandshakeState {
  readonly pattern: HandshakePattern;
  readonly isInitiator: boolean;
  readonly localStatic: KeyPair | undefined;
  /** Changes in place while a message is written or read, which is why each is given a copy. */
  readonly symmetric: SymmetricState;
  /** How many messages went to and fro. */
  turn: number;
  localEphemeral: KeyPair | undefined;
  remoteStatic: PeerKey | undefined;
  remoteEphemeral: PublicKey | undefined;
}

/** The two directions after a handshake, and the hash that names this handshake and no other (Noise §11.2). */
interface SplitKeys {
  readonly send: Cipher;
  readonly receive: Cipher;
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
  split(state: HandshakeState): SplitKeys;
  /** Overwrites what a state that is given up holds alone: the ephemeral private key and the chaining key. */
  wipe(state: HandshakeState): void;
}

export function createNoise(primitives: Primitives, peerKeys: PeerKeys): Noise {
  function copyOf(state: HandshakeState): HandshakeState {
    const { pattern, isInitiator, localStatic, turn, localEphemeral, remoteStatic, remoteEphemeral } = state;
    const symmetric = state.symmetric.copy();
    return { pattern, isInitiator, localStatic, symmetric, turn, localEphemeral, remoteStatic, remoteEphemeral };
  }

  /** Mixes in the secret of a two-letter token; false where a key is missing or the result is refused. */
  function mixSecret(state: HandshakeState, token: Token): boolean {
    const { isInitiator, localStatic, localEphemeral, remoteStatic, remoteEphemeral } = state;
    if (token === "ss") {
      const kept = localStatic && remoteStatic && peerKeys.staticSecret(localStatic, remoteStatic);
      if (kept !== undefined) state.symmetric.mixKey(kept);
      return kept !== undefined;
    }
    const local = token === (isInitiator ? "se" : "es") ? localStatic : localEphemeral;
    const remote = token === (isInitiator ? "es" : "se") ? remoteStatic?.publicKey : remoteEphemeral;
    const secret = remote && local?.agree(remote);
    if (secret === undefined) return false;
    state.symmetric.mixKey(secret);
    secret.fill(0);
    return true;
  }

  function ephemeral(random: RandomSource): KeyPair {
    // The same source, and a third cheaper than to draw a seed from it and import that.
    if (random === primitives.systemRandom) return primitives.generateKeyPair();
    return primitives.keyPairFromSeed(drawRandom(random, KEY_BYTES));
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
      const symmetric = SymmetricState.start(primitives, `Noise_${pattern.name}_25519_AESGCM_SHA256`);
      symmetric.mixHash(prologue);
      const local = localStatic?.publicKey;
      const remote = remoteStatic?.publicKey.bytes;
      for (const side of ["initiator", "responder"] as const) {
        if (!pattern.known[side]) continue;
        const key = isInitiator === (side === "initiator") ? local : remote;
        if (key === undefined) throw badKey("s");
        symmetric.mixHash(key);
      }
      return {
        pattern,
        isInitiator,
        localStatic,
        symmetric,
        turn: 0,
        localEphemeral: undefined,
        remoteStatic,
        remoteEphemeral: undefined,
      };
    },

    write(before, payload, random) {
      const tokens = tokensOf(before, true);
      if (tokens === undefined) throw new IdentityError("E_OUT_OF_TURN", "it is not this side's turn to write");
      const state = copyOf(before);
      const { symmetric } = state;
      const parts: Uint8Array[] = [];
      for (const token of tokens) {
        if (token === "e") {
          state.localEphemeral = ephemeral(random);
          parts.push(state.localEphemeral.publicKey);
          symmetric.mixHash(state.localEphemeral.publicKey);
        } else if (token === "s") {
          if (state.localStatic === undefined) throw badKey(token);
          parts.push(symmetric.encryptAndHash(state.localStatic.publicKey));
        } else if (!mixSecret(state, token)) {
          throw badKey(token);
        }
      }
      parts.push(symmetric.encryptAndHash(payload));
      const message = concatBytes(...parts);
      if (message.length > MAX_MESSAGE_BYTES) {
        const reason = `a Noise message is at most ${MAX_MESSAGE_BYTES} bytes; this one has ${message.length}`;
        throw new IdentityError("E_TOO_LARGE", reason);
      }
      state.turn += 1;
      return { state, message };
    },

    read(before, message) {
      const tokens = tokensOf(before, false);
      if (tokens === undefined || message.length > MAX_MESSAGE_BYTES) return undefined;
      const state = copyOf(before);
      const { symmetric } = state;
      let offset = 0;
      for (const token of tokens) {
        if (token === "e") {
          // The sender's choice, never taken for anybody's id: any 32 bytes will do, a refused agreement ends it.
          const bytes = message.slice(offset, offset + KEY_BYTES);
          if (bytes.length !== KEY_BYTES) return undefined;
          offset += KEY_BYTES;
          state.remoteEphemeral = primitives.importPublicKey(bytes);
          symmetric.mixHash(bytes);
        } else if (token === "s") {
          const sizeBytes = NODE_ID_BYTES + (symmetric.hasKey ? AEAD_TAG_BYTES : 0);
          if (message.length < offset + sizeBytes) return undefined;
          const bytes = symmetric.decryptAndHash(message.subarray(offset, offset + sizeBytes));
          const id = bytes && nodeIdFromBytes(bytes);
          if (id === undefined) return undefined;
          offset += sizeBytes;
          state.remoteStatic = peerKeys.lookUp(id);
        } else if (!mixSecret(state, token)) {
          return undefined;
        }
      }
      const payload = symmetric.decryptAndHash(message.subarray(offset));
      if (payload === undefined) return undefined;
      state.turn += 1;
      return { state, payload };
    },

    split(state) {
      const [fromInitiator, fromResponder] = state.symmetric.split();
      return {
        send: state.isInitiator ? fromInitiator : fromResponder,
        receive: state.isInitiator ? fromResponder : fromInitiator,
        handshakeHash: state.symmetric.hash,
      };
    },

    wipe(state) {
      state.localEphemeral?.wipe();
      state.symmetric.wipe();
    },
  };
}
