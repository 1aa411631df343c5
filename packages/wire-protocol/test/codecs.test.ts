import { describe, expect, test } from "@jest/globals";
import type { NodeId } from "@starling/crypto-identity";
import { identityFromSeed, parseNodeId, protocolPrologue, sealBox } from "@starling/crypto-identity";
import fc from "fast-check";
import type { Candidate, Description, Message, Publication, Signal } from "../src/index.ts";
import {
  bytesToHex,
  canonicalIp,
  channelLabel,
  DATAGRAM_FRAMES_MAX_BYTES,
  decodeAck,
  decodeCandidate,
  decodeChannelMessage,
  decodeDatagram,
  decodeDescription,
  decodeEnvelope,
  decodeHelloPayload,
  decodeMessage,
  decodeNodeRecord,
  decodePong,
  decodePublication,
  decodeSealedBody,
  decodeSignal,
  decodeSignalPayload,
  decodeWelcomePayload,
  ENVELOPE_HEADER_BYTES,
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
  envelopeDigest,
  envelopeId,
  FRAME_KIND,
  formatAddress,
  frameSizeBytes,
  hexToBytes,
  lockOf,
  messageBodySchema,
  parseAddress,
  publicationDigest,
  publicationId,
  readFrames,
  SEALED_BODY_SIZES,
  setEnvelopeStamp,
  setPublicationStamp,
  signNodeRecord,
  signPublication,
  verifyNodeRecord,
  verifyPublication,
  WireError,
  writeFrame,
} from "../src/index.ts";

const ALICE = identityFromSeed(new Uint8Array(32).fill(1));
const BOB = identityFromSeed(new Uint8Array(32).fill(2));
const ALICE_HEX = ALICE.id;
const fill = (sizeBytes: number, byte: number) => new Uint8Array(sizeBytes).fill(byte);
const unhex = (text: string) => hexToBytes(text, text.length / 2) ?? new Uint8Array(0);

function readPublication(bytes: Uint8Array): Publication {
  const read = decodePublication(bytes);
  if (!read.ok) throw new Error(read.reason);
  return read.value;
}

const envelope = {
  recipient: BOB.id,
  lock: fill(32, 0xaa),
  timestampMs: 0x0102_0304_0506,
  effort: 0x0a0b_0c0d_0e0f,
  nonce: fill(8, 0xbb),
  sealedBody: fill(256, 0xcc),
};
const ENVELOPE_HEX = `00${BOB.id}${"aa".repeat(32)}0102030405060a0b0c0d0e0f${"bb".repeat(8)}${"cc".repeat(256)}`;

