import type { NodeId, RandomSource } from "@starling/crypto-identity";
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
import { Admission, type Decision } from "./admission.ts";
import type { Counters } from "./counters.ts";
import { earliest } from "./earliest.ts";
import type { ForwardLimits } from "./forward-quota.ts";
import { Freshness } from "./freshness.ts";
import { FreshnessWatch } from "./freshness-watch.ts";
import type { ShedLimit } from "./ingress.ts";
import type { Links } from "./links.ts";
import type { ClockSetBack, SaveFreshnessBound } from "./output.ts";
import { PublishTokens } from "./publish-tokens.ts";

// What is carried for others and for ourselves: admission first, then the forwarder of unicasts and the tree of broadcasts. Nothing
// enters a filter or a table before it has been admitted.

export type ForwardingOutput =
  /** A Send that ends here, from the neighbour `via`. */
  | { readonly type: "arrived"; readonly via: NodeId; readonly id: string; readonly send: Send }
  /** What became of an envelope of our own. */
  | { readonly type: "settled"; readonly id: string; readonly outcome: Outcome }
  /** A broadcast of somebody else, for the first time. */
  | { readonly type: "published"; readonly id: string; readonly publication: Publication }
  | SaveFreshnessBound
  | ClockSetBack;

export type ForwardingOptions = {
  readonly self: NodeId;
  readonly network: string;
  readonly links: Links;
  readonly routing: RoutingLinks;
  readonly counters: Counters;
  readonly quota: ForwardLimits;
  readonly random: RandomSource;
  readonly floor: (sizeBytes: number) => number;
  readonly publishFloor: (sizeBytes: number) => number;
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
  readonly #admission: Admission;
  readonly #freshness: FreshnessWatch;

  constructor(options: ForwardingOptions, now: Now) {
    const { self, links, routing, counters } = options;
    this.#self = self;
    this.#links = links;
    this.#counters = counters;
    this.#forwarder = new Forwarder(self, routing, options.pendingMax);
    this.#broadcast = new BroadcastTree(() => links.peers(), now);
    const freshness = new Freshness(Math.max(now.wall, options.freshnessBoundMs));
    this.#freshness = new FreshnessWatch(freshness, counters, now);
    this.#admission = new Admission(
      {
        ...options,
        freshness,
        isPending: (id) => this.#forwarder.isPending(id),
        hasRoomFor: (from, sizeBytes) => this.#forwarder.hasRoomFor(from, sizeBytes),
      },
      now,
    );
  }

  get seenFilterBytes(): number {
    return this.#admission.seenFilterBytes;
  }

  get pendingCount(): number {
    return this.#forwarder.pendingCount;
  }

  get openCount(): number {
    return this.#forwarder.openCount;
  }

  /** Whether an ack may still be on its way over the link to this peer. */
  isInUse(peer: NodeId, nowMono: number): boolean {
    return this.#forwarder.isInUse(peer, nowMono);
  }

  /** Messages that wait for their turn. */
  get waitingCount(): number {
    return this.#admission.waitingCount;
  }

  get recipientCount(): number {
    return this.#admission.recipientCount;
  }

  /** An envelope of our own. It enters the SeenFilter, so that one that comes back is known. */
  originate(origination: Origination, digest: Uint8Array, now: Now): ForwardingOutput[] {
    this.#admission.note(digest, now);
    return this.#onForwarder(this.#forwarder.originate(origination, now.mono), now);
  }

  /** A broadcast of our own; it is stamped already, maybe anew. */
  publish(publication: Publication, digest: Uint8Array, isAgain: boolean, now: Now): void {
    this.#admission.note(digest, now);
    this.#onBroadcast(this.#broadcast.publish(publication, publicationId(digest), isAgain, now.mono), now);
  }

  /** Whether others carry this broadcast of our own. */
  isAbroad(id: string): boolean {
    return this.#broadcast.isAbroad(id);
  }

  /** What arrived here has reached its end: t is revealed to the links it came from. */
  delivered(id: string, t: Uint8Array, now: Now): ForwardingOutput[] {
    return this.#onForwarder(this.#forwarder.delivered(id, t), now);
  }

  refused(id: string, reason: SendFailReason, t: Uint8Array | undefined, now: Now): ForwardingOutput[] {
    return this.#onForwarder(this.#forwarder.refused(id, reason, t), now);
  }

  /** What this link is asked for, as a multiple of the floor. */
  price(peer: NodeId, nowMono: number): number {
    return this.#admission.price(peer, nowMono);
  }

  /** What the dearest link is asked for. */
  highestPrice(nowMono: number): number {
    return this.#admission.highestPrice(nowMono);
  }

  send(peer: NodeId, send: Send, now: Now): ForwardingOutput[] {
    return this.#onDecisions(this.#admission.send(peer, send, now), now);
  }

  answer(peer: NodeId, message: SendAck | SendFail, now: Now): ForwardingOutput[] {
    if (message.type === "send-ack") {
      return this.#onForwarder(this.#forwarder.acknowledged(peer, message, now.mono), now);
    }
    return this.#onForwarder(this.#forwarder.failed(peer, message, now.mono), now);
  }

  published(peer: NodeId, publish: Publish, now: Now): ForwardingOutput[] {
    return this.#onDecisions(this.#admission.publish(peer, publish, now), now);
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

  /** A link to this peer is there: the first, one over another carrier, or one that began anew. */
  opened(peer: NodeId, now: Now): void {
    this.#onBroadcast(this.#broadcast.opened(peer, now.mono), now);
  }

  /** The last link to this peer is gone. */
  closed(peer: NodeId, now: Now): void {
    this.#admission.closed(peer);
    this.#onBroadcast(this.#broadcast.closed(peer), now);
  }

  /** `correctionMs`: by how much `now` is not what the machine's own clock shows. */
  tick(now: Now, correctionMs: number): ForwardingOutput[] {
    const outputs = this.#onDecisions(this.#admission.tick(now), now);
    this.#onBroadcast(this.#broadcast.tick(now), now);
    outputs.push(...this.#onForwarder(this.#forwarder.tick(now.mono), now), ...this.#freshness.tick(now, correctionMs));
    return outputs;
  }

  /** Before a broadcast of this time is handed to programs; `correctionMs` as above. */
  beforeHandingOut(timestampMs: number, now: Now, correctionMs: number): SaveFreshnessBound[] {
    return this.#freshness.beforeHandingOut(timestampMs, now, correctionMs);
  }

  /** The last that a next start should know. */
  close(now: Now): ForwardingOutput[] {
    return this.#freshness.close(now);
  }

  nextDeadline(): number | null {
    return earliest(this.#admission.nextDeadline(), this.#forwarder.nextDeadline(), this.#broadcast.nextDeadline());
  }

  #onDecisions(decisions: readonly Decision[], now: Now): ForwardingOutput[] {
    return decisions.flatMap((decision) =>
      decision.kind === "send" ? this.#onSend(decision, now) : this.#onPublish(decision, now),
    );
  }

  #onSend({ from, send, verdict }: Decision & { kind: "send" }, now: Now): ForwardingOutput[] {
    const isMine = send.envelope.recipient === this.#self;
    switch (verdict.type) {
      case "refused":
        this.#refuse(from, send, verdict.reason, verdict.detail, now);
        this.#noteShed(verdict.limit);
        return this.#drop(`send-${verdict.reason}`);
      case "waiting":
        return this.#drop("send-repeat");
      case "pending":
        return this.#onForwarder(this.#forwarder.repeated(from, verdict.id), now);
      case "seen":
        // A recipient may have acknowledged it in an earlier life: what it holds by message id decides.
        if (isMine && this.#admission.admitRepeat(from, now.mono)) return this.#arrive(from, verdict.id, send, now);
        this.#refuse(from, send, "seen", 0, now);
        return this.#drop("send-seen");
      case "admitted":
        if (isMine) return this.#arrive(from, verdict.id, send, now);
        return this.#onForwarder(this.#forwarder.forward(from, verdict.id, send, now.mono), now);
    }
  }

  #onPublish({ from, publish, verdict }: Decision & { kind: "publish" }, now: Now): ForwardingOutput[] {
    switch (verdict.type) {
      case "refused":
        // Its author hears of a price by the next Pong.
        this.#noteShed(verdict.limit);
        return this.#drop(`publish-${verdict.reason}`);
      case "waiting":
        return this.#drop("publish-repeat");
      case "repeated":
        this.#counters.add("received.publish-again");
        this.#onBroadcast(this.#broadcast.repeated(from, publish, verdict.id), now);
        return [];
      case "admitted":
        this.#counters.add("received.publish");
        this.#onBroadcast(this.#broadcast.received(from, publish, verdict.id, now.mono), now);
        return [{ type: "published", id: verdict.id, publication: publish.publication }];
    }
  }

  #arrive(peer: NodeId, id: string, send: Send, now: Now): ForwardingOutput[] {
    this.#forwarder.keep(peer, id, send, now.mono);
    return [{ type: "arrived", via: peer, id, send }];
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
