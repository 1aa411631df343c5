import { type NodeId, nodeIdToBytes } from "@starling/crypto-identity";
import { MAC_BYTES } from "@starling/wire-protocol";
import type { SessionCrypto } from "./session-crypto.ts";

const LABEL: Uint8Array = new TextEncoder().encode("starling mac1");

/**
 * The first check of a Hello: HMAC under a key that anybody can derive from the receiver's id. It authenticates nothing; it
 * lets a receiver throw away noise before it costs more (PROTOCOL §3).
 */
export function mac1For(crypto: SessionCrypto, receiver: NodeId): (authenticated: Uint8Array) => Uint8Array {
  const id = nodeIdToBytes(receiver);
  const data = new Uint8Array(LABEL.length + id.length);
  data.set(LABEL);
  data.set(id, LABEL.length);
  const mac = crypto.mac(crypto.hash(data));
  return (authenticated) => mac(authenticated).slice(0, MAC_BYTES);
}

/** Bytes as a key of a Map: one character a byte. */
export function bytesKey(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}