describe("messages, golden bytes both ways", () => {
  const record = signNodeRecord({
    identity: ALICE,
    network: "test",
    sequence: 7,
    role: "relay",
    addresses: [{ ip: "192.0.2.1", port: 4100 }],
    random: (sizeBytes) => fill(sizeBytes, 3),
  });
  const encodedPublication = signPublication({
    identity: ALICE,
    network: "test",
    timestampMs: 5,
    topic: "ne",
    content: fill(3, 13),
    random: (sizeBytes) => fill(sizeBytes, 3),
  });
  setPublicationStamp(encodedPublication, 11, fill(8, 12));
  const publication = readPublication(encodedPublication);
  const recordHex = `${ALICE_HEX}000000000007010104c00002011004${bytesToHex(record.encoded.subarray(-64))}`;
  const contactHex = `${BOB.id}0620010db80000000000000000000000011234`;
  const encodedEnvelope = encodeEnvelope(envelope);
  const table: [string, Message & { type: Exclude<Message["type"], "pong"> }, number, string][] = [
    [
      "send",
      { type: "send", hops: 3, last: true, nonImproving: 2, envelope, encodedEnvelope },
      FRAME_KIND.send,
      `0305${ENVELOPE_HEX}`,
    ],
    ["send-ack", { type: "send-ack", t: fill(16, 5), hops: 2 }, FRAME_KIND.sendAck, `${"05".repeat(16)}02`],
    [
      "send-fail",
      { type: "send-fail", lock: fill(32, 6), reason: "stale", detail: 9, t: undefined },
      FRAME_KIND.sendFail,
      `${"06".repeat(32)}03000000000009`,
    ],
    [
      "send-fail full",
      { type: "send-fail", lock: fill(32, 6), reason: "full", detail: 0, t: fill(16, 7) },
      FRAME_KIND.sendFail,
      `${"06".repeat(32)}07000000000000${"07".repeat(16)}`,
    ],
    ["announce", { type: "announce", anchor: true, record }, FRAME_KIND.announce, `01${recordHex}`],
    ["lookup", { type: "lookup", query: 1, target: BOB.id }, FRAME_KIND.lookup, `00000001${BOB.id}`],
    [
      "nodes",
      {
        type: "nodes",
        query: 1,
        attached: true,
        contacts: [{ id: BOB.id, address: parseAddress("[2001:db8::1]:4660") }],
      },
      FRAME_KIND.nodes,
      `000000010101${contactHex}`,
    ],
    ["dial-back me", { type: "dial-back", what: "me", port: 4660 }, FRAME_KIND.dialBack, "001234"],
    [
      "dial-back peer",
      { type: "dial-back", what: "peer", contact: { id: BOB.id, address: parseAddress("[2001:db8::1]:4660") } },
      FRAME_KIND.dialBack,
      `01${contactHex}`,
    ],
    [
      "direct-ack",
      { type: "direct-ack", messageId: fill(16, 1), result: "full" },
      FRAME_KIND.directAck,
      `${"01".repeat(16)}01`,
    ],
    [
      "publish",
      { type: "publish", hops: 4, wanted: true, publication },
      FRAME_KIND.publish,
      `0401${ALICE_HEX}00000000000500000000000b${"0c".repeat(8)}${bytesToHex(publication.encoded.subarray(52, 116))}0200036e650d0d0d`,
    ],
    [
      "have",
      { type: "have", shortIds: ["0011223344556677", "8899aabbccddeeff"] },
      FRAME_KIND.have,
      "0200112233445566778899aabbccddeeff",
    ],
    ["want", { type: "want", shortIds: ["0011223344556677"] }, FRAME_KIND.want, "010011223344556677"],
    ["graft", { type: "graft" }, FRAME_KIND.graft, ""],
    ["prune", { type: "prune" }, FRAME_KIND.prune, ""],
    [
      "digest",
      { type: "digest", fromMs: 5, toMs: 0x0102_0304_0506, count: 3, combined: "0011223344556677" },
      FRAME_KIND.digest,
      "00000000000501020304050600030011223344556677",
    ],
    ["bye", { type: "bye", reason: "draining" }, FRAME_KIND.bye, "02"],
  ];

  test.each(table)("%s", (_name, message, kind, hex) => {
    const frame = encodeMessage(message);
    expect(frame.kind).toBe(kind);
    expect(bytesToHex(frame.body)).toBe(hex);
    expect(decodeMessage(frame)).toEqual({ ok: true, value: message });
    // One byte string a value: nothing shorter or longer is taken for it.
    if (frame.body.length > 0) {
      expect(decodeMessage({ kind, body: frame.body.subarray(0, frame.body.length - 1) }).ok).toBe(false);
    }
    expect(decodeMessage({ kind, body: Uint8Array.from([...frame.body, 0]) }).ok).toBe(false);
  });

  test("pong", () => {
    const pong = {
      type: "pong" as const,
      echo: fill(8, 1),
      wallMs: 2,
      sendPrice: 3,
      publishPrice: 4,
      observed: { ip: "198.51.100.7", port: 80 },
      contacts: [],
    };
    const body = encodePong(pong);
    expect(bytesToHex(body)).toBe(`${"01".repeat(8)}00000000000200000000000300000000000404c6336407005000`);
    expect(decodePong(body)).toEqual({ ok: true, value: pong });
  });

  test("a record is believed only as it was signed, and only on its network", () => {
    const decoded = decodeNodeRecord(record.encoded);
    expect(decoded).toEqual({ ok: true, value: record });
    expect(verifyNodeRecord("test", record)).toBe(true);
    expect(verifyNodeRecord("another", record)).toBe(false);
    for (let at = 0; at < record.encoded.length; at += 1) {
      const forged = record.encoded.slice();
      forged[at] = (forged[at] ?? 0) ^ 1;
      const read = decodeNodeRecord(forged);
      expect(read.ok && verifyNodeRecord("test", read.value)).toBe(false);
    }
  });

  test("a publication is believed only as it was signed; its stamp is not part of that", () => {
    const believed = (bytes: Uint8Array, network = "test") => {
      const read = decodePublication(bytes);
      return read.ok && verifyPublication(read.value, publicationDigest(network, bytes));
    };
    expect(believed(publication.encoded)).toBe(true);
    expect(believed(publication.encoded, "another")).toBe(false);
    for (let at = 0; at < publication.encoded.length; at += 1) {
      const forged = publication.encoded.slice();
      forged[at] = (forged[at] ?? 0) ^ 1;
      expect(believed(forged)).toBe(at >= 38 && at < 52);
    }
    const tooLarge = { identity: ALICE, network: "test", timestampMs: 5, topic: "", random: (n: number) => fill(n, 3) };
    expect(() => signPublication({ ...tooLarge, content: fill(16_385, 0) })).toThrow(
      expect.objectContaining({ code: "E_TOO_LARGE", limitBytes: 16_384 }),
    );
    expect(publicationId(publicationDigest("test", publication.encoded))).toHaveLength(32);
  });

  test("an unknown kind is a reason, not a throw", () => {
    expect(decodeMessage({ kind: 0x7f, body: fill(4, 0) })).toEqual({ ok: false, reason: "unknown-kind" });
  });
});

