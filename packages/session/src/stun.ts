// STUN Binding (RFC 8489 §5, §14.2), as much of it as tells a peer its address.
//
//   request   20+n B      0 0x0001 | 2 length of what follows the header u16 | 4 cookie 0x2112A442 | 8 transaction id (12)
//                         | 20 attributes (type u16, length u16, value, padded to 4): read over, see below
//   answer    32 or 44 B  0 0x0101 | 2 length u16 | 4 cookie | 8 transaction id (12)
//                         | 20 XOR-MAPPED-ADDRESS: 0x0020, length u16 (8 or 20), 0, family u8 (1 or 2), port ^ cookie u16, ip ^ (cookie ‖ id)
import type { Address } from "@starling/wire-protocol";
import { ipv6Groups } from "./source-address.ts";

const HEADER_BYTES = 20;
const COOKIE = 0x2112a442;
const BINDING_REQUEST = 0x0001;
const BINDING_ANSWER = 0x0101;
const XOR_MAPPED_ADDRESS = 0x0020;
/** Attributes of a lower type demand to be understood; we understand none. */
const FIRST_OPTIONAL = 0x8000;

/** Whether the first byte is STUN's (RFC 7983); no datagram of ours begins so. */
export function isStun(datagram: Uint8Array): boolean {
  return datagram.length >= HEADER_BYTES && (datagram[0] ?? 0xff) <= 3;
}

/**
 * The transaction id of a Binding request; undefined for all else, and for one with an attribute that demands something:
 * a connectivity check of ICE names a user, and to answer it would be to claim to be one of its candidates.
 */
export function readBindingRequest(bytes: Uint8Array): Uint8Array | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint16(0) !== BINDING_REQUEST || view.getUint32(4) !== COOKIE) return undefined;
  if (view.getUint16(2) !== bytes.length - HEADER_BYTES || bytes.length % 4 !== 0) return undefined;
  for (let at = HEADER_BYTES; at < bytes.length; ) {
    if (view.getUint16(at) < FIRST_OPTIONAL) return undefined;
    at += 4 + 4 * Math.ceil(view.getUint16(at + 2) / 4);
    if (at > bytes.length) return undefined;
  }
  return bytes.subarray(8, HEADER_BYTES);
}

export function encodeBindingAnswer(transactionId: Uint8Array, address: Address): Uint8Array {
  const isSix = address.ip.includes(":");
  const ip = isSix
    ? ipv6Groups(address.ip).flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 0xff])
    : address.ip.split(".").map(Number);
  const bytes = new Uint8Array(HEADER_BYTES + 8 + ip.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, BINDING_ANSWER);
  view.setUint16(2, bytes.length - HEADER_BYTES);
  view.setUint32(4, COOKIE);
  bytes.set(transactionId, 8);
  view.setUint16(20, XOR_MAPPED_ADDRESS);
  view.setUint16(22, 4 + ip.length);
  bytes[25] = isSix ? 2 : 1;
  view.setUint16(26, address.port ^ (COOKIE >>> 16));
  // Cookie and transaction id stand one behind the other in the header, as the mask of the ip wants them.
  for (const [index, byte] of ip.entries()) bytes[28 + index] = byte ^ (bytes[4 + index] ?? 0);
  return bytes;
}
