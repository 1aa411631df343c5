import type { NodeId, RandomSource, SessionKeys } from "@starling/crypto-identity";
import { nodeIdFromBytes, nodeIdToBytes } from "@starling/crypto-identity";
import type { SessionCrypto } from "@starling/session";
import { Fold, TAG_BYTES } from "./fold.ts";

// A cheap stand-in for the session's Noise IK and AES-256-GCM, for runs of thousands of nodes. It hides nothing and keeps no
// secret, so it proves nothing about attacks on cryptography; but it fails when something is wrong: another network, recipient,
// ephemeral, counter, header, or one changed byte, and what it writes has the sizes of the real thing. A 100-node scenario is run
// on both and compared.
//
//   message 1   0 e 32 | 32 initiator 32 | 64 zeros 16 | 80 payload n | 80+n tag 16     (Noise IK: 96 + n)
//   message 2   0 e 32 | 32 payload n | 32+n tag 16                                    (48 + n)
//   Data        0 plaintext n | n tag 16                                               (16 + n)

const KEY_BYTES = 32;
const MESSAGE_1_BYTES = 96;
const MESSAGE_2_BYTES = 48;
const encoder = new TextEncoder();

function aead(key: Fold): SessionKeys["send"] {
  return {
    seal(counter, header, plaintext) {
      const sealed = new Uint8Array(plaintext.length + TAG_BYTES);
      sealed.set(plaintext);
      key.copy().number(counter).add(header).add(plaintext).write(sealed, plaintext.length, TAG_BYTES);
      return sealed;
    },
    open(counter, header, ciphertext) {
      const sizeBytes = ciphertext.length - TAG_BYTES;
      if (sizeBytes < 0) return undefined;
      const plaintext = ciphertext.slice(0, sizeBytes);
      return key.copy().number(counter).add(header).add(plaintext).matches(ciphertext, sizeBytes)
        ? plaintext
        : undefined;
    },
  };
}

/** Keys that follow from all that both ends have seen. */
function keysOf(start: Fold, isInitiator: boolean): SessionKeys {
  const handshakeHash = new Uint8Array(KEY_BYTES);
  start.write(handshakeHash, 0, KEY_BYTES);
  const [fromInitiator, fromResponder] = [aead(start.copy().number(1)), aead(start.copy().number(2))];
  return isInitiator
    ? { send: fromInitiator, receive: fromResponder, handshakeHash }
    : { send: fromResponder, receive: fromInitiator, handshakeHash };
}

function digest(fold: Fold): Uint8Array {
  const bytes = new Uint8Array(KEY_BYTES);
  fold.write(bytes, 0, KEY_BYTES);
  return bytes;
}

export function createStandInCrypto(options: {
  readonly id: NodeId;
  readonly network: string;
  readonly random: RandomSource;
}): SessionCrypto {
  const { id, random } = options;
  const self = nodeIdToBytes(id);
  const prologue = new Fold().add(encoder.encode(options.network));
  return {
    id,
    initiate(responder, payload) {
      const message = new Uint8Array(MESSAGE_1_BYTES + payload.length);
      message.set(random(KEY_BYTES));
      message.set(self, KEY_BYTES);
      message.set(payload, MESSAGE_1_BYTES - TAG_BYTES);
      const tagAt = message.length - TAG_BYTES;
      const first = prologue.copy().add(nodeIdToBytes(responder)).add(message.subarray(0, tagAt));
      first.write(message, tagAt, TAG_BYTES);
      return {
        message,
        finish(answer) {
          if (answer.length < MESSAGE_2_BYTES) return undefined;
          const answerTagAt = answer.length - TAG_BYTES;
          const second = first.copy().add(answer.subarray(0, answerTagAt));
          if (!second.matches(answer, answerTagAt)) return undefined;
          return { payload: answer.slice(KEY_BYTES, answerTagAt), keys: keysOf(second, true) };
        },
      };
    },
    respond(message) {
      if (message.length < MESSAGE_1_BYTES) return undefined;
      const tagAt = message.length - TAG_BYTES;
      const first = prologue.copy().add(self).add(message.subarray(0, tagAt));
      if (!first.matches(message, tagAt)) return undefined;
      const initiator = nodeIdFromBytes(message.slice(KEY_BYTES, 2 * KEY_BYTES));
      if (initiator === undefined) return undefined;
      return {
        initiator,
        payload: message.slice(MESSAGE_1_BYTES - TAG_BYTES, tagAt),
        respond(payload) {
          const answer = new Uint8Array(MESSAGE_2_BYTES + payload.length);
          answer.set(random(KEY_BYTES));
          answer.set(payload, KEY_BYTES);
          const answerTagAt = answer.length - TAG_BYTES;
          const second = first.copy().add(answer.subarray(0, answerTagAt));
          second.write(answer, answerTagAt, TAG_BYTES);
          return { message: answer, keys: keysOf(second, false) };
        },
      };
    },
    mac: (key) => {
      const keyed = new Fold().add(key);
      return (data) => digest(keyed.copy().add(data));
    },
    hash: (data) => digest(new Fold().add(data)),
  };
}