describe("envelope", () => {
  test("golden bytes; the digest covers all but effort and nonce", () => {
    const encoded = encodeEnvelope(envelope);
    expect(bytesToHex(encoded)).toBe(ENVELOPE_HEX);
    expect(decodeEnvelope(encoded)).toEqual({ ok: true, value: envelope });
    const digest = bytesToHex(envelopeDigest("test", encoded));
    expect(digest).toBe("07c993461d82133b9d538d47f9abb523616c3a2790ba5c426035393f7d681db7");
    expect(envelopeId(envelopeDigest("test", encoded))).toBe(digest.slice(0, 32));
    expect(bytesToHex(envelopeDigest("other", encoded))).not.toBe(digest);
    for (let at = 0; at < encoded.length; at += 1) {
      const changed = encoded.slice();
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(bytesToHex(envelopeDigest("test", changed)) === digest).toBe(at >= 71 && at < ENVELOPE_HEADER_BYTES);
    }
    setEnvelopeStamp(encoded, 5, fill(8, 9));
    expect(decodeEnvelope(encoded)).toEqual({ ok: true, value: { ...envelope, effort: 5, nonce: fill(8, 9) } });
  });

  test("class 1024 with its frame is one datagram, and header and frame are at most 140 B", () => {
    const overheadBytes = frameSizeBytes(FRAME_KIND.send, 2 + ENVELOPE_HEADER_BYTES);
    expect(overheadBytes).toBe(94);
    expect(overheadBytes + 1024).toBeLessThanOrEqual(DATAGRAM_FRAMES_MAX_BYTES);
  });

  test("what is carried beside the content: Data 29 B, Send 94 B, the sealed box 96 B and padding", () => {
    const frames = new Uint8Array(0);
    expect(encodeDataHeader(1, 2).length + frames.length + 16).toBe(29);
    const send = encodeMessage({
      type: "send",
      hops: 0,
      last: false,
      nonImproving: 0,
      envelope,
      encodedEnvelope: encodeEnvelope(envelope),
    });
    expect(frameSizeBytes(send.kind, send.body.length) - envelope.sealedBody.length).toBe(94);
    const prologue = protocolPrologue("test", "envelope");
    const random = (sizeBytes: number) => fill(sizeBytes, 1);
    const box = sealBox({ identity: ALICE, recipient: BOB.id, prologue, plaintext: fill(160, 0), random });
    expect(box.length - 160).toBe(96);
  });

  test("every size class, and no other size", () => {
    for (const [sizeClass, sizeBytes] of SEALED_BODY_SIZES.entries()) {
      const encoded = encodeEnvelope({ ...envelope, sealedBody: fill(sizeBytes, 1) });
      expect(encoded[0]).toBe(sizeClass);
      expect(decodeEnvelope(encoded).ok).toBe(true);
      expect(decodeEnvelope(encoded.subarray(1))).toMatchObject({ ok: false });
    }
    expect(() => encodeEnvelope({ ...envelope, sealedBody: fill(257, 1) })).toThrow(WireError);
    expect(decodeEnvelope(fill(400, 9))).toEqual({ ok: false, reason: "bad-value" });
  });

  test("a recipient that is no canonical key is refused", () => {
    const encoded = encodeEnvelope(envelope);
    encoded.fill(0, 1, 33);
    expect(decodeEnvelope(encoded)).toEqual({ ok: false, reason: "bad-id" });
  });

  test("lock", () => {
    expect(bytesToHex(lockOf(fill(16, 0)))).toBe("ea9b8a84a30e96ef784a5f675471bc51b447610d774a7909f80bf9e3e35e17ed");
  });
});

