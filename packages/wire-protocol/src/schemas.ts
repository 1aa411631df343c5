import type { NodeId } from "@starling/crypto-identity";
import { isNodeId } from "@starling/crypto-identity";
import * as z from "zod";

// Building blocks of the message schemas. Codecs check lengths by hand first; zod then holds the decoded message to its type,
// so that a message built by a program and one read from the network obey the same rules.

export const nodeIdSchema: z.ZodType<NodeId> = z.custom<NodeId>(isNodeId, "not a canonical NodeId");

export function bytesOf(sizeBytes: number): z.ZodType<Uint8Array> {
  return z.custom<Uint8Array>((value) => value instanceof Uint8Array && value.length === sizeBytes);
}

export function bytesUpTo(maxBytes: number): z.ZodType<Uint8Array> {
  return z.custom<Uint8Array>((value) => value instanceof Uint8Array && value.length <= maxBytes);
}

export function integerUpTo(max: number): z.ZodType<number> {
  return z.int().min(0).max(max);
}
