// Signals: contents of Send bodies of kind `signal`, PROTOCOL §9. The sealed box around them proves their author.
//
//   Intent     0 type u8 (1): please offer me a channel
//   Offer      0 type u8 (2) | 1 Noise IK message 1 (e 32, s 48, offer payload, tag 16)
//   Answer     0 type u8 (3) | 1 tag of the Offer (8: the first bytes of its e) | 9 Noise IK message 2 (e 32, payload, tag 16)
//   Ping       0 type u8 (5): nothing is asked but the ack that every signal gets
//   Candidate  0 type u8 (4) | 1 tag of the Offer (8) | 9 sealed late candidate (type u8, address; tag 16)
//   payload of Offer and Answer: 0 session index u32 | 4 description (see description.ts)
import { ByteReader } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";
import type { DecodeResult } from "./decode-result.ts";
import { decoded, undecodable } from "./decode-result.ts";
import type { Candidate, Description } from "./description.ts";
import {
  candidateSizeBytes,
  decodeDescription,
  encodeDescription,
  readCandidate,
  writeCandidate,
} from "./description.ts";

/** Size of what names an Offer in its Answer and candidates. */
export const OFFER_TAG_BYTES = 8;
const INTENT = 1;
const OFFER = 2;
const ANSWER = 3;
const CANDIDATE = 4;
const PING = 5;
/** e 32 + s 48 + tag 16, and the least a payload has. */
const OFFER_MESSAGE_MIN_BYTES = 96 + 4;
const ANSWER_MESSAGE_MIN_BYTES = 48 + 4;

/**
 * What sets up a channel (docs/PROTOCOL.md §9): handshake messages with descriptions inside, later candidates, and a daemon's
 * ping.
 */
export type Signal =
  | { readonly type: "intent" }
  | { readonly type: "ping" }
  | { readonly type: "offer"; readonly message: Uint8Array }
  | { readonly type: "answer"; readonly offerTag: Uint8Array; readonly message: Uint8Array }
  | { readonly type: "candidate"; readonly offerTag: Uint8Array; readonly sealed: Uint8Array };

/** What travels encrypted in an Offer or Answer (docs/PROTOCOL.md §9). */
export type SignalPayload = {
  /** By which the peer's Data on the channel will name this session. */
  readonly sessionIndex: number;
  readonly description: Description;
};

/** A signal as the content of a message. */
export function encodeSignal(signal: Signal): Uint8Array {
  switch (signal.type) {
    case "intent":
      return Uint8Array.of(INTENT);
    case "ping":
      return Uint8Array.of(PING);
    case "offer":
      return new ByteWriter(1 + signal.message.length).u8(OFFER).raw(signal.message).bytes;
    case "answer":
      return new ByteWriter(1 + OFFER_TAG_BYTES + signal.message.length)
        .u8(ANSWER)
        .raw(signal.offerTag, OFFER_TAG_BYTES)
        .raw(signal.message).bytes;
    case "candidate":
      return new ByteWriter(1 + OFFER_TAG_BYTES + signal.sealed.length)
        .u8(CANDIDATE)
        .raw(signal.offerTag, OFFER_TAG_BYTES)
        .raw(signal.sealed).bytes;
  }
}

/** Reads an untrusted signal; the handshake messages inside are not opened here. */
export function decodeSignal(content: Uint8Array): DecodeResult<Signal> {
  const reader = new ByteReader(content);
  switch (reader.u8()) {
    case INTENT:
      return content.length === 1 ? decoded({ type: "intent" }) : undecodable("bad-length");
    case PING:
      return content.length === 1 ? decoded({ type: "ping" }) : undecodable("bad-length");
    case OFFER: {
      const message = reader.rest();
      return message.length < OFFER_MESSAGE_MIN_BYTES ? undecodable("too-short") : decoded({ type: "offer", message });
    }
    case ANSWER: {
      const offerTag = reader.raw(OFFER_TAG_BYTES);
      const message = reader.rest();
      if (reader.failed || message.length < ANSWER_MESSAGE_MIN_BYTES) return undecodable("too-short");
      return decoded({ type: "answer", offerTag, message });
    }
    case CANDIDATE: {
      const offerTag = reader.raw(OFFER_TAG_BYTES);
      const sealed = reader.rest();
      return reader.failed ? undecodable("too-short") : decoded({ type: "candidate", offerTag, sealed });
    }
    default:
      return undecodable("unknown-kind");
  }
}

/** What goes into an Offer or Answer. */
export function encodeSignalPayload(payload: SignalPayload): Uint8Array {
  const description = encodeDescription(payload.description);
  return new ByteWriter(4 + description.length).u32(payload.sessionIndex).raw(description).bytes;
}

/** What an Offer or Answer held. */
export function decodeSignalPayload(bytes: Uint8Array): DecodeResult<SignalPayload> {
  const reader = new ByteReader(bytes);
  const sessionIndex = reader.u32();
  if (reader.failed) return undecodable("too-short");
  const description = decodeDescription(reader.rest());
  return description.ok ? decoded({ sessionIndex, description: description.value }) : description;
}

/** A late candidate, before it is sealed under the keys of the handshake. */
export function encodeCandidate(candidate: Candidate): Uint8Array {
  const writer = new ByteWriter(candidateSizeBytes(candidate));
  writeCandidate(writer, candidate);
  return writer.bytes;
}

/** A candidate, as it travels in a signal. */
export function decodeCandidate(bytes: Uint8Array): DecodeResult<Candidate> {
  const reader = new ByteReader(bytes);
  const candidate = readCandidate(reader);
  if (candidate === undefined) return undecodable("bad-address");
  return reader.remaining > 0 ? undecodable("trailing-bytes") : decoded(candidate);
}
