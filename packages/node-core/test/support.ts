import { type Identity, identityFromSeed } from "@starling/crypto-identity";
import { createMint } from "@starling/hashcash";
import type { Now } from "@starling/peer-manager";
import type { MessageBody, Publish, Send } from "@starling/wire-protocol";
import {
  decodePublication,
  decodeSend,
  encodeSend,
  NONCE_BYTES,
  publicationDigest,
  setPublicationStamp,
  signPublication,
} from "@starling/wire-protocol";
import { type Attempt, sealAttempt, stamped } from "../src/attempt.ts";
import { envelopePrologue } from "../src/delivery.ts";

export const WALL = 1_800_000_000_000;
export const at = (ms: number): Now => ({ mono: ms, wall: WALL + ms });
export const FLOOR = 16;

export function identity(seed: number): Identity {
  return identityFromSeed(new Uint8Array(32).fill(seed));
}

/** Deterministic, different at each call. */
export function counterRandom(): (sizeBytes: number) => Uint8Array {
  let counter = 0;
  return (sizeBytes) => {
    counter += 1;
    return Uint8Array.from({ length: sizeBytes }, (_, i) => (counter * 37 + i * 11 + (counter >> 8)) & 0xff);
  };
}

export function messageBody(changes: Partial<MessageBody> = {}): MessageBody {
  return {
    kind: "message",
    messageId: new Uint8Array(16).fill(1),
    createdMs: WALL,
    expiresMs: WALL + 60_000,
    stream: new Uint8Array(8).fill(2),
    seq: 0,
    lowestUnsettledSeq: 0,
    requestId: new Uint8Array(16),
    topic: "",
    content: new TextEncoder().encode("hello"),
    ...changes,
  };
}

export function attempt(options: {
  from: Identity;
  to: Identity;
  body?: MessageBody;
  timestampMs?: number;
  effort?: number;
  random?: (sizeBytes: number) => Uint8Array;
}): Attempt {
  const { from, to, body = messageBody(), timestampMs = WALL, effort = FLOOR, random = counterRandom() } = options;
  return sealAttempt({
    identity: from,
    network: "test",
    prologue: envelopePrologue("test"),
    recipient: to.id,
    body,
    timestampMs,
    effort: () => effort,
    random,
  });
}

/** A Send as a neighbour would hand it over, with a real stamp. */
export function sendOf(sealed: Attempt): Send {
  const encodedEnvelope = stamped(sealed, mintedNonce(sealed));
  const read = decodeSend(encodeSend({ hops: 0, last: false, nonImproving: 0, encodedEnvelope }));
  if (!read.ok) throw new Error(read.reason);
  return read.value;
}

/** A Publish as a neighbour would hand it over, signed and with a real stamp. */
export function publishOf(options: {
  from: Identity;
  effort: number;
  text?: string;
  random?: (sizeBytes: number) => Uint8Array;
}): Publish {
  const { from: origin, effort, text = "news", random = counterRandom() } = options;
  const content = new TextEncoder().encode(text);
  const encoded = signPublication({
    ...{ identity: origin, network: "test", topic: "", content, timestampMs: WALL, random },
  });
  const digest = publicationDigest("test", encoded);
  setPublicationStamp(encoded, effort, mintedNonce({ digest, effort, startNonce: random(NONCE_BYTES) }));
  const publication = decodePublication(encoded);
  if (!publication.ok) throw new Error(publication.reason);
  return { type: "publish", hops: 0, wanted: false, publication: publication.value };
}

function mintedNonce(task: { digest: Uint8Array; effort: number; startNonce: Uint8Array }): Uint8Array {
  const mint = createMint(task);
  let nonce: Uint8Array | undefined;
  while (nonce === undefined) nonce = mint.run(1000);
  return nonce;
}
