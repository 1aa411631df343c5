import { identityFromSeed } from "@starling/crypto-identity";
import {
  type DecodeResult,
  decodeDatagram,
  decodeEnvelope,
  decodeMessage,
  type Envelope,
  encodeDataHeader,
  encodeEnvelope,
  encodeMessage,
  FRAME_KIND,
  frameSizeBytes,
  type MessageBody,
  readFrames,
  writeFrame,
} from "@starling/wire-protocol";
import { Packr, pack, unpack } from "msgpackr";
import { type Figure, median, number } from "./figure.ts";
import { race, ratios } from "./race.ts";
import { versionOf } from "./version-of.ts";

// The envelope of a unicast with a box of 512 bytes, as an object and as bytes: ours beside msgpackr (plain objects, and its fastest
// way, records of a shared structure) and beside JSON with hex, which the gateway before us used. Each of 64 different ones to 16
// keys in turn, all fields on both sides, so that nothing can be left out.

const ROUNDS = 25;
const ROUND_MS = 60;
const MESSAGES = 64;
const TURNS = 20;
const OPERATIONS = MESSAGES * TURNS;

const recipients = Array.from({ length: 16 }, (_, i) => identityFromSeed(new Uint8Array(32).fill(i + 2)).id);
const recipientOf = (i: number) => recipients[i % recipients.length] ?? identityFromSeed(bytes(32, i)).id;
const bytes = (sizeBytes: number, seed: number) =>
  Uint8Array.from({ length: sizeBytes }, (_, i) => (i * 31 + seed) & 0xff);
const envelopes: readonly Envelope[] = Array.from({ length: MESSAGES }, (_, i) => ({
  recipient: recipientOf(i),
  lock: bytes(32, i),
  timestampMs: 1_767_225_600_000 + i,
  effort: 32_768 + i,
  nonce: bytes(8, i),
  sealedBody: bytes(512, i),
}));
const records = new Packr({ structures: [] });

type Hexed = Omit<Envelope, "lock" | "nonce" | "sealedBody"> & { lock: string; nonce: string; sealedBody: string };

function toJson(envelope: Envelope): string {
  const hex = (part: Uint8Array) => Buffer.from(part.buffer, part.byteOffset, part.length).toString("hex");
  const { lock, nonce, sealedBody } = envelope;
  return JSON.stringify({ ...envelope, lock: hex(lock), nonce: hex(nonce), sealedBody: hex(sealedBody) });
}

function fromJson(text: string): Envelope {
  const hexed = JSON.parse(text) as Hexed;
  const unhex = (part: string) => Buffer.from(part, "hex");
  return { ...hexed, lock: unhex(hexed.lock), nonce: unhex(hexed.nonce), sealedBody: unhex(hexed.sealedBody) };
}

/** One candidate: every input in turn; the result is looked at, so that none is left out. */
function over<T>(inputs: readonly T[], run: (input: T) => unknown): { run: () => void; operations: number } {
  return {
    operations: OPERATIONS,
    run() {
      for (let turn = 0; turn < TURNS; turn += 1)
        for (const input of inputs) if (run(input) === undefined) throw new Error("nothing");
    },
  };
}

export async function wire(progress: (done: number, of: number) => void): Promise<Figure[]> {
  const encoded = envelopes.map(encodeEnvelope);
  const packed = envelopes.map((envelope) => pack(envelope));
  const recorded = envelopes.map((envelope) => records.pack(envelope));
  const texts = envelopes.map(toJson);
  const { rates } = await race(
    {
      encode: over(envelopes, encodeEnvelope),
      pack: over(envelopes, pack),
      packRecords: over(envelopes, (envelope) => records.pack(envelope)),
      stringify: over(envelopes, toJson),
      decode: over(encoded, decodeEnvelope),
      unpack: over(packed, (input) => unpack(input) as Envelope),
      unpackRecords: over(recorded, (input) => records.unpack(input) as Envelope),
      parse: over(texts, fromJson),
    },
    { rounds: ROUNDS, roundMs: ROUND_MS, progress: (done) => progress(done, 2 * (ROUNDS + 1)) },
  );
  const beside = (name: string, ours: keyof typeof rates, peer: keyof typeof rates, atLeast?: number): Figure => ({
    name,
    unit: "x",
    samples: ratios(rates[ours], rates[peer]),
    ...(atLeast === undefined ? {} : { target: { atLeast } }),
    ours: `${number(median(rates[ours]) / 1e6)} M/s`,
    peer: `${number(median(rates[peer]) / 1e6)} M/s`,
  });
  return [
    beside(`envelope encoded, beside ${versionOf("msgpackr")} with plain objects`, "encode", "pack", 5),
    beside("envelope decoded, beside msgpackr with plain objects", "decode", "unpack", 5),
    beside("envelope encoded, beside msgpackr with records", "encode", "packRecords"),
    beside("envelope decoded, beside msgpackr with records", "decode", "unpackRecords"),
    beside("envelope encoded, beside JSON and hex", "encode", "stringify", 8),
    beside("envelope decoded, beside JSON and hex", "decode", "parse", 8),
    ...(await refusals((done) => progress(ROUNDS + 1 + done, 2 * (ROUNDS + 1)))),
    ...overheads(),
  ];
}

