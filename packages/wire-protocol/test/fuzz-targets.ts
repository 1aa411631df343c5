// What `npm run fuzz` feeds to the decoders of this package. A target takes an input or refuses it, and throws where a promise
// is broken: a decoder that throws, or a value that does not encode to the bytes it was decoded from.
import { readFileSync } from "node:fs";
import { nodeIdToBytes } from "@starling/crypto-identity";
import {
  COOKIE,
  canonicalIp,
  DATA,
  type Datagram,
  type DecodeResult,
  decodeAck,
  decodeCandidate,
  decodeChannelMessage,
  decodeDatagram,
  decodeDescription,
  decodeEnvelope,
  decodeHelloPayload,
  decodeMessage,
  decodeNodeRecord,
  decodePublication,
  decodeSealedBody,
  decodeSignal,
  decodeSignalPayload,
  decodeWelcomePayload,
  encodeAck,
  encodeCandidate,
  encodeChannelHello,
  encodeCookie,
  encodeDataHeader,
  encodeDescription,
  encodeEnvelope,
  encodeHello,
  encodeHelloPayload,
  encodeMessage,
  encodePong,
  encodeSealedBody,
  encodeSignal,
  encodeSignalPayload,
  encodeWelcome,
  encodeWelcomePayload,
  FRAME_KIND,
  formatAddress,
  frameSizeBytes,
  HELLO,
  HELLO_MAC1_OFFSET,
  hexToBytes,
  type NodeRecord,
  type Publication,
  parseAddress,
  readFrames,
  setHelloCookie,
  WELCOME,
  WireError,
  writeFrame,
} from "../src/index.ts";

export type FuzzTarget = {
  readonly name: string;
  /** Good inputs; each must be taken. */
  readonly corpus: readonly Uint8Array[];
  readonly maxBytes?: number;
  readonly run: (bytes: Uint8Array) => boolean;
};

const vectors = (file: string): unknown =>
  JSON.parse(readFileSync(new URL(`../vectors/${file}`, import.meta.url), "utf8"));
const unhex = (text: string) => hexToBytes(text, text.length / 2) ?? new Uint8Array(0);

/** Every value under one of these keys, anywhere in a file of vectors. */
function collect(file: string, ...keys: string[]): Uint8Array[] {
  const found: Uint8Array[] = [];
  const visit = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    for (const [key, part] of Object.entries(value)) {
      if (typeof part === "string" && keys.includes(key)) found.push(unhex(part));
      else visit(part);
    }
  };
  visit(vectors(file));
  return found;
}

const utf8 = new TextEncoder();
const frames = vectors("frames.json") as { name: string; kind: number; body: string }[];
const bodiesOf = (kind: number, name?: string) =>
  frames.filter((frame) => frame.kind === kind && (name ?? frame.name) === frame.name).map(({ body }) => unhex(body));

function canonical<T>(
  name: string,
  corpus: readonly Uint8Array[],
  decode: (bytes: Uint8Array) => DecodeResult<T>,
  encode: (value: T) => Uint8Array,
  maxBytes = 2048,
): FuzzTarget {
  return {
    name,
    corpus,
    maxBytes,
    run(bytes) {
      const result = decode(bytes);
      if (!result.ok) {
        if (typeof result.reason !== "string") throw new Error("refused without a reason");
        return false;
      }
      if (Buffer.compare(encode(result.value), bytes) !== 0) throw new Error("decoded, and encodes to other bytes");
      return true;
    },
  };
}

const KINDS = Object.entries(FRAME_KIND).filter(([, kind]) => kindHasMessage(kind));

function kindHasMessage(kind: number): boolean {
  const result = decodeMessage({ kind, body: new Uint8Array(0) });
  return result.ok || result.reason !== "unknown-kind";
}

const messageTargets = KINDS.map(([name, kind]) =>
  canonical(
    `message ${name}`,
    bodiesOf(kind, kind === FRAME_KIND.pong ? "pong" : undefined),
    (body) => decodeMessage({ kind, body }),
    (message) => (message.type === "pong" ? encodePong(message) : encodeMessage(message).body),
  ),
);

function encodeDatagram(datagram: Datagram): Uint8Array {
  switch (datagram.kind) {
    case HELLO: {
      const bytes = encodeHello(datagram.senderIndex, datagram.message);
      bytes.set(datagram.mac1, HELLO_MAC1_OFFSET);
      setHelloCookie(bytes, datagram.cookie);
      return bytes;
    }
    case WELCOME:
      return encodeWelcome(datagram.senderIndex, datagram.receiverIndex, datagram.message);
    case COOKIE:
      return encodeCookie(datagram.receiverIndex, datagram.mac1, datagram.cookie);
    case DATA: {
      const bytes = new Uint8Array(13 + datagram.ciphertext.length);
      bytes.set(encodeDataHeader(datagram.receiverIndex, datagram.counter));
      bytes.set(datagram.ciphertext, 13);
      return bytes;
    }
  }
}

