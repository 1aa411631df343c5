import { readFileSync } from "node:fs";
import { describe, expect, test } from "@jest/globals";
import { respondHandshake } from "@starling/crypto-identity";
import { stampFloor, verifyStamp } from "@starling/hashcash";
import {
  decodeDatagram,
  decodeEnvelope,
  decodeHelloPayload,
  decodeMessage,
  decodeSealedBody,
  encodeMessage,
  encodePong,
  envelopeDigest,
  FRAME_KIND,
  hexToBytes,
  readFrames,
} from "../src/index.ts";
import { BOB, type Json, NETWORK, toJson } from "./vectors/actors.ts";
import { VECTOR_FILES, vectorText } from "./vectors/files.ts";

const stored = (file: string) => readFileSync(new URL(`../vectors/${file}`, import.meta.url), "utf8");
const read = <T>(file: string): T => JSON.parse(stored(file)) as T;
const unhex = (text: string) => hexToBytes(text, text.length / 2) ?? new Uint8Array(0);

describe("the vectors of docs/PROTOCOL.md", () => {
  // Whoever changes one of these bytes has changed the protocol; test/vectors/write.ts writes them anew.
  test.each(VECTOR_FILES)("%s is what the code makes", (file) => {
    expect(vectorText(file)).toBe(stored(file));
  });
});

describe("read back", () => {
  type FrameVector = { name: string; kind: number; fields: { [key: string]: Json }; body: string; frame: string };
  const OWN_OF_SESSION = new Set(["ping", "pong-of-a-channel", "ack", "fragment", "skip"]);

  test("every kind of frame that has a body of its own has a vector", () => {
    const known = new Set(read<FrameVector[]>("frames.json").map(({ kind }) => kind));
    const missing = Object.values(FRAME_KIND).filter((kind) => !known.has(kind));
    expect(missing.map((kind) => decodeMessage({ kind, body: new Uint8Array(0) }))).toEqual(
      missing.map(() => ({ ok: false, reason: "unknown-kind" })),
    );
  });

  test.each(read<FrameVector[]>("frames.json").map((vector, i) => [`${vector.name} ${i}`, vector] as const))(
    "frame %s",
    (_name, { name, kind, fields, body, frame }) => {
      const frames = readFrames(unhex(frame));
      expect(frames).toMatchObject({ ok: true, value: [{ kind, body: unhex(body) }] });
      if (OWN_OF_SESSION.has(name)) return;
      const message = decodeMessage({ kind, body: unhex(body) });
      if (!message.ok) throw new Error(message.reason);
      const { value } = message;
      expect(value.type).toBe(name);
      expect(toJson(value)).toMatchObject(fields);
      const again = value.type === "pong" ? { kind, body: encodePong(value) } : encodeMessage(value);
      expect(again).toEqual({ kind, body: unhex(body) });
    },
  );

  test("a Hello, by whom it is for", () => {
    const { hello } = read<{ hello: { datagram: string; payload: Json; initiator: string } }>("datagrams.json");
    const datagram = decodeDatagram(unhex(hello.datagram));
    if (!datagram.ok || datagram.value.kind !== 0x50) throw new Error("no Hello");
    const prologue = read<{ prologues: { prologue: string }[] }>("identity.json").prologues[0]?.prologue ?? "";
    const response = respondHandshake({
      identity: BOB,
      prologue: unhex(prologue),
      message: datagram.value.message,
    });
    expect(response?.initiator).toBe(hello.initiator);
    const payload = response && decodeHelloPayload(response.payload);
    expect(payload?.ok && toJson(payload.value)).toEqual(hello.payload);
  });

  type EnvelopeVector = { sealedBodyPlaintext: string; body: Json; t: string; envelope: string; effort: number };

  test.each(read<EnvelopeVector[]>("envelopes.json").map((vector, i) => [i, vector] as const))(
    "envelope %i and its stamp at the floor",
    (_i, vector) => {
      const bytes = unhex(vector.envelope);
      const envelope = decodeEnvelope(bytes);
      if (!envelope.ok) throw new Error(envelope.reason);
      const { effort, nonce } = envelope.value;
      const floor = stampFloor("send", bytes.length);
      expect(verifyStamp({ digest: envelopeDigest(NETWORK, bytes), effort, nonce, floor })).toBe("valid");
      const body = decodeSealedBody(unhex(vector.sealedBodyPlaintext));
      expect(body.ok && toJson(body.value)).toEqual({ t: vector.t, body: vector.body });
    },
  );
});
