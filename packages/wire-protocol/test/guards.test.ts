// Hot frames are checked by hand; the exported schemas say the same, and this holds the one to the other.
import { describe, expect, test } from "@jest/globals";
import { identityFromSeed, nodeIdFromBytes } from "@starling/crypto-identity";
import fc from "fast-check";
import {
  decodeEnvelope,
  decodeMessage,
  type Envelope,
  encodeEnvelope,
  encodeMessage,
  envelopeSchema,
  FRAME_KIND,
  type MessageBody,
  messageBodySchema,
  SEALED_BODY_SIZES,
  sendAckSchema,
  sendSchema,
  WireError,
} from "../src/index.ts";

const BOB = identityFromSeed(new Uint8Array(32).fill(2)).id;
const bytes = (sizeBytes: number) =>
  fc.uint8Array({ minLength: sizeBytes, maxLength: sizeBytes }).map((part) => new Uint8Array(part));
/** Good in most cases, else every other envelope would fall by several fields at once. */
const around = (sizeBytes: number) =>
  fc.oneof({ arbitrary: bytes(sizeBytes), weight: 6 }, bytes(sizeBytes - 1), bytes(sizeBytes + 1));
const integers = fc.oneof(
  { arbitrary: fc.nat(2 ** 31 - 1), weight: 6 },
  fc.constantFrom(0, 1, 2 ** 24, 2 ** 32, 2 ** 48 - 1, 2 ** 48, -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY),
  fc.maxSafeNat(),
);
const anyEnvelope = fc.record({
  recipient: fc.oneof(
    { arbitrary: fc.constant(BOB), weight: 6 },
    fc.constantFrom("", "0".repeat(64), BOB.toUpperCase(), `${BOB.slice(2)}zz`),
  ),
  lock: around(32),
  timestampMs: integers,
  effort: integers,
  nonce: around(8),
  sealedBody: fc
    .constantFrom(256, 512, 1024, 256, 512, 1024, 0, 255, 257)
    .map((sizeBytes) => new Uint8Array(sizeBytes)),
});

describe("an envelope", () => {
  test("is encoded exactly where its schema takes it, and comes back the same", () => {
    let taken = 0;
    const property = fc.property(anyEnvelope, (fields) => {
      const envelope = fields as Envelope;
      const isGood = envelopeSchema.safeParse(envelope).success;
      if (!isGood) return expect(() => encodeEnvelope(envelope)).toThrow();
      taken += 1;
      expect(decodeEnvelope(encodeEnvelope(envelope))).toEqual({ ok: true, value: envelope });
    });
    fc.assert(property, { seed: 2, numRuns: 2000 });
    expect(taken).toBeGreaterThan(100);
  });

  test("is decoded exactly where its parts pass the schema", () => {
    const head = fc.tuple(fc.nat(7), fc.oneof(fc.constant(Buffer.from(BOB, "hex")), bytes(32)), bytes(52));
    fc.assert(
      fc.property(head, fc.constantFrom(256, 255, 512), ([sizeClass, id, rest], size) => {
        const encoded = Uint8Array.from([sizeClass, ...id, ...rest, ...new Uint8Array(size)]);
        const view = Buffer.from(encoded);
        const schema = envelopeSchema.safeParse({
          recipient: nodeIdFromBytes(encoded.subarray(1, 33)),
          lock: encoded.subarray(33, 65),
          timestampMs: view.readUIntBE(65, 6),
          effort: view.readUIntBE(71, 6),
          nonce: encoded.subarray(77, 85),
          sealedBody: encoded.subarray(85),
        });
        const isClass = SEALED_BODY_SIZES[sizeClass] === size;
        expect(decodeEnvelope(encoded).ok).toBe(schema.success && isClass);
      }),
      { seed: 3, numRuns: 2000 },
    );
  });
});

test("a Send is what its schema says", () => {
  const encodedEnvelope = encodeEnvelope({
    recipient: BOB,
    lock: new Uint8Array(32),
    timestampMs: 1,
    effort: 2,
    nonce: new Uint8Array(8),
    sealedBody: new Uint8Array(256),
  });
  fc.assert(
    fc.property(fc.nat(40), fc.nat(40), (hops, flags) => {
      const body = Uint8Array.from([hops, flags, ...encodedEnvelope]);
      const read = decodeMessage({ kind: FRAME_KIND.send, body });
      expect(read.ok).toBe(hops <= 24 && flags >> 1 <= 4);
      if (!read.ok) return;
      expect(sendSchema.safeParse(read.value).success).toBe(true);
      expect(read.value.type === "send" && encodeMessage(read.value).body).toEqual(body);
    }),
    { seed: 4, numRuns: 500 },
  );
});

