import type { Identity, NodeId, RandomSource } from "@starling/crypto-identity";
import { sealBox } from "@starling/crypto-identity";
import type { MessageBody } from "@starling/wire-protocol";
import {
  ENVELOPE_HEADER_BYTES,
  encodeEnvelope,
  encodeSealedBody,
  envelopeDigest,
  envelopeId,
  lockOf,
  NONCE_BYTES,
  setEnvelopeStamp,
  T_BYTES,
} from "@starling/wire-protocol";

// One attempt at a message, PROTOCOL §7.2: a new envelope (ephemeral, t, lock, timestamp, stamp, id) around the same messageId.

export type Attempt = {
  readonly id: string;
  readonly lock: Uint8Array;
  readonly digest: Uint8Array;
  readonly effort: number;
  readonly startNonce: Uint8Array;
  /** Without its nonce until `stamped`. */
  readonly encodedEnvelope: Uint8Array;
};

/** Seals a body to its recipient. The envelope still lacks its stamp. */
export function sealAttempt(options: {
  readonly identity: Identity;
  readonly network: string;
  readonly prologue: Uint8Array;
  readonly recipient: NodeId;
  readonly body: MessageBody;
  readonly timestampMs: number;
  readonly effort: (sizeBytes: number) => number;
  readonly random: RandomSource;
}): Attempt {
  const { identity, network, prologue, recipient, timestampMs, random } = options;
  const t = random(T_BYTES);
  const plaintext = encodeSealedBody({ t, body: options.body });
  const sealedBody = sealBox({ identity, recipient, prologue, plaintext, random });
  const effort = options.effort(ENVELOPE_HEADER_BYTES + sealedBody.length);
  const lock = lockOf(t);
  const nonce = new Uint8Array(NONCE_BYTES);
  const encodedEnvelope = encodeEnvelope({ recipient, lock, timestampMs, effort, nonce, sealedBody });
  const digest = envelopeDigest(network, encodedEnvelope);
  return { id: envelopeId(digest), lock, digest, effort, startNonce: random(NONCE_BYTES), encodedEnvelope };
}

/** The envelope with its stamp, ready to go out. */
export function stamped(attempt: Attempt, nonce: Uint8Array): Uint8Array {
  setEnvelopeStamp(attempt.encodedEnvelope, attempt.effort, nonce);
  return attempt.encodedEnvelope;
}
