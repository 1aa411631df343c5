// Inputs that must be refused, each made from a good one. The reason is what Starling counts; another implementation is held to
// the refusal only.
import {
  type DecodeResult,
  decodeCandidate,
  decodeDatagram,
  decodeDescription,
  decodeEnvelope,
  decodeHelloPayload,
  decodeMessage,
  decodeNodeRecord,
  decodePublication,
  decodeSealedBody,
  decodeSignal,
  decodeWelcomePayload,
  FRAME_KIND,
  hexToBytes,
  readFrames,
} from "../../src/index.ts";
import { fill, type Json, toJson } from "./actors.ts";
import { datagramVectors } from "./datagram-vectors.ts";
import { envelopeVectors } from "./envelope-vectors.ts";
import { frameVectors } from "./frame-vectors.ts";
import { signalVectors } from "./signal-vectors.ts";
import { signedVectors } from "./signed-vectors.ts";

type Change = (bytes: Uint8Array) => Uint8Array;

const cut: Change = (bytes) => bytes.subarray(0, -1);
const longer: Change = (bytes) => Uint8Array.from([...bytes, 0]);
const set =
  (at: number, ...values: number[]): Change =>
  (bytes) => {
    const copy = bytes.slice();
    copy.set(values, at < 0 ? copy.length + at : at);
    return copy;
  };
const zeros = (from: number, to: number): Change => set(from, ...fill(to - from, 0));
const replaceBy =
  (...values: number[]): Change =>
  () =>
    Uint8Array.from(values);

const DECODERS: Readonly<Record<string, (bytes: Uint8Array) => DecodeResult<unknown>>> = {
  datagram: (bytes) => decodeDatagram(bytes),
  frames: readFrames,
  "hello-payload": decodeHelloPayload,
  "welcome-payload": decodeWelcomePayload,
  envelope: decodeEnvelope,
  "sealed-body": decodeSealedBody,
  record: decodeNodeRecord,
  publication: decodePublication,
  description: decodeDescription,
  candidate: decodeCandidate,
  signal: decodeSignal,
  ...Object.fromEntries(
    Object.entries(FRAME_KIND).map(([name, kind]) => [
      `body of ${name}`,
      (body: Uint8Array) => decodeMessage({ kind, body }),
    ]),
  ),
};

/** Where a good input stands, and what is done to it. */
type Case = readonly [decoder: string, what: string, good: Uint8Array, change: Change];

export function malformedVectors(): Json {
  return toJson(
    cases().map(([decoder, what, good, change]) => {
      const bytes = change(good);
      const result = DECODERS[decoder]?.(bytes);
      if (result === undefined || result.ok) throw new Error(`${decoder}, ${what}: not refused`);
      return { decoder, what, bytes, reason: result.reason };
    }),
  );
}