describe("a message body", () => {
  const anyBody = fc.record({
    kind: fc.oneof(
      { arbitrary: fc.constantFrom("message", "request", "reply", "signal"), weight: 9 },
      fc.constant("x"),
    ),
    messageId: around(16),
    createdMs: integers,
    expiresMs: integers,
    stream: around(8),
    seq: integers,
    lowestUnsettledSeq: integers,
    requestId: fc.oneof({ arbitrary: fc.constant(new Uint8Array(16)), weight: 4 }, around(16)),
    topic: fc.oneof(fc.string({ maxLength: 130 }), fc.string({ unit: "grapheme", maxLength: 64 })),
    content: fc.uint8Array({ maxLength: 300 }).map((part) => new Uint8Array(part)),
  });
  const shortLived = fc.tuple(anyBody, fc.integer({ min: -5, max: 600_005 })).map(([body, lifeMs]) => ({
    ...body,
    expiresMs: body.createdMs + lifeMs,
  }));

  test("is encoded exactly where its schema takes it, and comes back the same", () => {
    let taken = 0;
    const property = fc.property(fc.oneof({ arbitrary: shortLived, weight: 9 }, anyBody), (fields) => {
      const body = fields as MessageBody;
      const isGood = messageBodySchema.safeParse(body).success;
      if (!isGood) return expect(() => encodeMessage({ type: "direct", body })).toThrow(WireError);
      taken += 1;
      expect(decodeMessage(encodeMessage({ type: "direct", body }))).toEqual({
        ok: true,
        value: { type: "direct", body },
      });
    });
    fc.assert(property, { seed: 7, numRuns: 3000 });
    expect(taken).toBeGreaterThan(100);
  });

  test("that is read obeys its schema", () => {
    fc.assert(
      fc.property(bytes(64), fc.nat(5), fc.integer({ min: -5, max: 600_005 }), (head, kind, lifeMs) => {
        const body = Buffer.from(head);
        body[0] = kind;
        body.writeUIntBE(Math.max(0, Math.min(body.readUIntBE(17, 6) + lifeMs, 2 ** 48 - 1)), 23, 6);
        // Zeros in most, or else nothing but a reply would be read.
        if (kind !== 2 && lifeMs % 10 !== 0) body.fill(0, 45, 61);
        body.fill(0, 61);
        const read = decodeMessage({ kind: FRAME_KIND.direct, body: new Uint8Array(body) });
        const createdMs = body.readUIntBE(17, 6);
        const aliveMs = body.readUIntBE(23, 6) - createdMs;
        const isWhole = kind === 2 || body.subarray(45, 61).every((byte) => byte === 0);
        expect(read.ok).toBe(kind < 4 && isWhole && aliveMs >= 0 && aliveMs <= 600_000);
        if (read.ok && read.value.type === "direct") {
          expect(messageBodySchema.safeParse(read.value.body).success).toBe(true);
        }
      }),
      { seed: 8, numRuns: 1000 },
    );
  });
});

test.each([
  ["x".repeat(128), true],
  ["x".repeat(129), false],
  ["ä".repeat(64), true],
  [`${"ä".repeat(64)}x`, false],
  ["🐦".repeat(32), true],
  ["🐦".repeat(33), false],
])("a topic is measured in bytes: %s", (topic, isGood) => {
  const body: MessageBody = {
    kind: "message",
    messageId: new Uint8Array(16),
    createdMs: 1,
    expiresMs: 2,
    stream: new Uint8Array(8),
    seq: 0,
    lowestUnsettledSeq: 0,
    requestId: new Uint8Array(16),
    topic,
    content: new Uint8Array(1),
  };
  expect(messageBodySchema.safeParse(body).success).toBe(isGood);
  const encode = () => encodeMessage({ type: "direct", body });
  if (isGood) expect(decodeMessage(encode())).toEqual({ ok: true, value: { type: "direct", body } });
  else expect(encode).toThrow(expect.objectContaining({ code: "E_TOO_LARGE", limitBytes: 128 }));
});

test("a SendAck is what its schema says", () => {
  fc.assert(
    fc.property(around(16), fc.nat(40), (t, hops) => {
      const body = Uint8Array.from([...t, hops]);
      const read = decodeMessage({ kind: FRAME_KIND.sendAck, body });
      expect(read.ok).toBe(sendAckSchema.safeParse({ type: "send-ack", t, hops }).success);
      if (read.ok) expect(read.value).toEqual({ type: "send-ack", t, hops });
    }),
    { seed: 5, numRuns: 500 },
  );
});

test("a topic is exactly what a strict decoder takes", () => {
  const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const piece = fc.oneof(
    fc.constantFrom(
      "ef bf bd",
      "ef bf be",
      "c0 80",
      "ed a0 80",
      "f4 90 80 80",
      "ef bb bf",
      "e2 82",
      "c3 a9",
      "f0 9f 90 a6",
    ),
    fc.constantFrom("61", "00", "80", "ff"),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 4 }), (pieces) => {
      const topic = Buffer.from(pieces.join("").replaceAll(" ", ""), "hex");
      let text: string | undefined;
      try {
        text = strict.decode(topic);
      } catch {
        text = undefined;
      }
      const head = [0, ...new Uint8Array(60), topic.length, 0, 0];
      const read = decodeMessage({ kind: FRAME_KIND.direct, body: Uint8Array.from([...head, ...topic]) });
      expect(read.ok && read.value.type === "direct" ? read.value.body.topic : undefined).toBe(text);
    }),
    { seed: 6, numRuns: 1000 },
  );
});
