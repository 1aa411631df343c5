// A Contact: where an id is said to be reachable, second hand. A hint until a session with it has been had (PROTOCOL §1.1, §6).
//
//   0 id (32) | 32 address (7 or 19)
import type { NodeId } from "@starling/crypto-identity";
import { nodeIdFromBytes, nodeIdToBytes } from "@starling/crypto-identity";
import type { Address } from "./address.ts";
import { addressSizeBytes, readAddress, writeAddress } from "./address.ts";
import type { ByteReader } from "./byte-reader.ts";
import type { ByteWriter } from "./byte-writer.ts";
import type { DecodeResult } from "./decode-result.ts";
import { decoded, undecodable } from "./decode-result.ts";
import { WireError } from "./errors.ts";
import { CONTACTS_MAX } from "./limits.ts";

/** An id and an address that somebody named. */
export type Contact = { readonly id: NodeId; readonly address: Address };

export function contactsSizeBytes(contacts: readonly Contact[]): number {
  return contacts.reduce((sum, contact) => sum + contactSizeBytes(contact), 1);
}

export function contactSizeBytes(contact: Contact): number {
  return 32 + addressSizeBytes(contact.address);
}

export function writeContact(writer: ByteWriter, contact: Contact): void {
  writer.raw(nodeIdToBytes(contact.id), 32);
  writeAddress(writer, contact.address);
}

/** Reads one untrusted contact. */
export function readContact(reader: ByteReader): DecodeResult<Contact> {
  const id = nodeIdFromBytes(reader.raw(32));
  const address = readAddress(reader);
  if (reader.failed) return undecodable("too-short");
  if (id === undefined) return undecodable("bad-id");
  return address === undefined ? undecodable("bad-address") : decoded({ id, address });
}

/** count u8 (0-8), then the contacts. */
export function writeContacts(writer: ByteWriter, contacts: readonly Contact[]): void {
  if (contacts.length > CONTACTS_MAX) throw new WireError("E_BAD_VALUE", `at most ${CONTACTS_MAX} contacts`);
  writer.u8(contacts.length);
  for (const contact of contacts) writeContact(writer, contact);
}

/** Reads contacts up to the end of the input. */
export function readContacts(reader: ByteReader): DecodeResult<readonly Contact[]> {
  const count = reader.u8();
  if (count > CONTACTS_MAX) return undecodable("bad-value");
  const contacts: Contact[] = [];
  for (let i = 0; i < count; i += 1) {
    const contact = readContact(reader);
    if (!contact.ok) return contact;
    contacts.push(contact.value);
  }
  if (reader.failed) return undecodable("too-short");
  return reader.remaining > 0 ? undecodable("trailing-bytes") : decoded(contacts);
}