function encodeFrames(list: readonly { kind: number; number: number | undefined; body: Uint8Array }[]): Uint8Array {
  const bytes = new Uint8Array(list.reduce((sum, { kind, body }) => sum + frameSizeBytes(kind, body.length), 0));
  let at = 0;
  for (const frame of list) at = writeFrame(bytes, at, frame);
  return bytes;
}

/** From the fields, but for the signature: these are only ever made whole, by who signs them. */
function encodeRecord({ id, sequence, role, addresses, encoded }: NodeRecord): Uint8Array {
  const listed = addresses.flatMap((address) => [...encodeCandidate({ type: "host", address }).subarray(1)]);
  const head = [...nodeIdToBytes(id), ...u48(sequence), role === "relay" ? 1 : 0, addresses.length];
  return Uint8Array.from([...head, ...listed, ...encoded.subarray(-64)]);
}

function encodePublication({ origin, timestampMs, effort, nonce, topic, content, encoded }: Publication): Uint8Array {
  const head = [...nodeIdToBytes(origin), ...u48(timestampMs), ...u48(effort), ...nonce, ...encoded.subarray(52, 116)];
  const topicBytes = utf8.encode(topic);
  return Uint8Array.from([
    ...head,
    topicBytes.length,
    content.length >> 8,
    content.length & 0xff,
    ...topicBytes,
    ...content,
  ]);
}

function u48(value: number): number[] {
  return [40, 32, 24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256);
}

const framesCorpus = [...collect("frames.json", "frame"), ...collect("datagrams.json", "frames")];
const datagrams = collect("datagrams.json", "datagram", "helloWithCookie");
const records = collect("datagrams.json", "record");

export const targets: readonly FuzzTarget[] = [
  canonical("datagram", datagrams, decodeDatagram, encodeDatagram, 1300),
  canonical(
    "message of a channel",
    [...records, ...datagrams.filter(([kind]) => kind === DATA)],
    (bytes) => decodeChannelMessage(bytes, 16_384),
    (message) =>
      message.kind === HELLO ? encodeChannelHello(message.senderIndex, message.message) : encodeDatagram(message),
    17_000,
  ),
  canonical("frames", framesCorpus, readFrames, encodeFrames),
  ...messageTargets,
  {
    name: "message of any kind",
    corpus: framesCorpus.filter((bytes) => readFrames(bytes).ok),
    run(bytes) {
      const read = readFrames(bytes);
      if (!read.ok) return false;
      for (const frame of read.value) decodeMessage(frame);
      return true;
    },
  },
  canonical("ack", bodiesOf(FRAME_KIND.ack), decodeAck, encodeAck),
  canonical(
    "payload of a Hello",
    collect("datagrams.json", "payloadBytes").slice(0, 1),
    decodeHelloPayload,
    encodeHelloPayload,
  ),
  canonical(
    "payload of a Welcome",
    collect("datagrams.json", "payloadBytes").slice(1),
    decodeWelcomePayload,
    encodeWelcomePayload,
  ),
  canonical("envelope", collect("envelopes.json", "envelope"), decodeEnvelope, encodeEnvelope),
  canonical("sealed body", collect("envelopes.json", "sealedBodyPlaintext"), decodeSealedBody, encodeSealedBody),
  canonical("record", collect("signed.json", "record"), decodeNodeRecord, encodeRecord),
  canonical("publication", collect("signed.json", "publication"), decodePublication, encodePublication),
  canonical("description", collect("signals.json", "descriptionBytes"), decodeDescription, encodeDescription),
  canonical("signal", collect("signals.json", "content"), decodeSignal, encodeSignal),
  canonical("payload of a signal", collect("signals.json", "payloadBytes"), decodeSignalPayload, encodeSignalPayload),
  canonical("candidate", collect("signals.json", "candidateBytes"), decodeCandidate, encodeCandidate),
  {
    name: "address, as text",
    corpus: ["192.0.2.1:4000", "[2001:db8::1]:65535", "[::ffff:192.0.2.1]:1", "[::]:9"].map((text) =>
      utf8.encode(text),
    ),
    maxBytes: 80,
    run(bytes) {
      const text = String.fromCharCode(...bytes);
      canonicalIp(text);
      try {
        const address = parseAddress(text);
        const again = parseAddress(formatAddress(address));
        if (again.ip !== address.ip || again.port !== address.port) throw new Error("two texts for one address");
        return true;
      } catch (error) {
        if (error instanceof WireError && error.code === "E_BAD_ADDRESS") return false;
        throw error;
      }
    },
  },
];