describe("sealed body", () => {
  const t = fill(16, 2);
  const body = {
    kind: "message" as const,
    messageId: fill(16, 1),
    createdMs: 1000,
    expiresMs: 2000,
    stream: fill(8, 3),
    seq: 4,
    lowestUnsettledSeq: 3,
    requestId: fill(16, 0),
    topic: "täglich",
    content: fill(5, 6),
  };

  test("golden bytes, padded to the smallest class", () => {
    const encoded = encodeSealedBody({ t, body });
    expect(encoded.length).toBe(256 - 96);
    expect(bytesToHex(encoded)).toBe(
      `${"02".repeat(16)}00${"01".repeat(16)}0000000003e80000000007d0${"03".repeat(8)}0000000400000003${"00".repeat(16)}` +
        `08000574c3a4676c696368${"06".repeat(5)}${"00".repeat(67)}`,
    );
    expect(decodeSealedBody(encoded)).toEqual({ ok: true, value: { t, body } });
  });

  test.each(["message", "request", "signal"] as const)("a %s names no request, a reply may", (kind) => {
    const named = { ...body, kind, requestId: fill(16, 9) };
    expect(messageBodySchema.safeParse(named).success).toBe(false);
    expect(() => encodeSealedBody({ t, body: named })).toThrow(expect.objectContaining({ code: "E_BAD_VALUE" }));
    const bytes = encodeSealedBody({ t, body: { ...named, requestId: fill(16, 0) } });
    bytes[16 + 60] = 1;
    expect(decodeSealedBody(bytes)).toEqual({ ok: false, reason: "bad-value" });
    const reply = { ...named, kind: "reply" as const };
    expect(decodeSealedBody(encodeSealedBody({ t, body: reply }))).toEqual({ ok: true, value: { t, body: reply } });
  });

  test("a padding that is not zeros is refused: one byte string a value", () => {
    const encoded = encodeSealedBody({ t, body });
    encoded[encoded.length - 1] = 1;
    expect(decodeSealedBody(encoded)).toEqual({ ok: false, reason: "trailing-bytes" });
  });

  test("60,000 bytes fit, one more is E_TOO_LARGE with the limit", () => {
    const most = encodeSealedBody({ t, body: { ...body, content: fill(60_000, 1) } });
    expect(most.length + 96).toBe(61_440);
    expect(() => encodeSealedBody({ t, body: { ...body, content: fill(60_001, 1) } })).toThrow(
      expect.objectContaining({ code: "E_TOO_LARGE", limitBytes: 60_000 }),
    );
    expect(() => encodeSealedBody({ t, body: { ...body, topic: "ü".repeat(65) } })).toThrow(
      expect.objectContaining({ code: "E_TOO_LARGE", limitBytes: 128 }),
    );
  });

  test("a life longer than ten minutes, or ended before it began, is refused", () => {
    expect(() => encodeSealedBody({ t, body: { ...body, expiresMs: body.createdMs + 600_001 } })).toThrow(WireError);
    expect(() => encodeSealedBody({ t, body: { ...body, expiresMs: body.createdMs - 1 } })).toThrow(WireError);
  });

  test("round trip of any body", () => {
    fc.assert(
      fc.property(
        fc.record({
          kind: fc.constantFrom("message" as const, "request" as const, "reply" as const, "signal" as const),
          content: fc.uint8Array({ maxLength: 5000 }),
          topic: fc
            .string({ maxLength: 20, unit: "grapheme" })
            .filter((text) => new TextEncoder().encode(text).length <= 128),
          seq: fc.nat(),
        }),
        (fields) => {
          const value = { ...body, ...fields, content: new Uint8Array(fields.content) };
          expect(decodeSealedBody(encodeSealedBody({ t, body: value }))).toEqual({
            ok: true,
            value: { t, body: value },
          });
          const direct: Message = { type: "direct", body: value };
          expect(decodeMessage(encodeMessage(direct))).toEqual({ ok: true, value: direct });
        },
      ),
      { seed: 1, numRuns: 200 },
    );
  });
});

