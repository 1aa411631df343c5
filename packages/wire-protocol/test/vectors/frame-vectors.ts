// One frame of every kind, with what its body says.
import {
  type Contact,
  decodePublication,
  encodeAck,
  encodeEnvelope,
  encodeMessage,
  encodePong,
  FRAME_KIND,
  frameSizeBytes,
  isReliable,
  type Message,
  setPublicationStamp,
  signNodeRecord,
  signPublication,
  writeFrame,
} from "../../src/index.ts";
import { ALICE, BOB, count, fill, fixedRandom, type Json, NETWORK, toJson, utf8, WALL_MS } from "./actors.ts";

const CONTACTS: [Contact, Contact] = [
  { id: BOB.id, address: { ip: "192.0.2.9", port: 4000 } },
  { id: ALICE.id, address: { ip: "2001:db8::1", port: 65_535 } },
];
const OBSERVED = { ip: "198.51.100.7", port: 80 };
const BODY = {
  kind: "message" as const,
  messageId: count(16),
  createdMs: WALL_MS,
  expiresMs: WALL_MS + 600_000,
  stream: fill(8, 3),
  seq: 4,
  lowestUnsettledSeq: 3,
  requestId: fill(16, 0),
  topic: "täglich",
  content: utf8("hello"),
};

type Sample = { readonly name: string; readonly kind: number; readonly fields: unknown; readonly body: Uint8Array };

export function frameVectors(): Json {
  return toJson(samples().map((sample) => ({ ...sample, frame: encoded(sample.kind, sample.body) })));
}

/** The frame as it stands in a datagram; reliable ones carry the number 0x01020304. */
function encoded(kind: number, body: Uint8Array): Uint8Array {
  const target = new Uint8Array(frameSizeBytes(kind, body.length));
  writeFrame(target, 0, { kind, number: isReliable(kind) ? 0x0102_0304 : undefined, body });
  return target;
}

function samples(): Sample[] {
  const pong = {
    type: "pong" as const,
    echo: count(8),
    wallMs: WALL_MS,
    sendPrice: 2 ** 14,
    publishPrice: 2 ** 48 - 1,
    observed: OBSERVED,
    contacts: CONTACTS,
  };
  const large = Uint8Array.of(FRAME_KIND.direct, ...count(9));
  return [
    { name: "ping", kind: FRAME_KIND.ping, fields: { echo: count(8) }, body: count(8) },
    { name: "pong", kind: FRAME_KIND.pong, fields: fieldsOf(pong), body: encodePong(pong) },
    { name: "pong-of-a-channel", kind: FRAME_KIND.pong, fields: { echo: count(8) }, body: count(8) },
    ...messages().map(([name, message]) => ({ name, ...encodeMessage(message), fields: fieldsOf(message) })),
    ack({ lowest: 258, bitmap: Uint8Array.of(0x05, 0x80) }),
    ack({ lowest: 2 ** 32 - 1, bitmap: new Uint8Array(0) }),
    {
      name: "fragment",
      kind: FRAME_KIND.fragment,
      fields: { index: 0, count: 2, piece: large.subarray(0, 6) },
      body: Uint8Array.of(0, 2, ...large.subarray(0, 6)),
    },
    {
      name: "fragment",
      kind: FRAME_KIND.fragment,
      fields: { index: 1, count: 2, piece: large.subarray(6) },
      body: Uint8Array.of(1, 2, ...large.subarray(6)),
    },
    { name: "skip", kind: FRAME_KIND.skip, fields: {}, body: new Uint8Array(0) },
  ];
}

function ack(value: { readonly lowest: number; readonly bitmap: Uint8Array }): Sample {
  return { name: "ack", kind: FRAME_KIND.ack, fields: value, body: encodeAck(value) };
}

function messages(): [string, Exclude<Message, { type: "pong" }>][] {
  const record = signNodeRecord({
    identity: ALICE,
    network: NETWORK,
    sequence: WALL_MS,
    role: "relay",
    addresses: [OBSERVED],
    random: fixedRandom(0x33),
  });
  const envelope = {
    recipient: BOB.id,
    lock: fill(32, 0xaa),
    timestampMs: WALL_MS,
    effort: 2 ** 14,
    nonce: count(8),
    sealedBody: count(256),
  };
  const encodedEnvelope = encodeEnvelope(envelope);
  const signed = signPublication({
    identity: ALICE,
    network: NETWORK,
    timestampMs: WALL_MS,
    topic: "news",
    content: utf8("hello, all"),
    random: fixedRandom(0x33),
  });
  setPublicationStamp(signed, 2 ** 16, count(8));
  const publication = decodePublication(signed);
  if (!publication.ok) throw new Error(publication.reason);
  return [
    ["send", { type: "send", hops: 0, last: false, nonImproving: 0, envelope, encodedEnvelope }],
    ["send", { type: "send", hops: 24, last: true, nonImproving: 4, envelope, encodedEnvelope }],
    ["send-ack", { type: "send-ack", t: fill(16, 7), hops: 2 }],
    ["send-fail", { type: "send-fail", lock: fill(32, 6), reason: "stale", detail: WALL_MS, t: undefined }],
    ["send-fail", { type: "send-fail", lock: fill(32, 6), reason: "full", detail: 0, t: fill(16, 7) }],
    ["direct", { type: "direct", body: BODY }],
    ["direct-ack", { type: "direct-ack", messageId: count(16), result: "full" }],
    ["announce", { type: "announce", anchor: true, record }],
    ["lookup", { type: "lookup", query: 0xdead_beef, target: BOB.id }],
    ["nodes", { type: "nodes", query: 0xdead_beef, attached: true, contacts: CONTACTS }],
    ["nodes", { type: "nodes", query: 1, attached: false, contacts: [] }],
    ["dial-back", { type: "dial-back", what: "me", port: 0 }],
    ["dial-back", { type: "dial-back", what: "peer", contact: CONTACTS[1] }],
    ["publish", { type: "publish", hops: 32, wanted: true, publication: publication.value }],
    ["have", { type: "have", shortIds: ["0011223344556677", "8899aabbccddeeff"] }],
    ["want", { type: "want", shortIds: ["0011223344556677"] }],
    ["graft", { type: "graft" }],
    ["prune", { type: "prune" }],
    ["digest", { type: "digest", fromMs: WALL_MS, toMs: WALL_MS + 28_000, count: 3, combined: "8899aabbccddeeff" }],
    ["bye", { type: "bye", reason: "draining" }],
  ];
}

/** A message without what only repeats it: its type is the vector's name, whole encodings stand in its body. */
function fieldsOf(message: Message): unknown {
  const { type: _, encodedEnvelope: __, ...fields } = message as Message & { encodedEnvelope?: Uint8Array };
  for (const key of ["record", "publication"]) {
    const part = (fields as Record<string, { encoded: Uint8Array } | undefined>)[key];
    if (part !== undefined) {
      const { encoded: ___, ...rest } = part;
      return { ...fields, [key]: rest };
    }
  }
  return fields;
}
