import { RotatingFilter } from "@starling/bloom";
import type { NodeId, RandomSource } from "@starling/crypto-identity";
import { stampFloor } from "@starling/hashcash";
import type {
  BroadcastOutput,
  ForwarderOutput,
  Now,
  Origination,
  Outcome,
  Links as RoutingLinks,
  Upkeep,
} from "@starling/peer-manager";
import { BroadcastTree, Forwarder } from "@starling/peer-manager";
import type { Publication, Publish, Send, SendAck, SendFail, SendFailReason } from "@starling/wire-protocol";
import { encodeMessage, publicationId } from "@starling/wire-protocol";
import type { Counters } from "./counters.ts";
import { type ForwardLimits, ForwardQuota } from "./forward-quota.ts";
import { Freshness } from "./freshness.ts";
import { type IngressState, judge, judgePublish, type PublishIngressState, type ShedLimit } from "./ingress.ts";
import type { Links } from "./links.ts";
import { PublishTokens } from "./publish-tokens.ts";

// What is carried for others and for ourselves: the ladder that it climbs first, then the forwarder of unicasts and the tree of
// broadcasts. Nothing enters a filter or a table before the ladder has admitted it.

const SEEN_ROTATION_MS = 180_000;
/** The message quota of one rotation at which the filter starts, and the most that it grows to. */
const SEEN_INITIAL = 65_536;
const SEEN_MAX = 4_194_304;
const SEEN_ERROR_RATE = 1e-9;

export type ForwardingOutput =
  /** A Send that ends here. */
  | { readonly type: "arrived"; readonly id: string; readonly send: Send }
  /** What became of an envelope of our own. */
  | { readonly type: "settled"; readonly id: string; readonly outcome: Outcome }
  /** A broadcast of somebody else, for the first time. */
  | { readonly type: "published"; readonly id: string; readonly publication: Publication };

export type ForwardingOptions = {
  readonly self: NodeId;
  readonly network: string;
  readonly links: Links;
  readonly routing: RoutingLinks;
  readonly counters: Counters;
  readonly quota: ForwardLimits;
  readonly random: RandomSource;
  readonly floor: ((sizeBytes: number) => number) | undefined;
  readonly publishFloor: ((sizeBytes: number) => number) | undefined;
  readonly freshnessBoundMs: number;
  /** Envelopes that may be under way at once. */
  readonly pendingMax: number | undefined;
  /** Messages that the SeenFilter may grow to, a rotation. */
  readonly seenMax: number | undefined;
};

export class Forwarding {
  readonly #self: NodeId;
  readonly #links: Links;
  readonly #counters: Counters;
  readonly #forwarder: Forwarder;
  readonly #broadcast: BroadcastTree;
  readonly #publishTokens = new PublishTokens();
  readonly #seen: RotatingFilter;
  readonly #quota: ForwardQuota;
  readonly #ingress: IngressState & PublishIngressState;