describe("session description", () => {
  const description: Description = {
    setup: "actpass",
    ufrag: "abCD",
    pwd: "0123456789abcdefghijkl",
    fingerprint: fill(32, 0xf1),
    candidates: [
      { type: "host", address: { ip: "192.0.2.1", port: 5000 } },
      { type: "srflx", address: { ip: "2001:db8::1", port: 5001 } },
    ],
  };
  const hex = `0004${bytesToHex(new TextEncoder().encode("abCD"))}16${bytesToHex(
    new TextEncoder().encode("0123456789abcdefghijkl"),
  )}${"f1".repeat(32)}02${"0004c00002011388"}${"010620010db80000000000000000000000011389"}`;

  test("golden bytes both ways; four IPv4 candidates are at most 150 bytes", () => {
    expect(bytesToHex(encodeDescription(description))).toBe(hex);
    expect(decodeDescription(unhex(hex))).toEqual({ ok: true, value: description });
    const four = Array.from({ length: 4 }, (_, i) => ({
      type: "host" as const,
      address: { ip: "192.0.2.1", port: i + 1 },
    }));
    expect(encodeDescription({ ...description, candidates: four }).length).toBeLessThanOrEqual(150);
  });

  test("names, foreign characters and an eleventh candidate do not get in", () => {
    const eleven = Array.from({ length: 11 }, () => ({ type: "host" as const, address: { ip: "192.0.2.1", port: 1 } }));
    expect(() => encodeDescription({ ...description, candidates: eleven })).toThrow(WireError);
    expect(() => encodeDescription({ ...description, ufrag: "a b\r\n" })).toThrow(WireError);
    const bytes = unhex(hex);
    bytes[2] = 0x0a;
    expect(decodeDescription(bytes)).toEqual({ ok: false, reason: "bad-value" });
    for (let cut = 0; cut < bytes.length; cut += 1)
      expect(decodeDescription(unhex(hex).subarray(0, cut)).ok).toBe(false);
  });
});