function cases(): Case[] {
  const datagrams = parts(datagramVectors());
  const [sealed] = list(envelopeVectors());
  const signed = parts(signedVectors());
  const signals = parts(signalVectors());
  const hello = bytesAt(datagrams, "hello", "datagram");
  const cookie = bytesAt(datagrams, "cookie", "datagram");
  const [data] = list(datagrams.data);
  const dataBytes = bytesAt(data, "datagram");
  const envelope = bytesAt(sealed, "envelope");
  const plaintext = bytesAt(sealed, "sealedBodyPlaintext");
  const [, record] = list(signed.records);
  const recordBytes = bytesAt(record, "record");
  const [publication] = list(signed.publications);
  const publicationBytes = bytesAt(publication, "publication");
  const description = bytesAt(signals, "offer", "descriptionBytes");
  const candidate = bytesAt(signals, "candidate", "candidateBytes");
  const frame = (name: string) =>
    bytesAt(
      list(frameVectors()).find((entry) => parts(entry).name === name),
      "body",
    );
  return [
    ["datagram", "empty", hello, replaceBy()],
    ["datagram", "28 bytes", dataBytes, (bytes) => bytes.subarray(0, 28)],
    ["datagram", "1,201 bytes", hello, longer],
    ["datagram", "a Hello of 1,199 bytes", hello, cut],
    ["datagram", "a Cookie of 38 bytes", cookie, longer],
    ["datagram", "a Welcome of 56 bytes", bytesAt(datagrams, "welcome", "datagram"), (bytes) => bytes.subarray(0, 56)],
    ["datagram", "a counter of 2^53", dataBytes, set(5, 0, 0x20, 0, 0, 0, 0, 0, 0)],
    ["datagram", "the first byte of DTLS", dataBytes, set(0, 22)],
    [
      "frames",
      "a header cut short",
      data === undefined ? hello : bytesAt(data, "frames"),
      (bytes) => bytes.subarray(0, 2),
    ],
    ["frames", "a body cut short", bytesAt(data, "frames"), cut],
    ["frames", "a reliable frame without a whole number", hello, replaceBy(0x86, 0, 0, 1, 2, 3)],
    [
      "hello-payload",
      "a Lookup longer than what is there",
      bytesAt(datagrams, "hello", "payloadBytes"),
      set(14, 0xff, 0xff),
    ],
    ["hello-payload", "cut short", bytesAt(datagrams, "hello", "payloadBytes"), cut],
    ["hello-payload", "bytes behind the Lookup", bytesAt(datagrams, "hello", "payloadBytes"), set(-1, 1)],
    ["welcome-payload", "bytes behind the Nodes", bytesAt(datagrams, "welcome", "payloadBytes"), longer],
    ["welcome-payload", "cut short", bytesAt(datagrams, "welcome", "payloadBytes"), cut],
    ["envelope", "class 6", envelope, set(0, 6)],
    ["envelope", "one byte too many", envelope, longer],
    ["envelope", "a recipient of low order", envelope, zeros(1, 33)],
    ["sealed-body", "padding that is not zeros", plaintext, set(-1, 1)],
    ["sealed-body", "a class larger than need be", plaintext, (bytes) => Uint8Array.from([...bytes, ...fill(256, 0)])],
    ["sealed-body", "no class", plaintext, longer],
    ["sealed-body", "kind 4", plaintext, set(16, 4)],
    ["sealed-body", "expires before it was created", plaintext, zeros(39, 45)],
    ["sealed-body", "lives longer than ten minutes", plaintext, set(39, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)],
    ["sealed-body", "a request id in a message", plaintext, set(61, ...fill(16, 9))],
    ["sealed-body", "a topic of 129 bytes", plaintext, set(77, 129)],
    ["sealed-body", "a topic that is not UTF-8", plaintext, set(80, 0xff)],
    ["sealed-body", "content longer than what is there", plaintext, set(78, 0xea, 0x60)],
    ["record", "role 2", recordBytes, set(38, 2)],
    ["record", "five addresses", recordBytes, set(39, 5)],
    ["record", "an address of family 5", recordBytes, set(40, 5)],
    ["record", "port 0", recordBytes, set(45, 0, 0)],
    ["record", "one byte too many", recordBytes, longer],
    ["publication", "an origin of low order", publicationBytes, zeros(0, 32)],
    ["publication", "a topic that is not UTF-8", publicationBytes, set(119, 0xff)],
    ["publication", "cut short", publicationBytes, cut],
    ["publication", "one byte too many", publicationBytes, longer],
    ["description", "setup 3", description, set(0, 3)],
    ["description", "a ufrag of 3 characters", description, set(1, 3)],
    ["description", "a line feed in the ufrag", description, set(2, 10)],
    ["description", "eleven candidates", description, set(61, 11)],
    ["description", "one byte too many", description, longer],
    ["candidate", "type 4", candidate, set(0, 4)],
    [
      "candidate",
      "an IPv4 address dressed up as IPv6",
      candidate,
      replaceBy(0, 6, ...fill(10, 0), 255, 255, 1, 2, 3, 4, 0, 80),
    ],
    ["candidate", "one byte too many", candidate, longer],
    ["signal", "empty", candidate, replaceBy()],
    ["signal", "type 6", candidate, replaceBy(6)],
    ["signal", "an Intent with more behind it", candidate, replaceBy(1, 0)],
    ["signal", "an Offer of 99 bytes", candidate, replaceBy(2, ...fill(99, 0))],
    ["signal", "an Answer without its tag", candidate, replaceBy(3, 1, 2)],
    ["body of send", "25 hops", frame("send"), set(0, 25)],
    ["body of send", "5 steps that were none", frame("send"), set(1, 10)],
    ["body of sendAck", "25 hops", frame("send-ack"), set(16, 25)],
    ["body of sendAck", "cut short", frame("send-ack"), cut],
    ["body of sendFail", "reason 11", frame("send-fail"), set(32, 11)],
    ["body of sendFail", "`full` without its proof", frame("send-fail"), set(32, 7)],
    ["body of direct", "one byte too many", frame("direct"), longer],
    ["body of directAck", "result 3", frame("direct-ack"), set(16, 3)],
    ["body of announce", "flag bit 1", frame("announce"), set(0, 2)],
    ["body of lookup", "cut short", frame("lookup"), cut],
    ["body of nodes", "nine contacts", frame("nodes"), set(5, 9)],
    ["body of nodes", "flag bit 1", frame("nodes"), set(4, 2)],
    ["body of dialBack", "what 2", frame("dial-back"), set(0, 2)],
    ["body of dialBack", "one byte too many", frame("dial-back"), longer],
    ["body of dialBack", "a contact cut short", frame("dial-back"), replaceBy(1, ...fill(38, 9))],
    ["body of publish", "33 hops", frame("publish"), set(0, 33)],
    ["body of publish", "flag bit 1", frame("publish"), set(1, 2)],
    ["body of have", "no ids", frame("have"), replaceBy(0)],
    ["body of have", "65 ids", frame("have"), replaceBy(65, ...fill(520, 0))],
    ["body of want", "one id less than it says", frame("want"), set(0, 2)],
    ["body of graft", "not empty", frame("graft"), longer],
    ["body of pong", "nine contacts", frame("pong"), set(33, 9)],
    ["body of bye", "reason 4", frame("bye"), replaceBy(4)],
  ];
}

type Parts = { readonly [key: string]: Json };

function parts(value: Json | undefined): Parts {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new TypeError("no object");
  return value as Parts;
}

function list(value: Json | undefined): readonly Json[] {
  if (!Array.isArray(value)) throw new TypeError("no list");
  return value;
}

function bytesAt(value: Json | undefined, ...path: string[]): Uint8Array {
  let at = value;
  for (const key of path) at = parts(at)[key];
  const bytes = typeof at === "string" ? hexToBytes(at, at.length / 2) : undefined;
  if (bytes === undefined) throw new TypeError(`no bytes at ${path.join(".")}`);
  return bytes;
}
