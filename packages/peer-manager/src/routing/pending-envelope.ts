import type { NodeId } from "@starling/crypto-identity";
import type { Send } from "@starling/wire-protocol";
import { owned } from "../owned.ts";
import type { Failure } from "./answers.ts";
import type { Origination } from "./outcome.ts";

// An envelope under way, PROTOCOL §7.6: from which links it came, where it went, and the secret of its ack once that is known.

const NONE: ReadonlySet<NodeId> = new Set();

/** A neighbour that an envelope went to. */
export type OutLink = {
  readonly peer: NodeId;
  /** Sent with the flag `last` because we know no way. */
  readonly deflected: boolean;
  readonly learned: boolean;
  /** It has revealed t. */
  acked: boolean;
};

export type PendingEnvelope = {
  /** Hex of the envelope id. */
  readonly id: string;
  readonly lock: Uint8Array;
  readonly recipient: NodeId;
  /** Empty once it is settled. */
  encodedEnvelope: Uint8Array;
  readonly hops: number;
  readonly last: boolean;
  readonly nonImproving: number;
  /** First hops of earlier attempts at the same message. */
  readonly used: ReadonlySet<NodeId>;
  /** Ours: its outcome is told to the outbox. */
  readonly source: boolean;
  readonly avoidRecipient: boolean;
  readonly startedMono: number;
  /** BOUNDED: 4. */
  readonly inLinks: NodeId[];
  /** BOUNDED: the out-links allowed for one envelope. */
  readonly outLinks: OutLink[];
  /** Out-links that may still answer. */
  readonly waiting: Set<NodeId>;
  /** The secret that opens the lock, once the recipient has answered. */
  t: Uint8Array | undefined;
  ackHops: number;
  /** What was told upstream, and is told again to who repeats it. */
  failure: Failure | undefined;
  /** Ours, and a later attempt at the same message is under way. */
  isSuperseded: boolean;
};

/** One of our own. `used`: the first hops of earlier attempts. */
export function ownEnvelope(
  { id, lock, recipient, encodedEnvelope, avoidRecipient }: Origination,
  used: ReadonlySet<NodeId>,
  nowMono: number,
): PendingEnvelope {
  return {
    id,
    lock,
    recipient,
    encodedEnvelope,
    hops: 0,
    last: false,
    nonImproving: 0,
    used,
    source: true,
    avoidRecipient,
    startedMono: nowMono,
    inLinks: [],
    outLinks: [],
    waiting: new Set(),
    t: undefined,
    ackHops: 0,
    failure: undefined,
    isSuperseded: false,
  };
}

/** One that a neighbour handed over, to be carried on or because it ends here. */
export function carriedEnvelope(from: NodeId, id: string, send: Send, nowMono: number): PendingEnvelope {
  // Field by field: one is made for every envelope, and to spread an object costs more than all that is in it.
  return {
    id,
    lock: send.envelope.lock.slice(),
    recipient: send.envelope.recipient,
    encodedEnvelope: owned(send.encodedEnvelope),
    hops: send.hops + 1,
    last: send.last,
    nonImproving: send.nonImproving,
    used: NONE,
    source: false,
    avoidRecipient: false,
    startedMono: nowMono,
    inLinks: [from],
    outLinks: [],
    waiting: new Set(),
    t: undefined,
    ackHops: 0,
    failure: undefined,
    isSuperseded: false,
  };
}

export function linkTo(entry: PendingEnvelope, peer: NodeId): OutLink | undefined {
  return entry.outLinks.find((link) => link.peer === peer);
}
