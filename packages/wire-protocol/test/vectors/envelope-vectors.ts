// Sealed bodies of every kind, their boxes with a fixed ephemeral, and the envelopes around them with their stamps.
import { protocolPrologue, sealBox } from "@starling/crypto-identity";
import {
  encodeEnvelope,
  encodeSealedBody,
  envelopeDigest,
  envelopeId,
  lockOf,
  type MessageBody,
  setEnvelopeStamp,
} from "../../src/index.ts";
import {
  ALICE,
  BOB,
  count,
  fill,
  fixedRandom,
  type Json,
  mintLowest,
  NETWORK,
  toJson,
  utf8,
  WALL_MS,
} from "./actors.ts";

const E_BOX = 0x44;
const BASE = {
  messageId: count(16),
  createdMs: WALL_MS,
  expiresMs: WALL_MS + 10_000,
  stream: fill(8, 3),
  seq: 0,
  lowestUnsettledSeq: 0,
  requestId: fill(16, 0),
  topic: "",
};
const BODIES: readonly MessageBody[] = [
  { ...BASE, kind: "message", topic: "täglich", seq: 2 ** 32 - 1, lowestUnsettledSeq: 5, content: utf8("hello, bob") },
  { ...BASE, kind: "request", topic: "weather", content: count(700) },
  { ...BASE, kind: "reply", requestId: fill(16, 9), content: new Uint8Array(0) },
  { ...BASE, kind: "signal", content: Uint8Array.of(1) },
];

export function envelopeVectors(): Json {
  return toJson(BODIES.map(envelopeVector));
}

function envelopeVector(body: MessageBody): unknown {
  const t = fill(16, 7);
  const plaintext = encodeSealedBody({ t, body });
  const prologue = protocolPrologue(NETWORK, "envelope");
  const random = fixedRandom(E_BOX);
  const sealedBody = sealBox({ identity: ALICE, recipient: BOB.id, prologue, plaintext, random });
  const lock = lockOf(t);
  // The floor of a Send, PROTOCOL §7.4: 2^14 for each 512 bytes begun.
  const effort = 2 ** 14 * Math.ceil((85 + sealedBody.length) / 512);
  const envelope = encodeEnvelope({
    recipient: BOB.id,
    lock,
    timestampMs: WALL_MS,
    effort,
    nonce: fill(8, 0),
    sealedBody,
  });
  const digest = envelopeDigest(NETWORK, envelope);
  const nonce = mintLowest(digest, effort);
  setEnvelopeStamp(envelope, effort, nonce);
  return {
    network: NETWORK,
    sender: ALICE.id,
    recipient: BOB.id,
    ephemeralSeed: fill(32, E_BOX),
    t,
    body,
    sealedBodyPlaintext: plaintext,
    lock,
    timestampMs: WALL_MS,
    effort,
    nonce,
    digest,
    id: envelopeId(digest),
    envelope,
  };
}
