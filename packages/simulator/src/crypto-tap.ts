import type { NodeId, SessionKeys } from "@starling/crypto-identity";
import type { SessionCrypto } from "@starling/session";

/** Stands between a core and its session cryptography: to look at what is decrypted, or to change it. */
export type CryptoTap = (real: SessionCrypto) => SessionCrypto;

/** What a watcher sees of a session's plaintexts. */
export type PlaintextWatch = {
  /** About to be sealed to this peer; each sending again counts. */
  readonly sealing: (peer: NodeId, plaintext: Uint8Array) => void;
  /** Just opened; may be changed in place, which the core then reads. */
  readonly opened: (peer: NodeId, plaintext: Uint8Array) => void;
};

export function watchPlaintexts(watch: PlaintextWatch): CryptoTap {
  const watched = (keys: SessionKeys, peer: NodeId): SessionKeys => ({
    handshakeHash: keys.handshakeHash,
    send: {
      open: keys.send.open,
      seal(counter, header, plaintext) {
        watch.sealing(peer, plaintext);
        return keys.send.seal(counter, header, plaintext);
      },
    },
    receive: {
      seal: keys.receive.seal,
      open(counter, header, ciphertext) {
        const plaintext = keys.receive.open(counter, header, ciphertext);
        if (plaintext !== undefined) watch.opened(peer, plaintext);
        return plaintext;
      },
    },
  });
  return (real) => ({
    ...real,
    initiate(responder, payload) {
      const { message, finish } = real.initiate(responder, payload);
      return {
        message,
        finish: (welcome) => {
          const finished = finish(welcome);
          return finished && { ...finished, keys: watched(finished.keys, responder) };
        },
      };
    },
    respond(message) {
      const response = real.respond(message);
      return (
        response && {
          ...response,
          respond: (payload) => {
            const answer = response.respond(payload);
            return { ...answer, keys: watched(answer.keys, response.initiator) };
          },
        }
      );
    },
  });
}