describe("signals", () => {
  const table: [Signal, string][] = [
    [{ type: "intent" }, "01"],
    [{ type: "ping" }, "05"],
    [{ type: "offer", message: fill(100, 5) }, `02${"05".repeat(100)}`],
    [{ type: "answer", offerTag: fill(8, 1), message: fill(52, 5) }, `03${"01".repeat(8)}${"05".repeat(52)}`],
    [{ type: "candidate", offerTag: fill(8, 1), sealed: fill(24, 5) }, `04${"01".repeat(8)}${"05".repeat(24)}`],
  ];
  test.each(table)("$type", (signal, hex) => {
    expect(bytesToHex(encodeSignal(signal))).toBe(hex);
    expect(decodeSignal(unhex(hex))).toEqual({ ok: true, value: signal });
    expect(decodeSignal(unhex(hex).subarray(0, 8)).ok).toBe(hex.length === 2);
  });

  test("payload and candidate", () => {
    const description: Description = {
      setup: "passive",
      ufrag: "abcd",
      pwd: "0123456789abcdefghijkl",
      fingerprint: fill(32, 1),
      candidates: [],
    };
    const payload = encodeSignalPayload({ sessionIndex: 0xdead_beef, description });
    expect(bytesToHex(payload.subarray(0, 4))).toBe("deadbeef");
    expect(decodeSignalPayload(payload)).toEqual({ ok: true, value: { sessionIndex: 0xdead_beef, description } });
    const candidate: Candidate = { type: "srflx", address: { ip: "192.0.2.1", port: 9 } };
    expect(bytesToHex(encodeCandidate(candidate))).toBe("0104c00002010009");
    expect(decodeCandidate(unhex("0104c00002010009"))).toEqual({ ok: true, value: candidate });
  });

  test("the label of a channel is the same from both ends", () => {
    const a = parseNodeId("def10b4e0591b6eb9ddcd71a1c9640575bdd53b22ed521e1628f4dd674c28733");
    const b = parseNodeId("d85e67f8ecedea1b0309fe451bb136903d04a70414ffb50b246f4556bc337c0a");
    expect(channelLabel(a, b)).toBe("d74335d4c77ab38f9dd17c6bb1c569094b65dcf2");
    expect(channelLabel(b, a)).toBe("d74335d4c77ab38f9dd17c6bb1c569094b65dcf2");
  });
});

describe("datagrams", () => {
  test("golden bytes both ways", () => {
    const hello = encodeHello(0x0102_0304, fill(1163, 7));
    expect(bytesToHex(hello)).toBe(`5001020304${"07".repeat(1163)}${"00".repeat(32)}`);
    expect(decodeDatagram(hello)).toMatchObject({ ok: true, value: { kind: 0x50, senderIndex: 0x0102_0304 } });
    const welcome = encodeWelcome(1, 2, fill(48, 7));
    expect(bytesToHex(welcome)).toBe(`510000000100000002${"07".repeat(48)}`);
    expect(decodeDatagram(welcome)).toEqual({
      ok: true,
      value: { kind: 0x51, senderIndex: 1, receiverIndex: 2, message: fill(48, 7) },
    });
    const cookie = encodeCookie(3, fill(16, 1), fill(16, 2));
    expect(bytesToHex(cookie)).toBe(`5200000003${"01".repeat(16)}${"02".repeat(16)}`);
    expect(decodeDatagram(cookie)).toEqual({
      ok: true,
      value: { kind: 0x52, receiverIndex: 3, mac1: fill(16, 1), cookie: fill(16, 2) },
    });
    const header = encodeDataHeader(4, 2 ** 40 + 5);
    expect(bytesToHex(header)).toBe("53000000040000010000000005");
    const data = decodeDatagram(Uint8Array.from([...header, ...fill(16, 9)]));
    expect(data).toEqual({
      ok: true,
      value: { kind: 0x53, receiverIndex: 4, counter: 2 ** 40 + 5, header, ciphertext: fill(16, 9) },
    });
  });

  test("a counter beyond 2^53, a Hello of another size and STUN or DTLS first bytes are refused", () => {
    const data = Uint8Array.from([...unhex("5300000004"), ...fill(8, 0xff), ...fill(16, 0)]);
    expect(decodeDatagram(data)).toEqual({ ok: false, reason: "bad-value" });
    expect(decodeDatagram(encodeHello(1, fill(1163, 0)).subarray(0, 1199))).toEqual({
      ok: false,
      reason: "bad-length",
    });
    expect(decodeDatagram(fill(1201, 0x53))).toEqual({ ok: false, reason: "too-long" });
    for (const first of [0, 3, 20, 63, 64, 79, 128, 191]) {
      expect(decodeDatagram(fill(100, first))).toEqual({ ok: false, reason: "unknown-kind" });
    }
  });

  test("a channel carries Data, and a Hello and a Welcome of one length", () => {
    const decode = (bytes: Uint8Array) => decodeChannelMessage(bytes, 16_384);
    const hello = encodeChannelHello(0x0102_0304, fill(96, 7));
    expect(bytesToHex(hello)).toBe(`5001020304${"07".repeat(96)}`);
    expect(decode(hello)).toEqual({ ok: true, value: { kind: 0x50, senderIndex: 0x0102_0304, message: fill(96, 7) } });
    expect(decode(encodeWelcome(1, 2, fill(48, 7)))).toMatchObject({ ok: true, value: { kind: 0x51 } });
    const data = Uint8Array.from([...encodeDataHeader(4, 5), ...fill(16_371, 9)]);
    expect(decode(data)).toMatchObject({ ok: true, value: { kind: 0x53, receiverIndex: 4, counter: 5 } });
    const refused: readonly (readonly [Uint8Array, string])[] = [
      [encodeHello(1, fill(1163, 0)), "bad-length"],
      [encodeWelcome(1, 2, fill(49, 7)), "bad-length"],
      [encodeCookie(3, fill(16, 1), fill(16, 2)), "unknown-kind"],
      [fill(28, 0x53), "too-short"],
      [fill(16_385, 0x53), "too-long"],
    ];
    for (const [bytes, reason] of refused) expect(decode(bytes)).toEqual({ ok: false, reason });
  });

  test("handshake payloads", () => {
    const hello = { timestampMs: 5, epoch: fill(8, 1), lookup: fill(36, 2) };
    expect(encodeHelloPayload(hello).length).toBe(1067);
    expect(decodeHelloPayload(encodeHelloPayload(hello))).toEqual({ ok: true, value: hello });
    const welcome = { epoch: fill(8, 1), nodes: fill(6, 2) };
    expect(bytesToHex(encodeWelcomePayload(welcome))).toBe(`${"01".repeat(8)}0006${"02".repeat(6)}`);
    expect(decodeWelcomePayload(encodeWelcomePayload(welcome))).toEqual({ ok: true, value: welcome });
    expect(() => encodeWelcomePayload({ epoch: fill(8, 1), nodes: fill(1134, 2) })).toThrow(WireError);
  });
});

