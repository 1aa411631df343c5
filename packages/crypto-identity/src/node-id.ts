import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";
import { IdentityError } from "./errors.ts";

// NodeId, 64 lower-case hex digits of the 32 bytes of an X25519 public key as on the wire (PROTOCOL §2.1):
//
//   byte  0..31   u, little-endian; so digits 0-1 are the lowest byte and bit 255 is the top bit of digit 62
//
// X25519 accepts several byte strings for one key (RFC 7748 §5 masks bit 255 and reduces modulo p). A network that did so
// too would know one node by two ids, so exactly one spelling of each key is an id, and keys of low order are none.

declare const nodeIdBrand: unique symbol;

/** The id of a node: its X25519 public key, in the one canonical spelling. Made by `parseNodeId` and its siblings only. */
export type NodeId = string & { readonly [nodeIdBrand]: true };

/** A NodeId as bytes: an X25519 public key, u-coordinate little-endian (RFC 7748 §5). */
export const NODE_ID_BYTES = 32;

const SHAPE = /^[0-9a-f]{64}$/;
// Bit 255 clear, but u in p .. 2^255 - 1, where p = 2^255 - 19: lowest byte ed..ff, then thirty times ff, then 7f.
const NOT_REDUCED = /^(?:e[d-f]|f[0-9a-f])(?:ff){30}7f$/;
// The public list of u whose order divides 8 on the curve or its twist (RFC 7748 §7); p and p + 1 fall to the rule above.
const LOW_ORDER: ReadonlySet<string> = new Set([
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
  "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
]);

/** First bytes that an id which is none may have, by the two rules above; with any other only bit 255 is left to look at. */
const SUSPECT_FIRST: Uint8Array = new Uint8Array(256).fill(1, 0xec).fill(1, 0, 2);
SUSPECT_FIRST[0xe0] = 1;
SUSPECT_FIRST[0x5f] = 1;

const LOW_ORDER_E0: Uint8Array = hexToBytes("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800");
const LOW_ORDER_5F: Uint8Array = hexToBytes("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157");

/** Values of the digits by their characters' codes; 16 for what is none. */
const DIGIT_OF_CODE: Uint8Array = new Uint8Array(128).fill(16);
for (let value = 0; value < 16; value += 1) DIGIT_OF_CODE[value.toString(16).charCodeAt(0)] = value;

/** Whether a value from anywhere is a NodeId. */
export function isNodeId(value: unknown): value is NodeId {
  return (
    typeof value === "string" &&
    SHAPE.test(value) &&
    value.charAt(62) < "8" &&
    !NOT_REDUCED.test(value) &&
    !LOW_ORDER.has(value)
  );
}

/** The text as a NodeId; throws `E_BAD_ID` with what is wrong with it. For what a person typed or configured. */
export function parseNodeId(text: string): NodeId {
  if (isNodeId(text)) return text;
  throw new IdentityError("E_BAD_ID", whatIsWrong(text), { argument: "text" });
}

/** The same, with the name that the caller's argument has. */
export function requireNodeId(argument: string, text: string): NodeId {
  if (isNodeId(text)) return text;
  throw new IdentityError("E_BAD_ID", `${argument}: ${whatIsWrong(text)}`, { argument });
}

function whatIsWrong(text: unknown): string {
  return typeof text !== "string" || !SHAPE.test(text)
    ? "a node id is exactly 64 lower-case hexadecimal digits"
    : "these digits are not a usable X25519 public key (an alias of another key, or a key of low order)";
}

/** The NodeId of 32 bytes from the network; undefined where they are not one. */
export function nodeIdFromBytes(bytes: Uint8Array): NodeId | undefined {
  return bytes instanceof Uint8Array && bytes.length === NODE_ID_BYTES ? nodeIdAt(bytes, 0) : undefined;
}

/** The NodeId whose 32 bytes begin at `offset`; undefined where they are not one, or not there. */
export function nodeIdAt(bytes: Uint8Array, offset: number): NodeId | undefined {
  const last = bytes[offset + NODE_ID_BYTES - 1];
  if (last === undefined || last > 0x7f) return undefined;
  if (SUSPECT_FIRST[bytes[offset] ?? 0] === 1 && isNoKey(bytes, offset)) return undefined;
  return hexAt(bytes, offset) as NodeId;
}

