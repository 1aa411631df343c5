import type { Aead } from "@starling/crypto-identity";
import { AEAD_TAG_BYTES } from "@starling/crypto-identity";
import type { SessionCrypto } from "@starling/session";

const COPYING: Aead = {
  seal(_counter, _associatedData, plaintext) {
    const sealed = Buffer.allocUnsafe(plaintext.length + AEAD_TAG_BYTES);
    sealed.set(plaintext);
    return sealed;
  },
  open: (_counter, _associatedData, ciphertext) => ciphertext.subarray(0, ciphertext.length - AEAD_TAG_BYTES),
};

/** The same handshakes, and Data that is copied instead of encrypted: for measuring what a session costs besides. */
export function withoutAead(crypto: SessionCrypto): SessionCrypto {
  return {
    ...crypto,
    initiate(responder, payload) {
      const initiation = crypto.initiate(responder, payload);
      return {
        message: initiation.message,
        finish(message) {
          const finished = initiation.finish(message);
          return finished && { ...finished, keys: { ...finished.keys, send: COPYING, receive: COPYING } };
        },
      };
    },
    respond(message) {
      const response = crypto.respond(message);
      return (
        response && {
          ...response,
          respond(payload) {
            const written = response.respond(payload);
            return { ...written, keys: { ...written.keys, send: COPYING, receive: COPYING } };
          },
        }
      );
    },
  };
}