describe("frames", () => {
  test("several in a datagram, reliable ones numbered", () => {
    const target = new Uint8Array(64);
    let at = writeFrame(target, 0, { kind: FRAME_KIND.ping, number: undefined, body: fill(8, 1) });
    at = writeFrame(target, at, { kind: FRAME_KIND.sendAck, number: 0x0a0b_0c0d, body: fill(2, 2) });
    expect(bytesToHex(target.subarray(0, at))).toBe(`010008${"01".repeat(8)}8200020a0b0c0d0202`);
    expect(readFrames(target.subarray(0, at))).toEqual({
      ok: true,
      value: [
        { kind: FRAME_KIND.ping, number: undefined, body: fill(8, 1) },
        { kind: FRAME_KIND.sendAck, number: 0x0a0b_0c0d, body: fill(2, 2) },
      ],
    });
    for (let cut = 1; cut < at; cut += 1) {
      const whole = cut === 11;
      expect(readFrames(target.subarray(0, cut)).ok).toBe(whole);
    }
  });

  test("acks have one form", () => {
    expect(bytesToHex(encodeAck({ lowest: 258, bitmap: Uint8Array.of(1, 0, 0) }))).toBe("0000010201");
    expect(decodeAck(unhex("0000010201"))).toEqual({ ok: true, value: { lowest: 258, bitmap: Uint8Array.of(1) } });
    expect(decodeAck(unhex("000001020100"))).toEqual({ ok: false, reason: "bad-value" });
    expect(decodeAck(unhex("000001")).ok).toBe(false);
  });
});

