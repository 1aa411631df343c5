import { RotatingFilter } from "@starling/bloom";
import type { Identity, NodeId, RandomSource } from "@starling/crypto-identity";
import { PUBLISH_FLOOR, SEND_FLOOR, stampFloor } from "@starling/hashcash";
import type {
  BroadcastOutput,
  ForwarderOutput,
  MembershipOutput,
  Neighbour,
  Now,
  Origination,
  Outcome,
} from "@starling/peer-manager";
import { BroadcastTree, Forwarder, Membership } from "@starling/peer-manager";
import type { SessionCrypto, SessionEvent, SessionInfo } from "@starling/session";
import { createSessionCrypto, SessionTable } from "@starling/session";
import type {
  Address,
  Contact,
  DirectResult,
  Frame,
  MessageBody,
  NodeRole,
  Publication,
  Publish,
  Send,
  SendFailReason,
} from "@starling/wire-protocol";
import {
  bytesToHex,
  decodeLookup,
  decodeMessage,
  encodeBye,
  encodeMessage,
  encodeNodes,
  encodePong,
  FRAME_KIND,
  publicationId,
} from "@starling/wire-protocol";
import { Counters } from "./counters.ts";
import { Freshness } from "./freshness.ts";
import { type IngressState, judge, judgePublish, type PublishIngressState } from "./ingress.ts";
import type { RelayInput } from "./input.ts";
import type { LinkQuotaLimits } from "./link-quota.ts";
import { DEFAULT_LINK_QUOTA, LinkQuota } from "./link-quota.ts";
import type { RelayOutput } from "./output.ts";

// What a relay and a node have in common: sessions, membership and forwarding, wired by plain calls. It decides nothing about a
// Send that ends here: that is an output, `arrived`, which RelayCore refuses and NodeCore delivers.

const SEEN_ROTATION_MS = 180_000;
/** The message quota of one rotation at which the filter starts, and the most that it grows to. */
const SEEN_INITIAL = 65_536;
const SEEN_MAX = 4_194_304;
const SEEN_ERROR_RATE = 1e-9;

export type OverlayOptions = {
  readonly identity: Identity;
  readonly network: string;
  readonly role: NodeRole;
  readonly bootstrap: readonly Contact[];
  readonly announce: readonly Address[];
  readonly maxNeighbours: number;
  readonly random: RandomSource;
  /** Replaced by the simulator only. */
  readonly crypto?: SessionCrypto;
  readonly floor?: (sizeBytes: number) => number;
  readonly publishFloor?: (sizeBytes: number) => number;
  readonly quota?: LinkQuotaLimits;
  /** A persisted lower bound of freshness, where there is one. */
  readonly freshnessBoundMs?: number;
};

export type OverlayOutput =
  | RelayOutput
  | { readonly type: "arrived"; readonly id: string; readonly send: Send }
  | { readonly type: "settled"; readonly id: string; readonly outcome: Outcome }
  /** A Direct from the other end of a link, or its answer to one of ours. */
  | { readonly type: "direct-arrived"; readonly peer: NodeId; readonly body: MessageBody }
  | {
      readonly type: "direct-answered";
      readonly peer: NodeId;
      readonly messageId: string;
      readonly result: DirectResult;
    }
  /** A broadcast of somebody else, for the first time. */
  | { readonly type: "published"; readonly id: string; readonly publication: Publication };

export class Overlay {
  readonly counters: Counters = new Counters();
  readonly #options: OverlayOptions;
  readonly #ingress: IngressState & PublishIngressState;
  readonly #sessions: SessionTable;
  readonly #membership: Membership;
  readonly #forwarder: Forwarder;
  readonly #broadcast: BroadcastTree;
  readonly #seen: RotatingFilter;
  readonly #quota: LinkQuota;

