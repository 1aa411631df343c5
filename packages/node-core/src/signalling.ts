import type { NodeId, RandomSource } from "@starling/crypto-identity";
import type { Now } from "@starling/peer-manager";
import type { SessionCrypto } from "@starling/session";
import type { Candidate, Description, Signal } from "@starling/wire-protocol";
import {
  bytesToHex,
  channelLabel,
  decodeSignal,
  decodeSignalPayload,
  encodeSignal,
  encodeSignalPayload,
} from "@starling/wire-protocol";
import type { Standing } from "./acquaintances.ts";
import type { ReceivedSignal } from "./delivery.ts";
import { type Dial, Dials, type Opening, type PeersWish, REPEAT_MS, type Wish } from "./dials.ts";
import { IncomingOffers } from "./incoming-offers.ts";
import { CANDIDATES_EARLY_MAX, CANDIDATES_LATE_MAX, openCandidate, sealCandidate } from "./late-candidates.ts";
import { fromTag, tagOf } from "./offer-tag.ts";
import type { SignallingOutput } from "./signalling-output.ts";

// How two nodes agree on a channel through the overlay, PROTOCOL §9. The greater id offers, the lesser one asks for it with an
// Intent; so there is no glare of Offers, and crossed Intents meet the Offer that both want. Offer and Answer carry the two
// messages of a Noise IK handshake with the descriptions inside; DTLS is not trusted for identity.
//
//   greater id  (none) ─ want, or Intent ─▶ describing ─ described ─▶ offered ─ Answer ─▶ opening ─ opened ─▶ (a link)
//   lesser id   (none) ─ want ─▶ intended ─ Offer ─▶ answering ─ described ─▶ opening ─ opened ─▶ (a link)
//               any state ─ closed, or 15 s ─▶ (none), and no new try before the back-off

/** Signals older than this are stale. */
const FRESH_MS = 30_000;

type Admitted = { readonly wish: Wish; readonly place: "free" | Dial };
const OWN: Admitted = { wish: "own", place: "free" };

export type SignallingOptions = {
  readonly crypto: SessionCrypto;
  readonly random: RandomSource;
  /** The candidates of an Offer or Answer of this peer that may be tried (PROTOCOL §9; the scopes of §6). */
  readonly acceptable: (candidates: readonly Candidate[], peer: NodeId) => readonly Candidate[];
  /** Whether a further incoming channel is admitted now. */
  readonly hasRoom: (nowMono: number) => boolean;
  /** How well this peer is known: whose dial may begin where not all can. */
  readonly standing: (peer: NodeId) => Standing;
  /** Whether there is a channel to this peer, spoken on or not. */
  readonly hasChannel: (peer: NodeId) => boolean;
};

export class Signalling {
  readonly #options: SignallingOptions;
  readonly #incoming = new IncomingOffers();
  readonly #dials: Dials;

  constructor(options: SignallingOptions) {
    this.#options = options;
    this.#dials = new Dials(options.random);
  }

  isDialling(peer: NodeId): boolean {
    return this.#dials.get(peer) !== undefined;
  }

