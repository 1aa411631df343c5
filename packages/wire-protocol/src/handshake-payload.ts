// What travels encrypted inside a Hello and a Welcome, PROTOCOL §3.1.
//
//   Hello payload    1067 B   0 timestamp u48 (ms of wall time, rising per initiator) | 6 epoch (8) | 14 lookup length u16
//                             | 16 body of a Lookup, or nothing | zeros
//   Welcome payload  10+n B   0 epoch (8) | 8 nodes length u16 | 10 body of a Nodes, or nothing
//
// The epoch names one life of one side's link state: 8 random bytes drawn when that state is made. While both epochs stay,
// frame numbers go on across a rekey; a new one says that the neighbour has forgotten them (PROTOCOL §3.4).
import { ByteReader } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";
import { HELLO_PAYLOAD_BYTES, WELCOME_PAYLOAD_MAX_BYTES } from "./datagram.ts";
import type { DecodeResult } from "./decode-result.ts";
import { decoded, undecodable } from "./decode-result.ts";
import { WireError } from "./errors.ts";

/** Size of an epoch. */
export const EPOCH_BYTES = 8;

/** What travels encrypted in a Hello (docs/PROTOCOL.md §3): when it was made, ms since 1970, and an 8-byte epoch. */
export type HelloPayload = {
  readonly timestampMs: number;
  readonly epoch: Uint8Array;
  /** Body of a Lookup frame, answered in the Welcome; empty when nothing is asked. */
  readonly lookup: Uint8Array;
};

/** What travels encrypted in a Welcome (docs/PROTOCOL.md §3), with an 8-byte epoch. */
export type WelcomePayload = {
  readonly epoch: Uint8Array;
  /** Body of a Nodes frame; empty when nothing was asked. */
  readonly nodes: Uint8Array;
};

/**
 * Pads it to HELLO_PAYLOAD_BYTES. Throws `E_TOO_LARGE` for a Lookup that does not fit, and `E_BAD_VALUE` for a time or an epoch
 * that is none.
 */
export function encodeHelloPayload(payload: HelloPayload): Uint8Array {
  const room = HELLO_PAYLOAD_BYTES - 16;
  if (payload.lookup.length > room) throw new WireError("E_TOO_LARGE", "the Lookup does not fit a Hello", room);
  return new ByteWriter(HELLO_PAYLOAD_BYTES)
    .u48(payload.timestampMs)
    .raw(payload.epoch, EPOCH_BYTES)
    .u16(payload.lookup.length)
    .raw(payload.lookup).bytes;
}

/** Reads what a Hello held; `bad-length` where it was not padded to its fixed size. */
export function decodeHelloPayload(bytes: Uint8Array): DecodeResult<HelloPayload> {
  const reader = new ByteReader(bytes);
  const timestampMs = reader.u48();
  const epoch = reader.raw(EPOCH_BYTES);
  const lookup = reader.raw(reader.u16());
  if (reader.failed) return undecodable("too-short");
  if (bytes.length !== HELLO_PAYLOAD_BYTES) return undecodable("bad-length");
  if (reader.rest().some((byte) => byte !== 0)) return undecodable("trailing-bytes");
  return decoded({ timestampMs, epoch, lookup });
}

/** Throws `E_TOO_LARGE` for Nodes that do not fit, and `E_BAD_VALUE` for an epoch that is none. */
export function encodeWelcomePayload(payload: WelcomePayload): Uint8Array {
  const room = WELCOME_PAYLOAD_MAX_BYTES - 10;
  if (payload.nodes.length > room) throw new WireError("E_TOO_LARGE", "the Nodes does not fit a Welcome", room);
  return new ByteWriter(10 + payload.nodes.length)
    .raw(payload.epoch, EPOCH_BYTES)
    .u16(payload.nodes.length)
    .raw(payload.nodes).bytes;
}

/** Reads what a Welcome held. */
export function decodeWelcomePayload(bytes: Uint8Array): DecodeResult<WelcomePayload> {
  const reader = new ByteReader(bytes);
  const epoch = reader.raw(EPOCH_BYTES);
  const nodes = reader.raw(reader.u16());
  if (reader.failed) return undecodable("too-short");
  if (reader.remaining > 0) return undecodable("trailing-bytes");
  return decoded({ epoch, nodes });
}