const body: MessageBody = {
  kind: "message",
  messageId: bytes(16, 1),
  createdMs: 1_767_225_600_000,
  expiresMs: 1_767_225_610_000,
  stream: bytes(8, 1),
  seq: 1,
  lowestUnsettledSeq: 1,
  requestId: bytes(16, 0),
  topic: "news",
  content: bytes(512, 3),
};

type Pair = readonly [
  name: string,
  decode: (input: Uint8Array) => DecodeResult<unknown>,
  good: Uint8Array,
  bad: Uint8Array[],
];

/** What a malformed input costs beside a good one: it must not pay to send the former. */
async function refusals(progress: (done: number) => void): Promise<Figure[]> {
  const [first] = envelopes;
  if (first === undefined) throw new Error("no envelope");
  const envelope = encodeEnvelope(first);
  const direct = encodeMessage({ type: "direct", body });
  const ack = encodeMessage({ type: "send-ack", t: bytes(16, 1), hops: 2 });
  const data = Uint8Array.from([...encodeDataHeader(1, 2), ...bytes(616, 1)]);
  const frames = new Uint8Array(frameSizeBytes(ack.kind, ack.body.length) * 2);
  writeFrame(frames, writeFrame(frames, 0, { ...ack, number: 1 }), { ...ack, number: 2 });
  const at = (input: Uint8Array, offset: number, ...values: number[]) => {
    const copy = input.slice();
    copy.set(values, offset);
    return copy;
  };
  const pairs: Pair[] = [
    ["Data", decodeDatagram, data, [at(data, 0, 7), at(data, 5, 255), data.subarray(0, 28)]],
    ["frames", readFrames, frames, [at(frames, 1, 255), frames.subarray(1), frames.subarray(0, -1)]],
    [
      "envelope",
      decodeEnvelope,
      envelope,
      [at(envelope, 0, 9), at(envelope, 1, ...bytes(32, 1).fill(0)), envelope.subarray(1)],
    ],
    [
      "SendAck",
      (input) => decodeMessage({ kind: FRAME_KIND.sendAck, body: input }),
      ack.body,
      [at(ack.body, 16, 25), ack.body.subarray(1)],
    ],
    [
      "Direct",
      (input) => decodeMessage({ kind: FRAME_KIND.direct, body: input }),
      direct.body,
      [at(direct.body, 0, 4), at(direct.body, 23, 255), at(direct.body, 64, 255), direct.body.subarray(0, -1)],
    ],
  ];
  const candidates: Record<string, { run: () => void; operations: number }> = {};
  const bads: Record<string, string[]> = {};
  for (const [name, decode, good, malformed] of pairs) {
    if (!decode(good).ok || malformed.some((input) => decode(input).ok)) throw new Error(`${name}: wrong samples`);
    candidates[`${name} good`] = over(
      Array.from({ length: MESSAGES }, () => good),
      decode,
    );
    bads[name] = malformed.map((input, i) => {
      candidates[`${name} bad ${i}`] = over(
        Array.from({ length: MESSAGES }, () => input),
        decode,
      );
      return `${name} bad ${i}`;
    });
  }
  const { rates } = await race(candidates, { rounds: ROUNDS, roundMs: ROUND_MS / 3, progress });
  return pairs.map(([name]) => {
    const good = rates[`${name} good`] ?? [];
    // The worst of the malformed ones: not of each round, which would be whichever the machine's noise fell on.
    const [samples = []] = (bads[name] ?? [])
      .map((bad) => ratios(good, rates[bad] ?? []))
      .toSorted((a, b) => median(b) - median(a));
    return {
      name: `${name}: a malformed one refused, beside a good one taken`,
      unit: "x",
      samples,
      target: { atMost: 1 },
    };
  });
}

/** Bytes on the wire beside what is carried. */
function overheads(): Figure[] {
  const [envelope] = envelopes;
  if (envelope === undefined) throw new Error("no envelope");
  const encodedEnvelope = encodeEnvelope(envelope);
  const send = encodeMessage({ type: "send", hops: 0, last: false, nonImproving: 0, envelope, encodedEnvelope });
  const beside = frameSizeBytes(send.kind, send.body.length) - envelope.sealedBody.length;
  return [
    {
      name: "Data beside its frames",
      unit: "B",
      samples: [encodeDataHeader(0, 0).length + 16],
      target: { atMost: 32 },
    },
    { name: "Send beside its sealed body", unit: "B", samples: [beside], target: { atMost: 100 } },
    {
      name: "envelope",
      unit: "B",
      samples: [encodedEnvelope.length],
      ours: `${encodedEnvelope.length} B`,
      peer: `msgpackr: ${pack(envelope).length} B`,
    },
  ];
}
