// A NodeRecord, PROTOCOL §6: what a node says of itself, signed, so that third parties can believe it.
//
//   0 id (32) | 32 sequence u48 (ms of wall time when it was made) | 38 role u8 (0 node, 1 relay) | 39 address count u8 (0-4)
//   | 40 addresses (7 or 19 each) | signature (64)
//
// The XEdDSA signature is in the domain "starling record v1", over network length u8 || network || all bytes before it. A record
// holds an address exactly while its node believes that it can be reached there.
import type { Identity, NodeId, RandomSource } from "@starling/crypto-identity";
import { nodeIdFromBytes, nodeIdToBytes, sign, verify } from "@starling/crypto-identity";
import type { Address } from "./address.ts";
import { addressSizeBytes, readAddress, writeAddress } from "./address.ts";
import { ByteReader } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";
import type { DecodeResult } from "./decode-result.ts";
import { decoded, undecodable } from "./decode-result.ts";
import { WireError } from "./errors.ts";
import { RECORD_ADDRESSES_MAX } from "./limits.ts";

/** A relay has no inbox. */
export type NodeRole = "node" | "relay";

/** What a node says of itself, signed (docs/PROTOCOL.md §6); of two of one node the higher sequence counts. */
export type NodeRecord = {
  readonly id: NodeId;
  readonly sequence: number;
  readonly role: NodeRole;
  readonly addresses: readonly Address[];
  /** The whole record as it was signed, signature included. */
  readonly encoded: Uint8Array;
};

const DOMAIN = "starling record v1";
const SIGNATURE_BYTES = 64;
const FIXED_BYTES = 40;

/** Encodes and signs a record. Throws `E_BAD_ADDRESS`, and `E_BAD_VALUE` for more than RECORD_ADDRESSES_MAX addresses. */
export function signNodeRecord(options: {
  readonly identity: Identity;
  readonly network: string;
  readonly sequence: number;
  readonly role: NodeRole;
  readonly addresses: readonly Address[];
  readonly random: RandomSource;
}): NodeRecord {
  const { identity, network, sequence, role, addresses, random } = options;
  if (addresses.length > RECORD_ADDRESSES_MAX) {
    throw new WireError("E_BAD_VALUE", `a record has at most ${RECORD_ADDRESSES_MAX} addresses`);
  }
  const sizeBytes = addresses.reduce((sum, address) => sum + addressSizeBytes(address), FIXED_BYTES);
  const writer = new ByteWriter(sizeBytes + SIGNATURE_BYTES)
    .raw(nodeIdToBytes(identity.id), 32)
    .u48(sequence)
    .u8(role === "relay" ? 1 : 0)
    .u8(addresses.length);
  for (const address of addresses) writeAddress(writer, address);
  const message = signedMessage(network, writer.bytes.subarray(0, sizeBytes));
  writer.raw(sign({ identity, domain: DOMAIN, message, random }), SIGNATURE_BYTES);
  // A copy: it is kept for as long as it is true, and would keep the 64 KiB that the writer's bytes are cut from.
  return { id: identity.id, sequence, role, addresses, encoded: writer.bytes.slice() };
}

/** Reads an untrusted record without checking its signature; `verifyNodeRecord` does that, and costs a curve operation. */
export function decodeNodeRecord(bytes: Uint8Array): DecodeResult<NodeRecord> {
  const reader = new ByteReader(bytes);
  const id = nodeIdFromBytes(reader.raw(32));
  const sequence = reader.u48();
  const role = reader.u8();
  const count = reader.u8();
  if (reader.failed) return undecodable("too-short");
  if (id === undefined) return undecodable("bad-id");
  if (role > 1 || count > RECORD_ADDRESSES_MAX) return undecodable("bad-value");
  const addresses: Address[] = [];
  for (let i = 0; i < count; i += 1) {
    const address = readAddress(reader);
    if (address === undefined) return undecodable("bad-address");
    addresses.push(address);
  }
  reader.raw(SIGNATURE_BYTES);
  if (reader.failed) return undecodable("too-short");
  if (reader.remaining > 0) return undecodable("trailing-bytes");
  return decoded({ id, sequence, role: role === 1 ? "relay" : "node", addresses, encoded: bytes });
}

/** Whether the node of that id signed this record for this network. */
export function verifyNodeRecord(network: string, record: NodeRecord): boolean {
  const at = record.encoded.length - SIGNATURE_BYTES;
  const message = signedMessage(network, record.encoded.subarray(0, at));
  return verify({ id: record.id, domain: DOMAIN, message, signature: record.encoded.subarray(at) });
}

function signedMessage(network: string, unsigned: Uint8Array): Uint8Array {
  const name = new TextEncoder().encode(network);
  return new ByteWriter(1 + name.length + unsigned.length).u8(name.length).raw(name).raw(unsigned).bytes;
}
