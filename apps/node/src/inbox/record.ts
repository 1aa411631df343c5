import { crc32 } from "node:zlib";
import type { InboxEntry } from "@starling/node-core";
import * as z from "zod";

// One record of the inbox journal, a line of its own:
//
//   CRC-32 of the JSON (8 hex digits) | a space | the JSON | a newline
//
//   {"op":"inbox","version":1}          the first one
//   {"op":"put", …an InboxEntry}        written before the message is acknowledged; content in base64
//   {"op":"given","key"}                given to a program that has to acknowledge it, and has not
//   {"op":"out","key","expiresMs"}      handed to a program; before a compaction its "put" stands above it
//
// The checksum is against torn writes and rotten disks, not against people: who can write the file owns the node.

const VERSION = 1;

const id = z.custom<InboxEntry["from"]>((value) => typeof value === "string");
const content = z.base64().transform((text): Uint8Array => Uint8Array.from(Buffer.from(text, "base64")));

const put = z.object({
  op: z.literal("put"),
  key: z.string(),
  kind: z.enum(["message", "request"]),
  from: id,
  messageId: z.string(),
  topic: z.string(),
  content,
  path: z.enum(["channel", "session", "relayed"]),
  receivedAtMs: z.number(),
  expiresMs: z.number(),
  stream: z.string(),
  seq: z.number(),
  lowestUnsettledSeq: z.number(),
});
const record = z.discriminatedUnion("op", [
  z.object({ op: z.literal("inbox"), version: z.number() }),
  put,
  z.object({ op: z.literal("given"), key: z.string() }),
  z.object({ op: z.literal("out"), key: z.string(), expiresMs: z.number() }),
]);

export type JournalRecord =
  | { readonly op: "inbox"; readonly version: number }
  | ({ readonly op: "put" } & InboxEntry)
  | { readonly op: "given"; readonly key: string }
  | { readonly op: "out"; readonly key: string; readonly expiresMs: number };

export const HEADER: JournalRecord = { op: "inbox", version: VERSION };

export function isReadable({ version }: { readonly version: number }): boolean {
  return version === VERSION;
}

export function encodeRecord(value: JournalRecord): string {
  const json =
    value.op === "put" ? JSON.stringify({ ...value, content: base64Of(value.content) }) : JSON.stringify(value);
  return `${checksum(json)} ${json}\n`;
}

/** The record in a line without its newline; undefined where it does not check. */
export function decodeRecord(line: string): JournalRecord | undefined {
  const json = line.slice(9);
  if (line.slice(0, 9) !== `${checksum(json)} `) return undefined;
  try {
    const read = record.safeParse(JSON.parse(json));
    return read.success ? read.data : undefined;
  } catch {
    return undefined;
  }
}

function base64Of({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString("base64");
}

function checksum(json: string): string {
  return crc32(json).toString(16).padStart(8, "0");
}
