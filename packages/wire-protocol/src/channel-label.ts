import { sha3_256 } from "@noble/hashes/sha3.js";
import type { NodeId } from "@starling/crypto-identity";
import { nodeIdToBytes } from "@starling/crypto-identity";
import { bytesToHex } from "./hex.ts";

/**
 * The label of the channel between two nodes, the same seen from either: the first 20 bytes, in hex, of SHA3-256(lesser id ||
 * greater id), ids compared and written as big-endian integers (PROTOCOL §9).
 */
export function channelLabel(a: NodeId, b: NodeId): string {
  const [lesser, greater] = a < b ? [a, b] : [b, a];
  const input = new Uint8Array(64);
  input.set(nodeIdToBytes(lesser));
  input.set(nodeIdToBytes(greater), 32);
  return bytesToHex(sha3_256(input).subarray(0, 20));
}
