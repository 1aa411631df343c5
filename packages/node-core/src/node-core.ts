import type { NodeId } from "@starling/crypto-identity";
import { stampFloor } from "@starling/hashcash";
import { acceptedCandidates, type Neighbour, type Now, type PeerView } from "@starling/peer-manager";
import { createSessionCrypto, type SessionInfo } from "@starling/session";
import {
  type Address,
  type Candidate,
  type Contact,
  encodeSignal,
  hexToBytes,
  MESSAGE_ID_BYTES,
} from "@starling/wire-protocol";
import { Acquaintances } from "./acquaintances.ts";
import { ChannelDemand } from "./channel-demand.ts";
import { Delivery, type DeliveryOptions, type DeliveryOutput, INBOX_AGE_MS, type ReturnPath } from "./delivery.ts";
import { earliest } from "./earliest.ts";
import { type DatedBroadcast, EarlyBroadcasts, isPast } from "./early-broadcasts.ts";
import { Finder, type FinderOutput } from "./finder.ts";
import type { NodeInput, Reply, Submit } from "./input.ts";
import { LinkRequests } from "./link-requests.ts";
import { OpenRequests } from "./open-requests.ts";
import { Outbox } from "./outbox.ts";
import type { OutboxOutput } from "./outbox-output.ts";
import { isOutgoingSignal, OutgoingSignals } from "./outgoing-signals.ts";
import type { NodeOutput, OpenMessage, RtcCommand } from "./output.ts";
import { Overlay } from "./overlay.ts";
import type { OverlayOptions, OverlayOutput } from "./overlay-options.ts";
import { Publisher, type PublisherOutput } from "./publisher.ts";
import { Signalling } from "./signalling.ts";
import type { SignallingOutput } from "./signalling-output.ts";
import type { Prices } from "./told-prices.ts";
import { Tracer, type TracerOutput } from "./tracer.ts";

// Which machine an input is for, and which one takes what another says, until only what is for the outside is left. What is decided
// about any of it stands with the machines.

/** Whom this node shows its addresses to: everybody, or its neighbours only. */
export type IcePolicy = "all" | "relayed-only";

/** What a node is made of: identity, network, bootstrap contacts, limits, and what an earlier life left on disk. */
export type NodeCoreOptions = Omit<OverlayOptions, "role" | "hidesAddress"> &
  Partial<Pick<DeliveryOptions, "waiting" | "delivered" | "inboxAgeMs">> & {
    /** Under `relayed-only` no channel is opened and no record holds an address (PROTOCOL §6, §9). Default `all`. */
    readonly icePolicy?: IcePolicy;
  };

type Step =
  | FinderOutput
  | TracerOutput
  | OverlayOutput
  | OutboxOutput
  | DeliveryOutput
  | PublisherOutput
  | SignallingOutput
  | RtcCommand
  | NodeOutput;

const DEFAULT_MAX_CHANNELS = 128;
/** Neighbours that a Lookup begins with. */
const FINDER_STARTS = 8;

/**
 * A node: the overlay, signalling, the outbox of its programs and the delivery to them. It is handed an input and the time, and
 * returns what should happen.
 */
export class NodeCore {
  readonly #overlay: Overlay;
  readonly #signalling: Signalling;
  readonly #outbox: Outbox;
  readonly #finder: Finder;
  readonly #tracer: Tracer;
  readonly #publisher: Publisher;
  readonly #delivery: Delivery;
  readonly #early = new EarlyBroadcasts();
  readonly #requests = new OpenRequests();
  readonly #linkRequests: LinkRequests;
  readonly #signals = new OutgoingSignals();
  readonly #demand = new ChannelDemand();
  readonly #acquaintances = new Acquaintances();

