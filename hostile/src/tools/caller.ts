import {
  generateIdentity,
  type Identity,
  type NodeId,
  type SessionKeys,
  systemRandom,
} from "@starling/crypto-identity";
import { createSessionCrypto } from "@starling/session";
import {
  type Candidate,
  type Description,
  type Direct,
  type DirectAck,
  decodeMessage,
  decodeSignal,
  decodeSignalPayload,
  encodeCandidate,
  encodeMessage,
  encodeSignal,
  encodeSignalPayload,
  FRAME_KIND,
  OFFER_TAG_BYTES,
  type Signal,
} from "@starling/wire-protocol";
import type { Target } from "../attack.ts";
import { CraftedPeer } from "./crafted-peer.ts";

// A peer that calls a node: Offers, and what goes with them, as Directs on a session of its own.

const LIFETIME_MS = 20_000;
/** Counters that candidates are sealed under (PROTOCOL §9). */
const CANDIDATE_COUNTER = 2 ** 48;

export type Answered = {
  readonly keys: SessionKeys;
  readonly tag: Uint8Array;
  readonly description: Description;
  readonly remoteIndex: number;
};

export class Caller {
  readonly peer: CraftedPeer;
  readonly #target: Target;
  readonly #network: string;

  private constructor(peer: CraftedPeer, target: Target, network: string) {
    this.peer = peer;
    this.#target = target;
    this.#network = network;
  }

  /** With an id greater than the target's, for the greater one offers. */
  static async open(target: Target, network: string): Promise<Caller> {
    return new Caller(await CraftedPeer.open(target, network, { identity: greaterThan(target.id) }), target, network);
  }

  /** Sends an Offer, and the same again with `repeat`; `answered` resolves with its Answer, if one comes. */
  offer(description: Description): { readonly answered: Promise<Answered>; readonly repeat: () => void } {
    const { identity } = this.peer;
    const crypto = createSessionCrypto({ identity, network: this.#network, random: systemRandom, purpose: "channel" });
    const payload = encodeSignalPayload({ sessionIndex: 7, description });
    const initiation = crypto.initiate(this.#target.id, payload);
    const tag = initiation.message.slice(0, OFFER_TAG_BYTES);
    const answered = new Promise<Answered>((resolve) => {
      this.peer.onFrame = (frame) => {
        if (frame.kind !== FRAME_KIND.direct) return;
        const direct = decodeMessage(frame);
        if (!direct.ok || direct.value.type !== "direct") return;
        const { messageId, content } = direct.value.body;
        this.#say({ type: "direct-ack", messageId, result: "ok" });
        const signal = decodeSignal(content);
        const finished =
          signal.ok && signal.value.type === "answer" ? initiation.finish(signal.value.message) : undefined;
        const answer = finished && decodeSignalPayload(finished.payload);
        if (finished === undefined || !answer?.ok) return;
        const { sessionIndex: remoteIndex, description: theirs } = answer.value;
        resolve({ keys: finished.keys, tag, description: theirs, remoteIndex });
      };
    });
    const repeat = (): void => this.signal({ type: "offer", message: initiation.message });
    repeat();
    return { answered, repeat };
  }

  /** A late candidate, as sealed as it should be; counters beyond the second are what no node would use. */
  candidate({ keys, tag }: Answered, index: number, candidate: Candidate): void {
    const sealed = keys.send.seal(CANDIDATE_COUNTER + index, tag, encodeCandidate(candidate));
    this.signal({ type: "candidate", offerTag: tag, sealed });
  }

  signal(signal: Signal): void {
    this.#write("signal", encodeSignal(signal));
  }

  /** Has a message delivered, and so is one whom the target has heard of. */
  greet(): void {
    this.#write("message", new TextEncoder().encode("hello"));
  }

  close(): void {
    this.peer.close();
  }

  #write(kind: "signal" | "message", content: Uint8Array): void {
    const nowMs = Date.now();
    const body = {
      kind,
      messageId: systemRandom(16),
      createdMs: nowMs,
      expiresMs: nowMs + LIFETIME_MS,
      stream: systemRandom(8),
      seq: 0,
      lowestUnsettledSeq: 0,
      requestId: new Uint8Array(16),
      topic: "",
      content,
    } as const;
    this.#say({ type: "direct", body });
  }

  #say(message: Direct | DirectAck): void {
    const { kind, body } = encodeMessage(message);
    this.peer.say(kind, body);
  }
}

/** A description of a peer that is nowhere but at these addresses. */
export function descriptionOf(candidates: readonly Candidate[]): Description {
  const text = (length: number) => Buffer.from(systemRandom(length)).toString("hex").slice(0, length);
  return { setup: "actpass", ufrag: text(8), pwd: text(24), fingerprint: systemRandom(32), candidates };
}

function greaterThan(id: NodeId): Identity {
  for (;;) {
    const identity = generateIdentity(systemRandom);
    if (identity.id > id) return identity;
  }
}