  /** A channel to this peer is wanted. Nothing happens while one is being opened, or before the back-off is over. */
  want(peer: NodeId, now: Now): SignallingOutput[] {
    const dial = this.#dials.get(peer);
    if (dial !== undefined) this.#dials.own(dial);
    if (dial !== undefined || this.#dials.isBackingOff(peer, now.mono)) return [];
    if (!this.#dials.hasOwnRoom) return [{ type: "dropped", reason: "dials-full" }];
    if (this.#options.crypto.id > peer) return this.#describe(peer, "own", now);
    this.#dials.begin(peer, { type: "intended" }, "own", now);
    return [this.#ask(peer, now)];
  }

  /** What a peer sealed to us: its author is proved, when it was written is for us to judge. */
  received({ from, via, createdMs, content }: ReceivedSignal, now: Now): SignallingOutput[] {
    if (Math.abs(now.wall - createdMs) > FRESH_MS) return [{ type: "dropped", reason: "signal-stale" }];
    const signal = decodeSignal(content);
    if (!signal.ok) return [{ type: "dropped", reason: `signal-${signal.reason}` }];
    switch (signal.value.type) {
      case "intent":
        return this.#intent(from, via, now);
      case "ping":
        return [];
      case "offer":
        return this.#offer(from, via, signal.value.message, now);
      case "answer":
        return this.#answer(from, bytesToHex(signal.value.offerTag), signal.value.message, now);
      case "candidate":
        return this.#candidate(from, bytesToHex(signal.value.offerTag), signal.value.sealed);
    }
  }

  /** Our RTC stack has its description of a channel: the Offer or the Answer can go. */
  described(channel: string, description: Description, now: Now): SignallingOutput[] {
    const dial = this.#dials.ofChannel(channel);
    if (dial === undefined) return [];
    const payload = encodeSignalPayload({ sessionIndex: dial.localIndex, description });
    dial.repeatMono = now.mono + REPEAT_MS;
    if (dial.phase.type === "describing") {
      const { message, finish } = this.#options.crypto.initiate(dial.peer, payload);
      const content = encodeSignal({ type: "offer", message });
      dial.phase = { type: "offered", tag: tagOf(message), content, finish };
      return [{ type: "send-signal", peer: dial.peer, content }];
    }
    if (dial.phase.type !== "answering") return [];
    const { tag } = dial.phase;
    const answer = this.#incoming.respond(dial.peer, tag, payload);
    if (answer === undefined) return this.#fail(dial, "forgotten", now);
    const { message, keys, remoteIndex } = answer;
    dial.phase = { type: "opening", tag, agreed: { keys, remoteIndex }, lateCandidates: 0 };
    const content = encodeSignal({ type: "answer", offerTag: fromTag(tag), message });
    this.#incoming.remember(dial.peer, tag, content);
    return [{ type: "send-signal", peer: dial.peer, content }];
  }

  /** Our RTC stack found a candidate after its description had gone. */
  foundCandidate(channel: string, candidate: Candidate): SignallingOutput[] {
    const dial = this.#dials.ofChannel(channel);
    if (dial?.phase.type === "opening") return this.#sendCandidate(dial, dial.phase, candidate);
    if (dial?.phase.type === "offered" && dial.late.length < CANDIDATES_LATE_MAX) dial.late.push(candidate);
    return [];
  }

  opened(channel: string, now: Now): SignallingOutput[] {
    const dial = this.#dials.ofChannel(channel);
    if (dial?.phase.type !== "opening") return [];
    const { peer, localIndex, phase, wish } = dial;
    this.#dials.opened(dial);
    this.#incoming.opened(peer, now.mono);
    const isInitiator = this.#options.crypto.id > peer;
    const agreed = { channel, peer, isInitiator, localIndex, ...phase.agreed };
    return [{ type: "channel-ready", isOwn: wish === "own", channel: agreed }];
  }

  /** The channel ended before it was a link. */
  closed(channel: string, reason: string, now: Now): SignallingOutput[] {
    const dial = this.#dials.ofChannel(channel);
    return dial === undefined ? [] : this.#fail(dial, reason, now);
  }

  /** Gives up a dial that is under way, if there is one. */
  cancel(peer: NodeId): SignallingOutput[] {
    const dial = this.#dials.get(peer);
    return dial === undefined ? [] : this.#end(dial, "cancelled");
  }

  tick(now: Now): SignallingOutput[] {
    this.#incoming.expire(now.mono);
    return this.#dials.all().flatMap((dial) => {
      if (now.mono >= dial.untilMono) return this.#fail(dial, "timeout", now);
      if (now.mono < dial.repeatMono) return [];
      dial.repeatMono = now.mono + REPEAT_MS;
      if (dial.phase.type === "intended") return [this.#ask(dial.peer, now)];
      // The same bytes in a new envelope: the peer answers the same (PROTOCOL §9).
      if (dial.phase.type === "offered") return [{ type: "send-signal", peer: dial.peer, content: dial.phase.content }];
      return [];
    });
  }

  nextDeadline(): number | null {
    const next = Math.min(this.#incoming.nextDeadline() ?? Number.POSITIVE_INFINITY, this.#dials.nextDeadline());
    return next === Number.POSITIVE_INFINITY ? null : next;
  }

  #intent(from: NodeId, via: NodeId, now: Now): SignallingOutput[] {
    if (this.#options.crypto.id < from) return [{ type: "dropped", reason: "intent-wrong-side" }];
    const dial = this.#dials.get(from);
    // A repeated Intent finds its Offer under way, or what came of it.
    const hasCrossed = this.#options.hasChannel(from) && this.#incoming.hasOpenedLately(from, now.mono);
    if (dial !== undefined || hasCrossed) return [{ type: "dropped", reason: "intent-repeat" }];
    const admitted = this.#admit(from, via, now);
    if (typeof admitted === "string") return [{ type: "dropped", reason: `intent-${admitted}` }];
    return [...this.#makeRoom(admitted.place), ...this.#describe(from, admitted.wish, now)];
  }

  #offer(from: NodeId, via: NodeId, message: Uint8Array, now: Now): SignallingOutput[] {
    if (this.#options.crypto.id > from) return [{ type: "dropped", reason: "offer-wrong-side" }];
    const tag = tagOf(message);
    const repeated = this.#incoming.answerTo(from, tag);
    if (repeated === "pending") return [{ type: "dropped", reason: "offer-repeat" }];
    if (repeated !== undefined) return [{ type: "send-signal", peer: from, content: repeated }];
    const wanted = this.#dials.get(from);
    if (wanted !== undefined && wanted.phase.type !== "intended") return [{ type: "dropped", reason: "offer-busy" }];
    const isOwn = wanted !== undefined || this.#incoming.isAsked(from, now.mono);
    if (wanted === undefined && isOwn && !this.#dials.hasOwnRoom) return [{ type: "dropped", reason: "dials-full" }];
    const admitted = isOwn ? OWN : this.#admit(from, via, now);
    if (typeof admitted === "string") return [{ type: "dropped", reason: `offer-${admitted}` }];
    const response = this.#options.crypto.respond(message);
    if (response === undefined || response.initiator !== from) return [{ type: "dropped", reason: "offer-handshake" }];
    const payload = decodeSignalPayload(response.payload);
    if (!payload.ok) return [{ type: "dropped", reason: `offer-${payload.reason}` }];
    this.#incoming.pending(from, tag, response, payload.value.sessionIndex, now.mono);
    const ended = this.#makeRoom(admitted.place);
    if (wanted !== undefined) this.#dials.forget(wanted);
    const dial = this.#begin(from, { type: "answering", tag }, admitted.wish, now);
    const description = this.#acceptable(payload.value.description, from);
    return [...ended, { type: "rtc-accept", channel: dial.channel, label: this.#label(from), description }];
  }

  #answer(from: NodeId, tag: string, message: Uint8Array, now: Now): SignallingOutput[] {
    const dial = this.#dials.get(from);
    if (dial?.phase.type !== "offered" || dial.phase.tag !== tag)
      return [{ type: "dropped", reason: "answer-unasked" }];
    const finished = dial.phase.finish(message);
    if (finished === undefined) return [{ type: "dropped", reason: "answer-handshake" }];
    const payload = decodeSignalPayload(finished.payload);
    if (!payload.ok) return this.#fail(dial, "answer", now);
    const agreed = { keys: finished.keys, remoteIndex: payload.value.sessionIndex };
    const phase: Opening = { type: "opening", tag, agreed, lateCandidates: 0 };
    dial.phase = phase;
    const description = this.#acceptable(payload.value.description, from);
    return [
      { type: "rtc-answer", channel: dial.channel, description },
      ...dial.late.splice(0).flatMap((candidate) => this.#sendCandidate(dial, phase, candidate)),
      ...dial.early.splice(0).flatMap((sealed) => this.#openCandidate(dial, phase, sealed)),
    ];
  }

  #candidate(from: NodeId, tag: string, sealed: Uint8Array): SignallingOutput[] {
    const dial = this.#dials.get(from);
    if (dial?.phase.type === "opening" && dial.phase.tag === tag) return this.#openCandidate(dial, dial.phase, sealed);
    // Relays keep no order: it may come before the Answer that it belongs to.
    if (dial?.phase.type !== "offered" || dial.phase.tag !== tag || dial.early.length >= CANDIDATES_EARLY_MAX)
      return [{ type: "dropped", reason: "candidate-unasked" }];
    dial.early.push(sealed);
    return [];
  }

  #sendCandidate(dial: Dial, phase: Opening, candidate: Candidate): SignallingOutput[] {
    if (phase.lateCandidates >= CANDIDATES_LATE_MAX) return [];
    const offerTag = fromTag(phase.tag);
    const sealed = sealCandidate(phase.agreed.keys, offerTag, phase.lateCandidates, candidate);
    phase.lateCandidates += 1;
    return [this.#signal(dial.peer, { type: "candidate", offerTag, sealed })];
  }

  #openCandidate(dial: Dial, phase: Opening, sealed: Uint8Array): SignallingOutput[] {
    const candidate = openCandidate(phase.agreed.keys, fromTag(phase.tag), sealed);
    if (candidate === undefined) return [{ type: "dropped", reason: "candidate-sealed" }];
    const [accepted] = this.#options.acceptable([candidate], dial.peer);
    return accepted === undefined ? [] : [{ type: "rtc-candidate", channel: dial.channel, candidate: accepted }];
  }

  /** Where a dial of this peer's wish has its place, or why it has none. */
  #admit(from: NodeId, via: NodeId, now: Now): Admitted | "budget" | "rate" | "full" {
    if (!this.#options.hasRoom(now.mono)) return "budget";
    if (this.#incoming.isTooSoon(from, now.mono)) return "rate";
    const rank = 2 * this.#options.standing(from) + (this.#incoming.hasFailed(from) ? 0 : 1);
    const wish: PeersWish = { rank, via };
    const place = this.#dials.placeFor(wish, now.mono);
    return place === undefined ? "full" : { wish, place };
  }

  #makeRoom(place: Admitted["place"]): SignallingOutput[] {
    return place === "free" ? [] : this.#end(place, "it gave way to another");
  }

  #describe(peer: NodeId, wish: Wish, now: Now): SignallingOutput[] {
    const dial = this.#begin(peer, { type: "describing" }, wish, now);
    return [{ type: "rtc-offer", channel: dial.channel, label: this.#label(peer) }];
  }

  #begin(peer: NodeId, phase: Dial["phase"], wish: Wish, now: Now): Dial {
    if (wish !== "own") this.#incoming.begun(peer, now.mono);
    return this.#dials.begin(peer, phase, wish, now);
  }

  /** Without a back-off: it is not the peer's doing. */
  #end(dial: Dial, reason: string): SignallingOutput[] {
    this.#dials.forget(dial);
    return [
      { type: "rtc-cancel", channel: dial.channel },
      { type: "channel-failed", peer: dial.peer, reason },
    ];
  }

  #fail(dial: Dial, reason: string, now: Now): SignallingOutput[] {
    this.#dials.failed(dial, now.mono);
    const failed = { type: "channel-failed" as const, peer: dial.peer, reason };
    return dial.phase.type === "intended" ? [failed] : [{ type: "rtc-cancel", channel: dial.channel }, failed];
  }

  #acceptable(description: Description, peer: NodeId): Description {
    return { ...description, candidates: this.#options.acceptable(description.candidates, peer) };
  }

  #label(peer: NodeId): string {
    return channelLabel(this.#options.crypto.id, peer);
  }

  #ask(peer: NodeId, now: Now): SignallingOutput {
    this.#incoming.ask(peer, now.mono);
    return this.#signal(peer, { type: "intent" });
  }

  #signal(peer: NodeId, signal: Signal): SignallingOutput {
    return { type: "send-signal", peer, content: encodeSignal(signal) };
  }
}