  constructor(options: NodeCoreOptions, now: Now) {
    const { identity, network, random, waiting = [], delivered = [] } = options;
    const hidesAddress = options.icePolicy === "relayed-only";
    // Candidates are addresses; who may not be shown one gets no Offer and no Answer.
    const maxChannels = hidesAddress ? 0 : (options.maxChannels ?? DEFAULT_MAX_CHANNELS);
    const floor = options.floor ?? ((sizeBytes: number) => stampFloor("send", sizeBytes));
    const publishFloor = options.publishFloor ?? ((sizeBytes: number) => stampFloor("publish", sizeBytes));
    this.#overlay = new Overlay({ ...options, hidesAddress, maxChannels, floor, publishFloor, role: "node" }, now);
    this.#signalling = new Signalling({
      crypto: createSessionCrypto({ identity, network, random, purpose: "channel" }),
      random,
      acceptable: (candidates, peer) => this.#acceptable(candidates, peer),
      hasRoom: (nowMono) => this.#overlay.links.hasChannelRoom(false, nowMono),
      standing: (peer) => this.#acquaintances.standing(peer),
      hasChannel: (peer) => this.#hasChannel(peer),
    });
    this.#linkRequests = new LinkRequests({
      overlay: this.#overlay,
      signalling: this.#signalling,
      acquaintances: this.#acquaintances,
      hidesAddress,
    });
    this.#outbox = new Outbox({
      identity,
      network,
      random,
      floor,
      price: (to) => this.#overlay.sendPriceTo(to),
      linkTo: (peer) => this.#overlay.links.best(peer),
      clockOffsetMs: () => this.#overlay.membership.clockOffsetMs,
    });
    this.#finder = new Finder(identity.id, random, (target) => this.#overlay.reachableNear(target, FINDER_STARTS));
    this.#tracer = new Tracer({
      self: identity.id,
      random,
      pathTo: (peer) => this.#overlay.links.best(peer)?.path,
      carriersNear: (target, count) => this.#overlay.reachableNear(target, count),
    });
    const price = () => this.#overlay.publishPrice();
    const isAbroad = (id: string) => this.#overlay.forwarding.isAbroad(id);
    this.#publisher = new Publisher({ identity, network, random, floor: publishFloor, price, isAbroad });
    const { inboxAgeMs = INBOX_AGE_MS } = options;
    const { counters } = this.#overlay;
    this.#delivery = new Delivery({ identity, network, counters, waiting, delivered, inboxAgeMs }, now);
  }

  /** What should happen, in order, after one input. Never throws for what a stranger sent; see the README for each output. */
  handle(input: NodeInput, ownNow: Now): NodeOutput[] {
    const now = this.#overlay.corrected(ownNow);
    return this.#finish(this.#first(input, now), now);
  }

  /** The same of several inputs of one moment: their frames share datagrams. */
  handleAll(inputs: readonly NodeInput[], ownNow: Now): NodeOutput[] {
    const now = this.#overlay.corrected(ownNow);
    const outputs = inputs.flatMap((input) => this.#follow(this.#first(input, now), now));
    outputs.push(...this.#overlay.flush(now));
    return outputs;
  }

  /** What is due; early, late and repeated calls do no harm. */
  tick(ownNow: Now): NodeOutput[] {
    const now = this.#overlay.corrected(ownNow);
    const steps = [
      ...this.#overlay.tick(now),
      ...this.#signalling.tick(now),
      ...this.#outbox.tick(now),
      ...this.#publisher.tick(now),
      ...this.#finder.tick(now),
      ...this.#tracer.tick(now),
      ...this.#delivery.tick(now),
      ...this.#early.take(now).flatMap((broadcast) => this.#handOut(broadcast, now)),
    ];
    return this.#finish(steps, now);
  }

  /** The monotonic time, ms, at which `tick` has something to do; null: nothing is under way. */
  nextDeadline(): number | null {
    return earliest(
      this.#overlay.nextDeadline(),
      this.#signalling.nextDeadline(),
      this.#outbox.nextDeadline(),
      this.#publisher.nextDeadline(),
      this.#finder.nextDeadline(),
      this.#tracer.nextDeadline(),
      this.#delivery.nextDeadline(),
      this.#early.nextDeadline(),
    );
  }

  /** Says Bye to every neighbour; nothing is handled after it. */
  close(now: Now): NodeOutput[] {
    return this.#finish(this.#overlay.close(now), now);
  }

  /** This node's key. */
  get id(): NodeId {
    return this.#overlay.id;
  }

  /** Where neighbours see this node's socket, by majority; undefined before enough have told. */
  get observed(): Address | undefined {
    return this.#overlay.membership.observed;
  }

  /** The peers with an open link. */
  neighbours(): Neighbour[] {
    return this.#overlay.membership.neighbours();
  }

  /** What a neighbour's last Pong says of this node; hearsay. */
  viewOf(peer: NodeId): PeerView | undefined {
    return this.#overlay.membership.viewOf(peer);
  }

  /** Up to four of the XOR-closest reachable neighbours: where this node can be found (docs/PROTOCOL.md §6). */
  anchors(): NodeId[] {
    return this.#overlay.membership.anchors().map(({ id }) => id);
  }

  /** Verified contacts, linked or not. */
  contacts(): Contact[] {
    return this.#overlay.membership.contacts();
  }

  /** Whether this node believes that strangers get through to it. */
  isReachable(nowMono: number): boolean {
    return this.#overlay.membership.isReachable(nowMono);
  }

  /** The UDP session with a peer, if one is open. */
  session(id: NodeId): SessionInfo | undefined {
    return this.#overlay.links.session(id);
  }

  /** The data channel with a peer, if one is open. */
  channel(id: NodeId): SessionInfo | undefined {
    return this.#overlay.links.channel(id);
  }

  /** The peers to whom a data channel is open. */
  channelPeers(): NodeId[] {
    return this.#overlay.links.channelPeers();
  }

  /** A copy of every counter by name: what was carried, delivered (`delivered.KIND`), dropped (`dropped.REASON`) and shed. */
  counts(): Record<string, number> {
    return this.#overlay.counts();
  }

  /** Efforts for 512 bytes that neighbours ask of this node: what a message costs now. */
  toldPrices(): Prices {
    return this.#overlay.toldPrices();
  }

  /** Bytes of the filter that knows repeats. */
  get seenFilterBytes(): number {
    return this.#overlay.forwarding.seenFilterBytes;
  }

  /** Envelopes being carried, for others and of our own. */
  get pendingCount(): number {
    return this.#overlay.forwarding.pendingCount;
  }

  /** What programs have submitted and not heard of yet, oldest first. */
  openMessages(nowMono: number): OpenMessage[] {
    const own = this.#outbox.open().filter(({ message }) => !isOutgoingSignal(message.id));
    return own.map(({ message: { to, kind }, phase, envelopeIds, startedMono }) => ({
      to,
      kind: kind === "signal" ? "ping" : kind,
      phase: phase.type,
      tries: envelopeIds.length,
      sinceMs: nowMono - startedMono,
    }));
  }

  /** Messages written and not handed to a program yet. */
  get waitingCount(): number {
    return this.#delivery.waitingCount;
  }

  #first(input: NodeInput, now: Now): Step[] {
    switch (input.type) {
      case "datagram":
        return this.#overlay.handle(input, now);
      case "submit":
      case "request":
        return this.#submit(input, now);
      case "ping": {
        this.#acquaintances.addressed(input.to, now.mono);
        const signal = { ...input, kind: "signal" as const, content: encodeSignal({ type: "ping" }), topic: "" };
        return this.#outbox.submit({ ...signal, requestId: undefined }, now);
      }
      case "trace":
        return this.#tracer.trace(input.id, input.to, now);
      case "reply":
        return this.#reply(input, now);
      case "broadcast":
        return this.#publisher.broadcast(input, now);
      case "cancel":
        return this.#outbox.cancel(input.id);
      case "minted":
        return [
          ...this.#outbox.minted(input.job, input.nonce, now),
          ...this.#publisher.minted(input.job, input.nonce, now),
        ];
      case "mint-failed":
        return [...this.#outbox.mintFailed(input.job, now), ...this.#publisher.mintFailed(input.job)];
      case "written":
        return this.#delivery.written(input.key, now);
      case "stored":
        return this.#delivery.stored(input.key, input.ok, now);
      case "listening":
        return this.#delivery.listening(input.on, input.except);
      case "connect":
        return this.#linkRequests.ask(input, now);
      case "disconnect":
        return [...this.#signalling.cancel(input.peer), ...this.#overlay.closeChannel(input.peer, now)];
      case "sever": {
        const channels = this.#overlay.links.channelsOf(input.peer);
        return channels.map((channel) => ({ type: "rtc-sever", channel }));
      }
      case "rtc-described":
        return this.#signalling.described(input.channel, input.description, now);
      case "rtc-found":
        return this.#signalling.foundCandidate(input.channel, input.candidate);
      case "rtc-opened":
        return this.#signalling.opened(input.channel, now);
      case "rtc-message":
        return this.#overlay.handleChannel(input.channel, input.message, now);
      case "rtc-closed":
        return [
          ...this.#signalling.closed(input.channel, input.reason, now),
          ...this.#overlay.channelLost(input.channel, now),
        ];
    }
  }

  #finish(first: readonly Step[], now: Now): NodeOutput[] {
    const outputs = this.#follow(first, now);
    outputs.push(...this.#overlay.flush(now));
    return outputs;
  }

  /** Follows each step to its end: what one part asks of another is a step, what is left is for the outside. */
  #follow(first: readonly Step[], now: Now): NodeOutput[] {
    const outputs: NodeOutput[] = [];
    const steps = [...first];
    // Those that are pushed on the way have their turn as well.
    for (const step of steps) {
      const next = this.#step(step, now);
      if ("outside" in next) outputs.push(next.outside);
      if (next.steps !== undefined) steps.push(...next.steps);
    }
    return outputs;
  }

  #step(
    step: Step,
    now: Now,
  ): { readonly steps?: readonly Step[] } | { readonly outside: NodeOutput; readonly steps?: readonly Step[] } {
    switch (step.type) {
      case "arrived":
        return { steps: this.#delivery.arrived(step.id, step.send, step.via, now) };
      case "direct-arrived":
        return { steps: this.#delivery.arrivedDirect(step.peer, step.path, step.body, now) };
      case "settled":
        return { steps: this.#outbox.settled(step.id, step.outcome, now) };
      case "direct-answered":
        return { steps: this.#outbox.directAnswered(step.peer, step.path, step.messageId, step.result, now) };
      case "acknowledge":
        return { steps: this.#acknowledge(step.to, now) };
      case "refuse":
        return { steps: this.#refuse(step.to, step.reason, now) };
      case "reply":
        return { steps: this.#outbox.replied(step, now) };
      case "deliver":
        this.#acquaintances.heardFrom(step.message.from, now.mono);
        if (step.message.kind === "request") this.#requests.add(step.message);
        return { outside: step };
      case "originate": {
        const { attempt, to: recipient, avoidRecipient, way, earlierIds } = step;
        const { id, lock, encodedEnvelope, digest } = attempt;
        const origination = { id, lock, recipient, encodedEnvelope, avoidRecipient, earlierIds, ...way };
        return { steps: this.#overlay.originate(origination, digest, now) };
      }
      case "find":
        return { steps: this.#finder.find(step.target, step.excluded, now) };
      case "found":
        return { steps: this.#outbox.found(step.target, step.peer, now) };
      case "not-found":
        return { steps: this.#outbox.notFound(step.target, now) };
      case "send-direct":
        if (this.#overlay.sendDirect(step.peer, step.body, step.channelOnly, now)) return {};
        return { steps: this.#outbox.directRefused(step.messageId, now) };
      case "ask":
        return { steps: this.#overlay.lookUp(step.contact, step.query, step.target, now) };
      case "nodes-arrived":
        return {
          steps: [
            ...this.#finder.answered(step.peer, step.nodes, now),
            ...this.#tracer.answered(step.peer, step.nodes, now),
          ],
        };
      case "suspect":
        this.#overlay.suspect(step.peer, now);
        return {};
      case "publish":
        this.#overlay.publish(step.publication, step.digest, step.isAgain, now);
        return {};
      case "ask-prices":
        this.#overlay.askPrices(now);
        return {};
      case "published": {
        const { origin: from, topic, content, timestampMs } = step.publication;
        const message = { messageId: step.id, from, topic, content: content.slice(), receivedAtMs: now.wall };
        if (isPast(timestampMs, now)) return { steps: this.#handOut({ message, timestampMs }, now) };
        if (!this.#early.hold({ message, timestampMs }, now)) this.#overlay.counters.add("dropped.broadcast-early");
        return {};
      }
      case "signal":
        return { steps: this.#signalling.received(step, now) };
      case "send-signal":
        return { steps: this.#outbox.submit(this.#signals.next(step.peer, step.content), now) };
      case "want-channel":
        if (this.#hasChannel(step.peer)) return {};
        if (!this.#overlay.links.hasChannelRoom(true, now.mono)) return {};
        return { steps: this.#signalling.want(step.peer, now) };
      case "channel-ready":
        return { steps: this.#overlay.adoptChannel(step.channel, step.isOwn, now) };
      case "channel-failed":
        // Another try is under way, and its end is the answer.
        if (this.#signalling.isDialling(step.peer)) return {};
        return { steps: this.#linkRequests.channelFailed(step.peer, step.reason) };
      case "rtc-cancel":
        return { outside: { type: "rtc-close", channel: step.channel } };
      case "link-opened":
        if (step.link === "session") return { outside: step, steps: this.#linkRequests.opened(step) };
        return {
          outside: step,
          steps: [...this.#linkRequests.opened(step), ...this.#outbox.channelOpened(step.peer, now)],
        };
      case "link-closed":
        // What was on a channel that another replaced is on that one now.
        if (step.reason === "replaced") return { outside: step };
        return { outside: step, steps: this.#outbox.linkClosed(step.peer, now) };
      case "link-unanswered":
        return { outside: step, steps: this.#linkRequests.unanswered(step.peer) };
      case "answered":
        this.#overlay.counters.add("delivered.reply");
        return { outside: step };
      case "receipt":
        return isOutgoingSignal(step.id) ? {} : { outside: step };
      case "failed":
        // A signal that did not get through is told again, or its dial runs out of time.
        return isOutgoingSignal(step.id) ? {} : { outside: step };
      case "dropped":
        this.#overlay.counters.add(`dropped.${step.reason}`);
        return {};
      default:
        return { outside: step };
    }
  }

  #submit(submit: Submit, now: Now): Step[] {
    this.#acquaintances.addressed(submit.to, now.mono);
    const kind = submit.type === "submit" ? "message" : "request";
    const steps: Step[] = this.#outbox.submit({ ...submit, kind, requestId: undefined }, now);
    // Talk that goes on is worth a channel, unless it is to be relayed.
    const isWanted = submit.via !== "relay" && this.#demand.note(submit.to, submit.content.length, now.mono);
    if (isWanted && submit.to !== this.id) steps.push({ type: "want-channel", peer: submit.to });
    return steps;
  }

  /** There is one, though its other end may not have spoken on it yet: until then it is no link. */
  #hasChannel(peer: NodeId): boolean {
    return this.#overlay.links.channelsOf(peer).length > 0;
  }

  #handOut({ message, timestampMs }: DatedBroadcast, now: Now): Step[] {
    this.#overlay.counters.add("delivered.broadcast");
    return [...this.#overlay.beforeHandingOut(timestampMs, now), { type: "deliver-broadcast", message }];
  }

  #acceptable(candidates: readonly Candidate[], peer: NodeId): Candidate[] {
    const context = {
      linkAddresses: this.#overlay.links.sessionAddresses(),
      observedIp: this.#overlay.membership.observed?.ip,
      authorAddress: this.#overlay.links.session(peer)?.address,
    };
    const accepted = new Set(
      acceptedCandidates(
        candidates.map(({ address }) => address),
        context,
      ),
    );
    return candidates.filter(({ address }) => accepted.has(address));
  }

  #reply({ id, requestId, content }: Reply, now: Now): Step[] {
    const request = this.#requests.take(requestId, now.wall);
    const bytes = hexToBytes(requestId, MESSAGE_ID_BYTES);
    if (request === undefined || bytes === undefined) {
      const message = "no request with this id is open: it was answered, it ran out of time, or it was another node's";
      return [{ type: "failed", id, code: "E_NO_REQUEST", message }];
    }
    const { from: to, topic, expiresMs } = request;
    const reply = { id, kind: "reply" as const, to, topic, content, via: "any" as const, requestId: bytes };
    return this.#outbox.submit({ ...reply, timeoutMs: Math.max(1, Math.floor(expiresMs - now.wall)) }, now);
  }

  #acknowledge(to: ReturnPath, now: Now): Step[] {
    if (to.type === "send") return this.#overlay.delivered(to.id, to.t, now);
    this.#overlay.answerDirect(to.peer, to.messageId, "ok", now);
    return [];
  }

  #refuse(to: ReturnPath, reason: "full" | "shed", now: Now): Step[] {
    if (to.type === "send") return this.#overlay.refused(to.id, reason, reason === "full" ? to.t : undefined, now);
    // A Direct that could not be written is not answered: its author goes on by other ways.
    if (reason === "full") this.#overlay.answerDirect(to.peer, to.messageId, "full", now);
    return [];
  }
}
