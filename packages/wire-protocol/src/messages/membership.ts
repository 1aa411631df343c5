// Announce, Lookup, Nodes and DialBack, PROTOCOL §6.
//
//   Announce body  0 flags u8 (bit 0: you are one of my anchors) | 1 the sender's own signed NodeRecord
//   Lookup body    0 query u32 | 4 target id (32)
//   Nodes body     0 query u32 | 4 flags u8 (bit 0: the target is attached to me) | 5 contact count u8 (0-8)
//                  | contacts closest to the target (39 or 51 each)
//   DialBack body  0 what u8
//                  0: have me dialled | 1 port u16, 0 for the one that you see; the ip is always the one that you see
//                  1: dial this peer | 1 contact (39 or 51), as observed on the sender's session with it
import type { NodeId } from "@starling/crypto-identity";
import { nodeIdFromBytes, nodeIdToBytes } from "@starling/crypto-identity";
import { ByteReader } from "../byte-reader.ts";
import { ByteWriter } from "../byte-writer.ts";
import type { Contact } from "../contact.ts";
import {
  contactSizeBytes,
  contactsSizeBytes,
  readContact,
  readContacts,
  writeContact,
  writeContacts,
} from "../contact.ts";
import type { DecodeResult } from "../decode-result.ts";
import { decoded, undecodable } from "../decode-result.ts";
import type { NodeRecord } from "../node-record.ts";
import { decodeNodeRecord } from "../node-record.ts";

/** A node's signed record, to a neighbour (docs/PROTOCOL.md §6); `anchor`: it wants to be found by that neighbour. */
export type Announce = { readonly type: "announce"; readonly anchor: boolean; readonly record: NodeRecord };
/** Who is near this id (docs/PROTOCOL.md §6)? `query` comes back in the answer. */
export type Lookup = { readonly type: "lookup"; readonly query: number; readonly target: NodeId };
/** The answer to a Lookup (docs/PROTOCOL.md §6): the closest that the answerer knows. */
export type Nodes = {
  readonly type: "nodes";
  readonly query: number;
  /** The answerer has a link to the target. */
  readonly attached: boolean;
  readonly contacts: readonly Contact[];
};
/** A node asks a neighbour to have it dialled; or the neighbour passes that on to another. */
export type DialBack =
  | { readonly type: "dial-back"; readonly what: "me"; readonly port: number }
  | { readonly type: "dial-back"; readonly what: "peer"; readonly contact: Contact };

/** The body of an Announce. */
export function encodeAnnounce(announce: Announce): Uint8Array {
  const { encoded } = announce.record;
  return new ByteWriter(1 + encoded.length).u8(announce.anchor ? 1 : 0).raw(encoded).bytes;
}

/** The record's signature is not checked here (see node-record.ts). */
export function decodeAnnounce(body: Uint8Array): DecodeResult<Announce> {
  const flags = body[0];
  if (flags === undefined) return undecodable("too-short");
  if (flags > 1) return undecodable("bad-value");
  const record = decodeNodeRecord(body.subarray(1));
  return record.ok ? decoded({ type: "announce", anchor: flags === 1, record: record.value }) : record;
}

/** The body of a Lookup. */
export function encodeLookup(lookup: Lookup): Uint8Array {
  return new ByteWriter(36).u32(lookup.query).raw(nodeIdToBytes(lookup.target), 32).bytes;
}

/** The body of a Lookup: 36 bytes. */
export function decodeLookup(body: Uint8Array): DecodeResult<Lookup> {
  if (body.length !== 36) return undecodable("bad-length");
  const reader = new ByteReader(body);
  const query = reader.u32();
  const target = nodeIdFromBytes(reader.raw(32));
  return target === undefined ? undecodable("bad-id") : decoded({ type: "lookup", query, target });
}

/** The body of a Nodes. Throws `E_BAD_ADDRESS` for an address that is none. */
export function encodeNodes(nodes: Nodes): Uint8Array {
  const writer = new ByteWriter(5 + contactsSizeBytes(nodes.contacts)).u32(nodes.query).u8(nodes.attached ? 1 : 0);
  writeContacts(writer, nodes.contacts);
  return writer.bytes;
}

/** The body of a Nodes; contacts are hearsay. */
export function decodeNodes(body: Uint8Array): DecodeResult<Nodes> {
  const reader = new ByteReader(body);
  const query = reader.u32();
  const flags = reader.u8();
  if (reader.failed) return undecodable("too-short");
  if (flags > 1) return undecodable("bad-value");
  const contacts = readContacts(reader);
  return contacts.ok ? decoded({ type: "nodes", query, attached: flags === 1, contacts: contacts.value }) : contacts;
}

/** The body of a DialBack. Throws `E_BAD_ADDRESS` for an address that is none. */
export function encodeDialBack(dialBack: DialBack): Uint8Array {
  if (dialBack.what === "me") return new ByteWriter(3).u8(0).u16(dialBack.port).bytes;
  const writer = new ByteWriter(1 + contactSizeBytes(dialBack.contact)).u8(1);
  writeContact(writer, dialBack.contact);
  return writer.bytes;
}

/** The body of a DialBack. */
export function decodeDialBack(body: Uint8Array): DecodeResult<DialBack> {
  const reader = new ByteReader(body);
  const what = reader.u8();
  if (reader.failed) return undecodable("too-short");
  if (what > 1) return undecodable("bad-value");
  if (what === 0) {
    const port = reader.u16();
    if (reader.failed || reader.remaining > 0) return undecodable("bad-length");
    return decoded({ type: "dial-back", what: "me", port });
  }
  const contact = readContact(reader);
  if (!contact.ok) return contact;
  if (reader.remaining > 0) return undecodable("trailing-bytes");
  return decoded({ type: "dial-back", what: "peer", contact: contact.value });
}