  constructor(options: OverlayOptions, now: Now) {
    const { identity, network, random } = options;
    this.#options = options;
    this.#quota = new LinkQuota(options.quota ?? DEFAULT_LINK_QUOTA);
    this.#seen = new RotatingFilter({
      rotationMs: SEEN_ROTATION_MS,
      initialCapacity: SEEN_INITIAL,
      maxCapacity: SEEN_MAX,
      errorRate: SEEN_ERROR_RATE,
      key: random(16),
      nowMs: now.mono,
    });
    this.#membership = new Membership(options);
    this.#sessions = new SessionTable({
      crypto: options.crypto ?? createSessionCrypto({ identity, network, random }),
      random,
      owner: {
        pongBody: ({ echo, observed, now: at }) => this.#pongBody(echo, observed, at),
        nodesBody: (lookupBody, from) => this.#nodesBody(lookupBody, from),
      },
      limits: { links: options.maxNeighbours + options.bootstrap.length },
    });
    this.#forwarder = new Forwarder(identity.id, {
      has: (id) => this.#membership.neighbour(id) !== undefined,
      reachable: () => this.#membership.neighbours().flatMap(({ id, reachable }) => (reachable ? [id] : [])),
      anchors: () => this.#membership.anchors().map(({ id }) => id),
      // A relay is one because its operator says that it can be reached.
      selfReachable: options.role === "relay" || options.announce.length > 0,
    });
    this.#broadcast = new BroadcastTree(() => this.#membership.neighbours().map(({ id }) => id));
    this.#ingress = {
      network,
      freshness: new Freshness(Math.max(now.wall, options.freshnessBoundMs ?? 0)),
      seen: this.#seen,
      quota: this.#quota,
      floor: options.floor ?? ((sizeBytes) => stampFloor("send", sizeBytes)),
      publishFloor: options.publishFloor ?? ((sizeBytes) => stampFloor("publish", sizeBytes)),
      isPending: (id) => this.#forwarder.isPending(id),
      hasRoomFor: (sizeBytes) => this.#forwarder.hasRoomFor(sizeBytes),
    };
  }

  get id(): NodeId {
    return this.#options.identity.id;
  }

  handle(input: RelayInput, now: Now): OverlayOutput[] {
    return this.#sessions.receive(input.bytes, input.from, now).flatMap((event) => this.#onSession(event, now));
  }

  tick(now: Now): OverlayOutput[] {
    const outputs = this.#sessions.tick(now).flatMap((event) => this.#onSession(event, now));
    this.#seen.advance(now.mono);
    this.#forwarder.tick(now.mono);
    this.#onBroadcast(this.#broadcast.tick(now.mono), now);
    outputs.push(...this.#onMembership(this.#membership.tick(now), now));
    return outputs;
  }

  nextDeadline(): number | null {
    const deadlines = [
      this.#sessions.nextDeadline(),
      this.#membership.nextDeadline(),
      this.#forwarder.nextDeadline(),
      this.#broadcast.nextDeadline(),
    ].filter((deadline) => deadline !== null);
    return deadlines.length === 0 ? null : Math.min(...deadlines);
  }

  /** What has to go out after any of the other calls; the owner calls it last. */
  flush(now: Now): RelayOutput[] {
    return this.#sessions.flush(now).map(({ to, datagram }) => ({ type: "transmit", to, datagram }));
  }

  /** Carries an envelope of our own. It enters the SeenFilter, so that one that comes back is known. */
  originate(origination: Origination, digest: Uint8Array, now: Now): OverlayOutput[] {
    this.#seen.add(digest, now.mono);
    return this.#onForwarder(this.#forwarder.originate(origination, now.mono), now);
  }

  /** Spreads a broadcast of our own; it is stamped already. */
  publish(publication: Publication, digest: Uint8Array, now: Now): void {
    this.#seen.add(digest, now.mono);
    this.#onBroadcast(this.#broadcast.publish(publication, publicationId(digest), now.mono), now);
  }

  /** An envelope that arrived has reached its end; t is revealed to the links it came from. */
  delivered(id: string, t: Uint8Array, now: Now): OverlayOutput[] {
    return this.#onForwarder(this.#forwarder.delivered(id, t), now);
  }

  refused(id: string, reason: SendFailReason, t: Uint8Array | undefined, now: Now): OverlayOutput[] {
    return this.#onForwarder(this.#forwarder.refused(id, reason, t), now);
  }

  /** Sends a message on the link to its recipient; false where no link takes it. */
  sendDirect(peer: NodeId, body: MessageBody, now: Now): boolean {
    return this.#sessions.send(peer, encodeMessage({ type: "direct", body }), now) === "queued";
  }

  answerDirect(peer: NodeId, messageId: Uint8Array, result: DirectResult, now: Now): void {
    this.#sessions.send(peer, encodeMessage({ type: "direct-ack", messageId, result }), now);
  }

  /** Says Bye to every neighbour. */
  close(now: Now): OverlayOutput[] {
    const bye = encodeBye({ type: "bye", reason: "closing" });
    return this.#sessions.sessions().flatMap(({ peer }) => {
      return this.#sessions.close(peer, bye, now).flatMap((event) => this.#onSession(event, now));
    });
  }

  neighbours(): Neighbour[] {
    return this.#membership.neighbours();
  }

  anchors(): NodeId[] {
    return this.#membership.anchors().map(({ id }) => id);
  }

  session(id: NodeId): SessionInfo | undefined {
    return this.#sessions.get(id);
  }

  get observed(): Address | undefined {
    return this.#membership.observed;
  }

  get seenFilterBytes(): number {
    return this.#seen.sizeBytes;
  }

  get pendingCount(): number {
    return this.#forwarder.pendingCount;
  }

  /** All counts, those of the sessions included. */
  counts(): Record<string, number> {
    return { ...Object.fromEntries(this.#sessions.counters), ...this.counters.snapshot() };
  }

  #onSession(event: SessionEvent, now: Now): OverlayOutput[] {
    switch (event.type) {
      case "opened": {
        const { peer, address } = event;
        const outputs = this.#onMembership(this.#membership.opened(peer, address, now), now);
        return [{ type: "link-opened", peer, address }, ...outputs];
      }
      case "frame":
        return this.#onFrame(event.peer, event.frame, now);
      case "acknowledged":
        this.#forwarder.handedOver(event.token);
        return [];
      case "undelivered":
        return this.#onForwarder(this.#forwarder.undelivered(event.token, now.mono), now);
      case "nodes":
        return this.#onFrame(event.peer, { kind: FRAME_KIND.nodes, body: event.body }, now);
      case "moved":
        this.#membership.moved(event.peer, event.address);
        return [];
      case "unreachable":
        this.#membership.unanswered(event.peer, now);
        return [{ type: "link-unanswered", peer: event.peer, address: event.address }];
      case "closed":
        this.#membership.closed(event.peer, now);
        this.#quota.closed(event.peer);
        this.#broadcast.closed(event.peer);
        return [{ type: "link-closed", peer: event.peer, reason: event.reason }];
    }
  }

  #onFrame(peer: NodeId, frame: Frame, now: Now): OverlayOutput[] {
    const message = decodeMessage(frame);
    if (!message.ok) return this.#drop(message.reason);
    switch (message.value.type) {
      case "send":
        return this.#onSend(peer, message.value, now);
      case "send-ack":
        return this.#onForwarder(this.#forwarder.acknowledged(peer, message.value, now.mono), now);
      case "send-fail":
        return this.#onForwarder(this.#forwarder.failed(peer, message.value, now.mono), now);
      case "announce":
      case "lookup":
      case "nodes":
      case "pong":
        return this.#onMembership(this.#membership.received(peer, message.value, now), now);
      case "bye":
        return [];
      case "publish":
        return this.#onPublish(peer, message.value, now);
      case "have":
      case "want":
      case "graft":
      case "prune":
        this.#onBroadcast(this.#broadcast.upkeep(peer, message.value, now.mono), now);
        return [];
      case "direct":
        return [{ type: "direct-arrived", peer, body: message.value.body }];
      case "direct-ack": {
        const { messageId, result } = message.value;
        return [{ type: "direct-answered", peer, messageId: bytesToHex(messageId), result }];
      }
    }
  }

  #onSend(peer: NodeId, send: Send, now: Now): OverlayOutput[] {
    const verdict = judge(this.#ingress, peer, send, now);
    const mine = send.envelope.recipient === this.id;
    switch (verdict.type) {
      case "refused":
        this.#refuse(peer, send, verdict.reason, verdict.detail, now);
        return this.#drop(`send-${verdict.reason}`);
      case "pending":
        return this.#onForwarder(this.#forwarder.repeated(peer, verdict.id), now);
      case "seen":
        // A recipient may have acknowledged it in an earlier life: what it holds by message id decides.
        if (mine && this.#quota.admitRepeat(peer, now.mono)) return this.#arrive(peer, verdict.id, send, now);
        this.#refuse(peer, send, "seen", 0, now);
        return this.#drop("send-seen");
      case "admitted":
        if (mine) return this.#arrive(peer, verdict.id, send, now);
        return this.#onForwarder(this.#forwarder.forward(peer, verdict.id, send, now.mono), now);
    }
  }

  #onPublish(peer: NodeId, publish: Publish, now: Now): OverlayOutput[] {
    const verdict = judgePublish(this.#ingress, peer, publish, now);
    switch (verdict.type) {
      case "refused":
        return this.#drop(`publish-${verdict.reason}`);
      case "repeated":
        this.#onBroadcast(this.#broadcast.repeated(peer, publish, verdict.id), now);
        return [];
      case "admitted":
        this.#onBroadcast(this.#broadcast.received(peer, publish, verdict.id, now.mono), now);
        return [{ type: "published", id: verdict.id, publication: publish.publication }];
    }
  }

  #arrive(peer: NodeId, id: string, send: Send, now: Now): OverlayOutput[] {
    this.#forwarder.keep(peer, id, send, now.mono);
    return [{ type: "arrived", id, send }];
  }

  #refuse(peer: NodeId, send: Send, reason: SendFailReason, detail: number, now: Now): void {
    const { lock } = send.envelope;
    this.#sessions.send(peer, encodeMessage({ type: "send-fail", lock, reason, detail, t: undefined }), now);
  }

  #onMembership(membershipOutputs: readonly MembershipOutput[], now: Now): OverlayOutput[] {
    const outputs: OverlayOutput[] = [];
    for (const output of membershipOutputs) {
      switch (output.type) {
        case "dial":
          this.#sessions.connect(output.peer, output.address, now);
          break;
        case "send":
          this.#sessions.send(output.peer, encodeMessage(output.message), now);
          break;
        case "hang-up": {
          const bye = encodeBye({ type: "bye", reason: output.reason });
          for (const event of this.#sessions.close(output.peer, bye, now)) outputs.push(...this.#onSession(event, now));
          break;
        }
        case "dropped":
          this.#drop(output.reason);
      }
    }
    return outputs;
  }

  #onForwarder(forwarderOutputs: readonly ForwarderOutput[], now: Now): OverlayOutput[] {
    const outputs: OverlayOutput[] = [];
    for (const output of forwarderOutputs) {
      switch (output.type) {
        case "send": {
          const taken = this.#sessions.send(output.peer, output.frame, now, output.token);
          if (output.token === undefined) break;
          if (taken === "queued") this.counters.add(output.own ? "sent.send" : "forwarded.send");
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
      if (output.type === "dropped") this.#drop(output.reason);
      else {
        this.#sessions.send(output.peer, encodeMessage(output.message), now);
        if (output.message.type === "publish") this.counters.add("forwarded.publish");
      }
    }
  }

  #drop(reason: string): OverlayOutput[] {
    this.counters.add(`dropped.${reason}`);
    return [];
  }

  #pongBody(echo: Uint8Array, observed: Address, now: Now): Uint8Array {
    return encodePong({
      type: "pong",
      echo,
      wallMs: now.wall,
      sendPrice: SEND_FLOOR,
      publishPrice: PUBLISH_FLOOR,
      observed,
      contacts: this.#membership.sample(observed),
    });
  }

  #nodesBody(lookupBody: Uint8Array, from: Address): Uint8Array {
    const lookup = decodeLookup(lookupBody);
    return lookup.ok ? encodeNodes(this.#membership.answer(lookup.value, from)) : new Uint8Array(0);
  }
}