/** The rules of NOT_REDUCED and LOW_ORDER over bytes whose first is suspect, and without the text: refusing is to be cheap. */
function isNoKey(bytes: Uint8Array, offset: number): boolean {
  const first = bytes[offset] ?? 0;
  if (first >= 0xec) return bytes[offset + NODE_ID_BYTES - 1] === 0x7f && areAll(0xff, bytes, offset);
  if (first <= 1) return bytes[offset + NODE_ID_BYTES - 1] === 0 && areAll(0, bytes, offset);
  const lowOrder = first === 0xe0 ? LOW_ORDER_E0 : LOW_ORDER_5F;
  return lowOrder.every((byte, i) => byte === bytes[offset + i]);
}

/** The thirty bytes between the first and the last. */
function areAll(byte: number, bytes: Uint8Array, offset: number): boolean {
  for (let i = 1; i < NODE_ID_BYTES - 1; i += 1) if (bytes[offset + i] !== byte) return false;
  return true;
}

/** 32 fresh bytes, as on the wire. Throws `E_BAD_ID` for a string that was only cast to a NodeId. */
export function nodeIdToBytes(id: NodeId): Uint8Array {
  const bytes = new Uint8Array(NODE_ID_BYTES);
  writeNodeId(id, bytes, 0);
  return bytes;
}

/** Writes the 32 bytes of an id to `target`, which has room for them. Throws as `nodeIdToBytes` does. */
export function writeNodeId(id: NodeId, target: Uint8Array, offset: number): void {
  if (typeof id !== "string" || id.length !== 2 * NODE_ID_BYTES) requireNodeId("id", id);
  const slot = ((digitAt(id, 0) << 4) | digitAt(id, 1)) & (RECENT_SLOTS - 1);
  if (recentIds[slot] !== id) {
    recentBytes.set(parseDigits(id), slot * NODE_ID_BYTES);
    recentIds[slot] = id;
  }
  const from = slot * NODE_ID_BYTES;
  for (let i = 0; i < NODE_ID_BYTES; i += 1) target[offset + i] = recentBytes[from + i] ?? 0;
}

// A node writes the same few ids again and again, and reading 64 digits costs an envelope as much as all the rest of it.
const RECENT_SLOTS = 256;
// BOUNDED: RECENT_SLOTS, one for each first byte.
const recentIds: (NodeId | undefined)[] = new Array(RECENT_SLOTS).fill(undefined);
const recentBytes: Uint8Array = new Uint8Array(RECENT_SLOTS * NODE_ID_BYTES);

function parseDigits(id: NodeId): Uint8Array {
  const bytes = new Uint8Array(NODE_ID_BYTES);
  let seen = 0;
  for (let i = 0; i < NODE_ID_BYTES; i += 1) {
    const [high, low] = [digitAt(id, 2 * i), digitAt(id, 2 * i + 1)];
    seen |= high | low;
    bytes[i] = (high << 4) | low;
  }
  const isPlain = seen < 16 && (bytes[NODE_ID_BYTES - 1] ?? 0xff) < 0x80;
  if (!isPlain || SUSPECT_FIRST[bytes[0] ?? 0] === 1) requireNodeId("id", id);
  return bytes;
}

/** 16 for what is no digit. */
function digitAt(id: string, at: number): number {
  return DIGIT_OF_CODE[id.charCodeAt(at)] ?? 16;
}

/** Node writes hex natively, from any Uint8Array; the method is old, and stands in no documentation. */
type HexSlice = (this: Uint8Array, start: number, end: number) => string;
const hexSlice: HexSlice | undefined = (globalThis.Buffer?.prototype as { hexSlice?: HexSlice } | undefined)?.hexSlice;

function hexAt(bytes: Uint8Array, offset: number): string {
  const end = offset + NODE_ID_BYTES;
  return hexSlice === undefined ? bytesToHex(bytes.subarray(offset, end)) : hexSlice.call(bytes, offset, end);
}
