// A session description for one data channel, in the bytes that matter (PROTOCOL §9). What an SDP text says beyond them is the
// same for every Starling channel: one data section, SCTP port 5000, sha-256.
//
//   0 setup u8 (0 actpass, 1 active, 2 passive) | 1 ufrag length u8 (4-32) | ufrag | pwd length u8 (22-64) | pwd
//   | SHA-256 fingerprint of the DTLS certificate (32) | candidate count u8 (0-10) | candidates
//   candidate: type u8 (0 host, 1 server-reflexive, 2 peer-reflexive, 3 relayed) | address (7 or 19, see address.ts)
//
// Candidates are ip literals by construction: a name does not fit. Their order is their order of preference.
import * as z from "zod";
import type { Address } from "./address.ts";
import { addressSizeBytes, readAddress, writeAddress } from "./address.ts";
import { ByteReader } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";
import type { DecodeResult } from "./decode-result.ts";
import { decoded, undecodable } from "./decode-result.ts";
import { WireError } from "./errors.ts";
import { bytesOf } from "./schemas.ts";

/** Candidates in one description. */
export const CANDIDATES_MAX = 10;
const FINGERPRINT_BYTES = 32;
const SETUPS = ["actpass", "active", "passive"] as const;
const CANDIDATE_TYPES = ["host", "srflx", "prflx", "relay"] as const;
// The character set of RFC 8839 §5.4 (ice-char).
const ICE_TEXT = /^[A-Za-z0-9+/]+$/;
const UFRAG_CHARACTERS = { min: 4, max: 32 } as const;
const PWD_CHARACTERS = { min: 22, max: 64 } as const;

/** Kinds of candidates (RFC 8445 §5.1.1). */
export type CandidateType = (typeof CANDIDATE_TYPES)[number];
/** Where one end of a channel may be reached. */
export type Candidate = { readonly type: CandidateType; readonly address: Address };

/**
 * What a WebRTC end must tell the other, in about 90 bytes (docs/PROTOCOL.md §9); `fingerprint`: 32 bytes, SHA-256 of its
 * certificate.
 */
export type Description = {
  readonly setup: (typeof SETUPS)[number];
  readonly ufrag: string;
  readonly pwd: string;
  readonly fingerprint: Uint8Array;
  readonly candidates: readonly Candidate[];
};

const candidateSchema: z.ZodType<Candidate> = z.object({
  type: z.enum(CANDIDATE_TYPES),
  address: z.object({ ip: z.string(), port: z.int().min(1).max(65_535) }),
});

/** Checks a Description. */
export const descriptionSchema: z.ZodType<Description> = z.object({
  setup: z.enum(SETUPS),
  ufrag: z.string().refine((text) => isIceText(text, UFRAG_CHARACTERS)),
  pwd: z.string().refine((text) => isIceText(text, PWD_CHARACTERS)),
  fingerprint: bytesOf(FINGERPRINT_BYTES),
  candidates: z.array(candidateSchema).max(CANDIDATES_MAX),
});

/** Throws `E_BAD_VALUE` for a description that the schema refuses: it comes from our own RTC stack. */
export function encodeDescription(description: Description): Uint8Array {
  if (!descriptionSchema.safeParse(description).success) {
    throw new WireError("E_BAD_VALUE", "a field of the description is out of range");
  }
  const { setup, ufrag, pwd, fingerprint, candidates } = description;
  const candidateBytes = candidates.reduce((sum, { address }) => sum + 1 + addressSizeBytes(address), 0);
  const ascii = new TextEncoder();
  const writer = new ByteWriter(4 + ufrag.length + pwd.length + FINGERPRINT_BYTES + candidateBytes)
    .u8(SETUPS.indexOf(setup))
    .u8(ufrag.length)
    .raw(ascii.encode(ufrag))
    .u8(pwd.length)
    .raw(ascii.encode(pwd))
    .raw(fingerprint)
    .u8(candidates.length);
  for (const candidate of candidates) writeCandidate(writer, candidate);
  return writer.bytes;
}

/** Reads an untrusted description. Whether its addresses may be tried is for the candidate policy to say, not for this. */
export function decodeDescription(bytes: Uint8Array): DecodeResult<Description> {
  const reader = new ByteReader(bytes);
  const setup = SETUPS[reader.u8()];
  const ufrag = String.fromCharCode(...reader.raw(reader.u8()));
  const pwd = String.fromCharCode(...reader.raw(reader.u8()));
  const fingerprint = reader.raw(FINGERPRINT_BYTES);
  const count = reader.u8();
  if (reader.failed) return undecodable("too-short");
  if (count > CANDIDATES_MAX || setup === undefined) return undecodable("bad-value");
  if (!isIceText(ufrag, UFRAG_CHARACTERS) || !isIceText(pwd, PWD_CHARACTERS)) return undecodable("bad-value");
  const candidates: Candidate[] = [];
  for (let i = 0; i < count; i += 1) {
    const candidate = readCandidate(reader);
    if (candidate === undefined) return undecodable("bad-address");
    candidates.push(candidate);
  }
  if (reader.remaining > 0) return undecodable("trailing-bytes");
  const parsed = descriptionSchema.safeParse({ setup, ufrag, pwd, fingerprint, candidates });
  return parsed.success ? decoded(parsed.data) : undecodable("bad-value");
}

export function candidateSizeBytes(candidate: Candidate): number {
  return 1 + addressSizeBytes(candidate.address);
}

export function writeCandidate(writer: ByteWriter, candidate: Candidate): void {
  writer.u8(CANDIDATE_TYPES.indexOf(candidate.type));
  writeAddress(writer, candidate.address);
}

export function readCandidate(reader: ByteReader): Candidate | undefined {
  const type = CANDIDATE_TYPES[reader.u8()];
  const address = readAddress(reader);
  return type === undefined || address === undefined || reader.failed ? undefined : { type, address };
}

function isIceText(text: string, { min, max }: { readonly min: number; readonly max: number }): boolean {
  return text.length >= min && text.length <= max && ICE_TEXT.test(text);
}