  constructor(options: ForwardingOptions, now: Now) {
    const { self, network, links, routing, counters } = options;
    this.#self = self;
    this.#links = links;
    this.#counters = counters;
    this.#forwarder = new Forwarder(self, routing, options.pendingMax);
    this.#broadcast = new BroadcastTree(() => links.peers(), now);
    this.#quota = new ForwardQuota(options.quota, now.mono);
    this.#seen = new RotatingFilter({
      rotationMs: SEEN_ROTATION_MS,
      initialCapacity: Math.min(SEEN_INITIAL, options.seenMax ?? SEEN_MAX),
      maxCapacity: options.seenMax ?? SEEN_MAX,
      errorRate: SEEN_ERROR_RATE,
      key: options.random(16),
      nowMs: now.mono,
    });
    this.#ingress = {
      network,
      freshness: new Freshness(Math.max(now.wall, options.freshnessBoundMs)),
      seen: this.#seen,
      quota: this.#quota,
      floor: options.floor ?? ((sizeBytes) => stampFloor("send", sizeBytes)),
      publishFloor: options.publishFloor ?? ((sizeBytes) => stampFloor("publish", sizeBytes)),
      isPending: (id) => this.#forwarder.isPending(id),
      hasRoomFor: (from, sizeBytes) => this.#forwarder.hasRoomFor(from, sizeBytes),
    };
  }

  get seenFilterBytes(): number {
    return this.#seen.sizeBytes;
  }

  get pendingCount(): number {
    return this.#forwarder.pendingCount;
  }

  get openCount(): number {
    return this.#forwarder.openCount;
  }

  get recipientCount(): number {
    return this.#quota.recipientCount;
  }

  /** An envelope of our own. It enters the SeenFilter, so that one that comes back is known. */
  originate(origination: Origination, digest: Uint8Array, now: Now): ForwardingOutput[] {
    this.#seen.add(digest, now.mono);
    return this.#onForwarder(this.#forwarder.originate(origination, now.mono), now);
  }

  /** A broadcast of our own; it is stamped already. */
  publish(publication: Publication, digest: Uint8Array, now: Now): void {
    this.#seen.add(digest, now.mono);
    this.#onBroadcast(this.#broadcast.publish(publication, publicationId(digest), now.mono), now);
  }

  /** What arrived here has reached its end: t is revealed to the links it came from. */
  delivered(id: string, t: Uint8Array, now: Now): ForwardingOutput[] {
    return this.#onForwarder(this.#forwarder.delivered(id, t), now);
  }

  refused(id: string, reason: SendFailReason, t: Uint8Array | undefined, now: Now): ForwardingOutput[] {
    return this.#onForwarder(this.#forwarder.refused(id, reason, t), now);
  }

  send(peer: NodeId, send: Send, now: Now): ForwardingOutput[] {
    const verdict = judge(this.#ingress, peer, send, now);
    const isMine = send.envelope.recipient === this.#self;
    switch (verdict.type) {
      case "refused":
        this.#refuse(peer, send, verdict.reason, verdict.detail, now);
        this.#noteShed(verdict.limit);
        return this.#drop(`send-${verdict.reason}`);
      case "pending":
        return this.#onForwarder(this.#forwarder.repeated(peer, verdict.id), now);
      case "seen":
        // A recipient may have acknowledged it in an earlier life: what it holds by message id decides.
        if (isMine && this.#quota.admitRepeat(peer, now.mono)) return this.#arrive(peer, verdict.id, send, now);
        this.#refuse(peer, send, "seen", 0, now);
        return this.#drop("send-seen");
      case "admitted":
        if (isMine) return this.#arrive(peer, verdict.id, send, now);
        return this.#onForwarder(this.#forwarder.forward(peer, verdict.id, send, now.mono), now);
    }
  }

  answer(peer: NodeId, message: SendAck | SendFail, now: Now): ForwardingOutput[] {
    if (message.type === "send-ack") {
      return this.#onForwarder(this.#forwarder.acknowledged(peer, message, now.mono), now);
    }
    return this.#onForwarder(this.#forwarder.failed(peer, message, now.mono), now);
  }

  published(peer: NodeId, publish: Publish, now: Now): ForwardingOutput[] {
    const verdict = judgePublish(this.#ingress, peer, publish, now);
    switch (verdict.type) {
      case "refused":
        this.#noteShed(verdict.limit);
        return this.#drop(`publish-${verdict.reason}`);
      case "repeated":
        this.#counters.add("received.publish-again");
        this.#onBroadcast(this.#broadcast.repeated(peer, publish, verdict.id, now.mono), now);
        return [];
      case "admitted":
        this.#counters.add("received.publish");
        this.#onBroadcast(this.#broadcast.received(peer, publish, verdict.id, now.mono), now);
        return [{ type: "published", id: verdict.id, publication: publish.publication }];
    }
  }

  upkeep(peer: NodeId, message: Upkeep, now: Now): void {
    this.#onBroadcast(this.#broadcast.upkeep(peer, message, now.mono), now);
  }

  /** The neighbour's session took a Send or a Publish in, or gave it back. */
  handedOver(token: number): void {
    if (this.#publishTokens.take(token) === undefined) this.#forwarder.handedOver(token);
  }

  undelivered(token: number, now: Now): ForwardingOutput[] {
    const publish = this.#publishTokens.take(token);
    if (publish === undefined) return this.#onForwarder(this.#forwarder.undelivered(token, now.mono), now);
    this.#onBroadcast(this.#broadcast.handedBack(publish.peer, publish.shortId), now);
    return [];
  }

  /** The first link to this peer is there. */
  opened(peer: NodeId, now: Now): void {
    this.#onBroadcast(this.#broadcast.opened(peer, now.mono), now);
  }

  /** The last link to this peer is gone. */
  closed(peer: NodeId, now: Now): void {
    this.#quota.closed(peer);
    this.#onBroadcast(this.#broadcast.closed(peer), now);
  }

  tick(now: Now): ForwardingOutput[] {
    this.#seen.advance(now.mono);
    this.#onBroadcast(this.#broadcast.tick(now), now);
    return this.#onForwarder(this.#forwarder.tick(now.mono), now);
  }

  nextDeadline(): number | null {
    const [forwarder, broadcast] = [this.#forwarder.nextDeadline(), this.#broadcast.nextDeadline()];
    return forwarder === null || broadcast === null ? (forwarder ?? broadcast) : Math.min(forwarder, broadcast);
  }

  #arrive(peer: NodeId, id: string, send: Send, now: Now): ForwardingOutput[] {
    this.#forwarder.keep(peer, id, send, now.mono);
    return [{ type: "arrived", id, send }];
  }

  #refuse(peer: NodeId, send: Send, reason: SendFailReason, detail: number, now: Now): void {
    const { lock } = send.envelope;
    this.#links.send(peer, encodeMessage({ type: "send-fail", lock, reason, detail, t: undefined }), now);
  }

  #onForwarder(forwarderOutputs: readonly ForwarderOutput[], now: Now): ForwardingOutput[] {
    const outputs: ForwardingOutput[] = [];
    for (const output of forwarderOutputs) {
      switch (output.type) {
        case "send": {
          const taken = this.#links.send(output.peer, output.frame, now, output.token);
          if (output.token === undefined) break;
          if (taken === "queued") this.#counters.add(output.own ? "sent.send" : "forwarded.send");
          else outputs.push(...this.#onForwarder(this.#forwarder.undelivered(output.token, now.mono), now));
          break;
        }
        case "settled":
          outputs.push(output);
          break;
        case "dropped":
          this.#drop(output.reason);
      }
    }
    return outputs;
  }

  #onBroadcast(outputs: readonly BroadcastOutput[], now: Now): void {
    for (const output of outputs) {
      switch (output.type) {
        case "publish": {
          const { peer, shortId } = output;
          const token = this.#publishTokens.add({ peer, shortId });
          if (this.#links.send(peer, encodeMessage(output.message), now, token) !== "queued") {
            this.#publishTokens.take(token);
            this.#drop("publish-unsent");
            break;
          }
          this.#counters.add("forwarded.publish");
          break;
        }
        case "send":
          this.#links.send(output.peer, encodeMessage(output.message), now);
          break;
        case "suspect":
          this.#links.suspect(output.peer, now);
          break;
        case "dropped":
          this.#drop(output.reason);
      }
    }
  }

  #noteShed(limit: ShedLimit | undefined): void {
    if (limit !== undefined) this.#counters.add(`shed.${limit}`);
  }

  #drop(reason: string): ForwardingOutput[] {
    this.#counters.add(`dropped.${reason}`);
    return [];
  }
}
