// The cryptography that a session table is handed, so that a simulator of thousands of nodes can put in a cheap one.
import type { Identity, NodeId, RandomSource, SessionKeys } from "@starling/crypto-identity";
import { createMac, initiateHandshake, protocolPrologue, respondHandshake, sha256 } from "@starling/crypto-identity";

/** A message 1 of the handshake, and what reads its answer. A failed `finish` changes nothing and may be tried again. */
export type Initiation = {
  readonly message: Uint8Array;
  /** Reads message 2; undefined where it does not answer this message 1. */
  finish(message: Uint8Array): { readonly payload: Uint8Array; readonly keys: SessionKeys } | undefined;
};

/** A message 1 that was read; its author is proved, its freshness is not. */
export type Response = {
  readonly initiator: NodeId;
  readonly payload: Uint8Array;
  /** Writes message 2, with fresh keys each time. */
  respond(payload: Uint8Array): { readonly message: Uint8Array; readonly keys: SessionKeys };
};

/** The cryptography of sessions with one identity; a simulator gives a cheaper one. */
export type SessionCrypto = {
  readonly id: NodeId;
  /** Begins a handshake; `payload` travels encrypted in message 1. */
  initiate(responder: NodeId, payload: Uint8Array): Initiation;
  /** Reads message 1; undefined where it was not made for this identity and network. */
  respond(message: Uint8Array): Response | undefined;
  /** HMAC-SHA-256 with the key prepared once; 32 bytes, which callers cut to 16. */
  mac(key: Uint8Array): (data: Uint8Array) => Uint8Array;
  /** SHA-256. */
  hash(data: Uint8Array): Uint8Array;
};

/**
 * Noise IK under the node's own key. `network` and `purpose` are bound into every handshake: nodes of two networks cannot meet,
 * and a handshake for a channel is none for a session over UDP.
 */
export function createSessionCrypto(options: {
  readonly identity: Identity;
  readonly network: string;
  readonly random: RandomSource;
  readonly purpose?: "session" | "channel";
}): SessionCrypto {
  const { identity, random } = options;
  const prologue = protocolPrologue(options.network, options.purpose ?? "session");
  return {
    id: identity.id,
    initiate: (responder, payload) => initiateHandshake({ identity, responder, prologue, payload, random }),
    respond(message) {
      const response = respondHandshake({ identity, prologue, message });
      return (
        response && {
          initiator: response.initiator,
          payload: response.payload,
          respond: (payload) => response.respond(payload, random),
        }
      );
    },
    mac: createMac,
    hash: sha256,
  };
}
