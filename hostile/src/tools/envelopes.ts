import { type Identity, type NodeId, protocolPrologue, sealBox, systemRandom } from "@starling/crypto-identity";
import { createMint, stampFloor } from "@starling/hashcash";
import {
  encodeEnvelope,
  encodeSealedBody,
  encodeSend,
  envelopeDigest,
  lockOf,
  NONCE_BYTES,
  setEnvelopeStamp,
} from "@starling/wire-protocol";

// Envelopes as a node makes them, and with whatever an attacker would have different about them.

/** Of the envelopes that are made here, all of the smallest class. */
const FLOOR = stampFloor("send", 341);

export type EnvelopeChoice = {
  readonly from: Identity;
  readonly to: NodeId;
  readonly network: string;
  readonly timestampMs?: number;
  /** The effort that it claims; its floor unless told. */
  readonly effort?: number;
  /** Whether the work was done; with false the nonce is any. */
  readonly isPaid?: boolean;
};

export type Crafted = { readonly lock: Uint8Array; readonly encoded: Uint8Array };

export function craftEnvelope(choice: EnvelopeChoice): Crafted {
  const { from, to, network, timestampMs = Date.now(), isPaid = true } = choice;
  const t = systemRandom(16);
  const body = {
    kind: "message",
    messageId: systemRandom(16),
    createdMs: timestampMs,
    expiresMs: timestampMs + 60_000,
    stream: systemRandom(8),
    seq: 0,
    lowestUnsettledSeq: 0,
    requestId: new Uint8Array(16),
    topic: "attack",
    content: new TextEncoder().encode("let me in"),
  } as const;
  const plaintext = encodeSealedBody({ t, body });
  const prologue = protocolPrologue(network, "envelope");
  const sealedBody = sealBox({ identity: from, recipient: to, prologue, plaintext, random: systemRandom });
  const lock = lockOf(t);
  const effort = choice.effort ?? FLOOR;
  const nonce = new Uint8Array(NONCE_BYTES);
  const encoded = encodeEnvelope({ recipient: to, lock, timestampMs, effort, nonce, sealedBody });
  if (isPaid) pay(network, encoded, effort);
  return { lock, encoded };
}

function pay(network: string, encoded: Uint8Array, effort: number): void {
  const mint = createMint({ digest: envelopeDigest(network, encoded), effort, startNonce: systemRandom(NONCE_BYTES) });
  let nonce: Uint8Array | undefined;
  while (nonce === undefined) nonce = mint.run(10_000);
  setEnvelopeStamp(encoded, effort, nonce);
}

/** The body of a Send frame around it. */
export function sendBody(encodedEnvelope: Uint8Array, hops = 0): Uint8Array {
  return encodeSend({ hops, last: false, nonImproving: 0, encodedEnvelope });
}