describe("addresses", () => {
  test.each([
    ["192.0.2.1:4000", "192.0.2.1", 4000],
    ["[2001:DB8:0:0::1]:65535", "2001:db8::1", 65_535],
    ["[::ffff:192.0.2.1]:1", "192.0.2.1", 1],
  ])("%s", (text, ip, port) => {
    expect(parseAddress(text)).toEqual({ ip, port });
    expect(parseAddress(formatAddress({ ip, port }))).toEqual({ ip, port });
  });

  test.each([
    "localhost:4000",
    "192.0.2.1",
    "192.0.2.1:0",
    "192.0.2.1:65536",
    "192.0.2:1",
    "010.0.0.1:1",
    "2001:db8::1:1",
    ":1",
    "",
  ])("'%s' is none", (text) => {
    expect(() => parseAddress(text)).toThrow(expect.objectContaining({ code: "E_BAD_ADDRESS" }));
  });

  test("zones, names and integers are no ip", () => {
    for (const text of ["fe80::1%eth0", "example.org", "16909060", "0x7f.1", "1.2.3", ""]) {
      expect(canonicalIp(text)).toBeUndefined();
    }
  });

  test("of digits and dots, four plain decimals up to 255 are an ip and nothing else", () => {
    const part = fc.constantFrom("0", "1", "9", "10", "25", "99", "255", "256", "00", "01", "1000", "");
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 6 }), (parts) => {
        const text = parts.join(".");
        const isIp = parts.length === 4 && parts.every((each) => String(Number(each)) === each && Number(each) < 256);
        expect(canonicalIp(text)).toBe(isIp ? text : undefined);
      }),
      { numRuns: 500 },
    );
  });
});

describe("never throws, whatever arrives", () => {
  const decoders: [string, (bytes: Uint8Array) => unknown][] = [
    ["datagram", decodeDatagram],
    ["message of a channel", (bytes: Uint8Array) => decodeChannelMessage(bytes, 16_384)],
    ["frames", readFrames],
    ["envelope", decodeEnvelope],
    ["sealed body", decodeSealedBody],
    ["record", decodeNodeRecord],
    ["description", decodeDescription],
    ["signal", decodeSignal],
    ["signal payload", decodeSignalPayload],
    ["candidate", decodeCandidate],
    ["ack", decodeAck],
    ["hello payload", decodeHelloPayload],
    ["welcome payload", decodeWelcomePayload],
    ...Object.values(FRAME_KIND).map((kind): [string, (bytes: Uint8Array) => unknown] => [
      `frame kind ${kind}`,
      (body) => decodeMessage({ kind, body }),
    ]),
  ];
  const corpus = [
    encodeEnvelope(envelope),
    encodeHello(1, fill(1163, 1)),
    encodeMessage({
      type: "nodes",
      query: 1,
      attached: false,
      contacts: [{ id: BOB.id, address: { ip: "192.0.2.1", port: 9 } }],
    }).body,
    encodeMessage({ type: "send-fail", lock: fill(32, 1), reason: "full", detail: 1, t: fill(16, 1) }).body,
  ];

  test.each(decoders)("%s", (_name, decode) => {
    const mutated = fc
      .tuple(fc.constantFrom(...corpus), fc.array(fc.tuple(fc.nat(1200), fc.nat(255)), { maxLength: 8 }), fc.nat(1300))
      .map(([bytes, changes, cut]) => {
        const copy = bytes.slice(0, cut);
        for (const [at, byte] of changes) if (at < copy.length) copy[at] = byte;
        return copy;
      });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 1300 }), mutated), (bytes) => {
        const result = decode(new Uint8Array(bytes)) as { ok: boolean };
        expect(typeof result.ok).toBe("boolean");
      }),
      { seed: 7, numRuns: 500 },
    );
  });

  test("what decodes encodes to the same bytes", () => {
    const ids: NodeId[] = [ALICE.id, BOB.id, parseNodeId(`09${"00".repeat(31)}`)];
    fc.assert(
      fc.property(fc.constantFrom(...ids), fc.nat(2 ** 31), fc.boolean(), fc.nat(8), (id, query, attached, count) => {
        const contacts = Array.from({ length: count }, (_, i) => ({
          id,
          address: { ip: `198.51.100.${i}`, port: i + 1 },
        }));
        const frame = encodeMessage({ type: "nodes", query, attached, contacts });
        const read = decodeMessage(frame);
        expect(read).toMatchObject({ ok: true, value: { type: "nodes", query, attached, contacts } });
      }),
      { seed: 3, numRuns: 100 },
    );
  });
});
