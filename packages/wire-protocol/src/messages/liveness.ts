// Ping, Pong and Bye, PROTOCOL §5.3 and §5.4.
//
//   Ping body    0 echo (8)
//   Pong body    0 echo of the Ping (8) | 8 wall time u48 (ms) | 14 price of a Send u48 (effort) | 20 price of a Publish u48
//                | 26 the address the Ping came from (7 or 19) | contact count u8 (0-8) | verified contacts (39 or 51 each)
//   Bye body     0 reason u8 (0 closing, 1 full, 2 draining, 3 unwanted)
import type { Address } from "../address.ts";
import { addressSizeBytes, readAddress, writeAddress } from "../address.ts";
import { ByteReader } from "../byte-reader.ts";
import { ByteWriter } from "../byte-writer.ts";
import type { Contact } from "../contact.ts";
import { contactsSizeBytes, readContacts, writeContacts } from "../contact.ts";
import type { DecodeResult } from "../decode-result.ts";
import { decoded, undecodable } from "../decode-result.ts";

/** Size of what a Ping wants echoed. */
export const ECHO_BYTES = 8;

/**
 * The answer to a Ping (docs/PROTOCOL.md §5): the 8-byte echo, wall time in ms, what a Send and a Publish cost here, how the
 * asker is seen, and contacts.
 */
export type Pong = {
  readonly type: "pong";
  readonly echo: Uint8Array;
  readonly wallMs: number;
  readonly sendPrice: number;
  readonly publishPrice: number;
  readonly observed: Address;
  readonly contacts: readonly Contact[];
};

const BYE_REASONS = ["closing", "full", "draining", "unwanted"] as const;
/** Why a link ends. */
export type ByeReason = (typeof BYE_REASONS)[number];
/** The link ends (docs/PROTOCOL.md §5). */
export type Bye = { readonly type: "bye"; readonly reason: ByeReason };

/** The body of a Pong. Throws `E_BAD_ADDRESS` for an address that is none. */
export function encodePong(pong: Pong): Uint8Array {
  const sizeBytes = 26 + addressSizeBytes(pong.observed) + contactsSizeBytes(pong.contacts);
  const writer = new ByteWriter(sizeBytes)
    .raw(pong.echo, ECHO_BYTES)
    .u48(pong.wallMs)
    .u48(pong.sendPrice)
    .u48(pong.publishPrice);
  writeAddress(writer, pong.observed);
  writeContacts(writer, pong.contacts);
  return writer.bytes;
}

/** The body of a Pong; contacts are hearsay. */
export function decodePong(body: Uint8Array): DecodeResult<Pong> {
  const reader = new ByteReader(body);
  const echo = reader.raw(ECHO_BYTES);
  const wallMs = reader.u48();
  const sendPrice = reader.u48();
  const publishPrice = reader.u48();
  const observed = readAddress(reader);
  if (reader.failed) return undecodable("too-short");
  if (observed === undefined) return undecodable("bad-address");
  const contacts = readContacts(reader);
  if (!contacts.ok) return contacts;
  return decoded({ type: "pong", echo, wallMs, sendPrice, publishPrice, observed, contacts: contacts.value });
}

/** The body of a Bye. */
export function encodeBye(bye: Bye): Uint8Array {
  return Uint8Array.of(BYE_REASONS.indexOf(bye.reason));
}

/** The body of a Bye: one byte. */
export function decodeBye(body: Uint8Array): DecodeResult<Bye> {
  if (body.length !== 1) return undecodable("bad-length");
  const reason = BYE_REASONS[body[0] ?? 255];
  return reason === undefined ? undecodable("bad-value") : decoded({ type: "bye", reason });
}
