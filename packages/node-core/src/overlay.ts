import type { NodeId } from "@starling/crypto-identity";
import { stampFloor } from "@starling/hashcash";
import {
  acceptsContact,
  closestOf,
  Membership,
  type MembershipOutput,
  type Now,
  type Origination,
} from "@starling/peer-manager";
import { type AgreedChannel, createSessionCrypto, type SessionEvent } from "@starling/session";
import type {
  Address,
  ByeReason,
  Contact,
  DirectResult,
  Frame,
  Lookup,
  MessageBody,
  Nodes,
  Publication,
  SendFailReason,
} from "@starling/wire-protocol";
import {
  bytesToHex,
  decodeBye,
  decodeLookup,
  decodeMessage,
  encodeBye,
  encodeLookup,
  encodeMessage,
  encodeNodes,
  encodePong,
  FRAME_KIND,
} from "@starling/wire-protocol";
import { Counters } from "./counters.ts";
import { earliest } from "./earliest.ts";
import { DEFAULT_FORWARD_LIMITS } from "./forward-quota.ts";
import { Forwarding } from "./forwarding.ts";
import type { RelayInput } from "./input.ts";
import { type LinkEvent, type LinkPath, Links } from "./links.ts";
import type { RelayOutput, RtcClose, RtcSend } from "./output.ts";
import type { OverlayOptions, OverlayOutput } from "./overlay-options.ts";
import { type Prices, ToldPrices } from "./told-prices.ts";

// What a relay and a node have in common: links, membership and forwarding, wired by plain calls. It decides nothing about what ends
// here: that is an output, which RelayCore refuses and NodeCore delivers.

/** As many as a forwarder tries, one after the other (PROTOCOL §7.6). */
const FIRST_HOPS = 3;

/** Stands where a session has its peer's address. */
const NO_ADDRESS: Address = { ip: "0.0.0.0", port: 0 };

export class Overlay {
  readonly counters: Counters = new Counters();
  readonly id: NodeId;
  readonly #links: Links;
  readonly #membership: Membership;
  readonly #forwarding: Forwarding;
  readonly #hidesAddress: boolean;
  readonly #told: ToldPrices;

  constructor(options: OverlayOptions, now: Now) {
    const { identity, network, random, hidesAddress = false } = options;
    const { floor = (sizeBytes) => stampFloor("send", sizeBytes) } = options;
    const { publishFloor = (sizeBytes) => stampFloor("publish", sizeBytes) } = options;
    this.id = identity.id;
    this.#hidesAddress = hidesAddress;
    this.#told = new ToldPrices({ send: floor(0), publish: publishFloor(0) });
    const announce = hidesAddress ? [] : options.announce;
    const view = {
      rttOf: (peer: NodeId) => this.#links.sessionRttMs(peer),
      isInUse: (peer: NodeId, nowMono: number) => this.#forwarding.isInUse(peer, nowMono),
    };
    this.#membership = new Membership({ ...options, announce }, view, now);
    this.#links = new Links({
      crypto: options.crypto ?? createSessionCrypto({ identity, network, random }),
      channelCrypto: createSessionCrypto({ identity, network, random, purpose: "channel" }),
      random,
      owner: {
        pongBody: ({ echo, peer, observed, now: at }) => this.#pongBody(echo, peer, observed, at),
        nodesBody: (lookupBody, from) => this.#nodesBody(lookupBody, from),
      },
      // A few more than are kept, so that a full node can hear who is in need of it.
      maxSessions: options.maxNeighbours + options.bootstrap.length + 32,
      maxChannels: options.maxChannels ?? 0,
      sessionLimits: options.sessionLimits,
      admits: options.admits,
    });
    this.#forwarding = new Forwarding(
      {
        self: identity.id,
        network,
        links: this.#links,
        routing: {
          has: (id) => this.#links.has(id),
          reachable: () => this.#membership.reachableIds(),
          anchors: () => this.#membership.anchors().map(({ id }) => id),
          isDoubtful: (id, nowMono) => this.#links.isDoubtful(id, nowMono),
          // A relay is one because its operator says that it can be reached.
          isSelfReachable: (at) => options.role === "relay" || this.#membership.isReachable(at),
        },
        counters: this.counters,
        quota: { ...DEFAULT_FORWARD_LIMITS, ...options.quota },
        pendingMax: options.pendingMax,
        seenMax: options.seenMax,
        random,
        floor,
        publishFloor,
        freshnessBoundMs: options.freshnessBoundMs ?? 0,
      },
      now,
    );
  }

  /** The time as the core goes by it: the machine's clock, moved towards its neighbours' by 2 minutes at most. */
  corrected(now: Now): Now {
    const correctionMs = this.#membership.clockCorrectionMs;
    return correctionMs === 0 ? now : { mono: now.mono, wall: now.wall + correctionMs };
  }

  handle(input: RelayInput, now: Now): OverlayOutput[] {
    return this.#onLinks(this.#links.receive(input.bytes, input.from, now), now);
  }

  handleChannel(channel: string, message: Uint8Array, now: Now): OverlayOutput[] {
    return this.#onLinks(this.#links.receiveOnChannel(channel, message, now), now);
  }

  channelLost(channel: string, now: Now): OverlayOutput[] {
    return this.#onLinks(this.#links.channelLost(channel, now), now);
  }

  /** Begins with a channel that signalling has agreed on; `link-opened` follows once its peer has spoken, or `channel-failed`. */
  adoptChannel(agreed: AgreedChannel, isOwn: boolean, now: Now): OverlayOutput[] {
    const isSecond = this.#links.channelsOf(agreed.peer).length > 0;
    const least = isSecond ? undefined : this.#links.channelThatGivesWay(isOwn, now.mono);
    if (least !== undefined) this.counters.add("channels.gave-way");
    const outputs = least === undefined ? [] : this.closeChannel(least, now);
    if (this.#links.adopt(agreed, isOwn, now)) return outputs;
    return [...outputs, { type: "channel-failed", peer: agreed.peer, reason: "as many are open as may be" }];
  }

  closeChannel(peer: NodeId, now: Now): OverlayOutput[] {
    const bye = encodeBye({ type: "bye", reason: "closing" });
    return this.#onLinks(this.#links.closeChannel(peer, bye, now), now);
  }

  closeSession(peer: NodeId, now: Now): OverlayOutput[] {
    const bye = encodeBye({ type: "bye", reason: "closing" });
    return this.#onLinks(this.#links.closeSession(peer, bye, now), now);
  }

  tick(now: Now): OverlayOutput[] {
    const outputs = this.#onLinks(this.#links.tick(now), now);
    for (const peer of this.#links.idleChannels(() => this.#membership.contacts().length, now.mono)) {
      this.counters.add("channels.idle");
      outputs.push(...this.closeChannel(peer, now));
    }
    outputs.push(...this.#forwarding.tick(now, this.#membership.clockCorrectionMs));
    outputs.push(...this.#onMembership(this.#membership.tick(now), now));
    return outputs;
  }

  nextDeadline(): number | null {
    return earliest(this.#links.nextDeadline(), this.#membership.nextDeadline(), this.#forwarding.nextDeadline());
  }

  /** What has to go out after any of the other calls; the owner calls it last. */
  flush(now: Now): (RelayOutput | RtcSend | RtcClose)[] {
    return this.#links.flush(now);
  }

  originate(origination: Origination, digest: Uint8Array, now: Now): OverlayOutput[] {
    return this.#forwarding.originate(origination, digest, now);
  }

  publish(publication: Publication, digest: Uint8Array, isAgain: boolean, now: Now): void {
    this.#forwarding.publish(publication, digest, isAgain, now);
  }

  /** What is to be saved before a broadcast of this time is handed to programs. */
  beforeHandingOut(timestampMs: number, now: Now): OverlayOutput[] {
    return this.#forwarding.beforeHandingOut(timestampMs, now, this.#membership.clockCorrectionMs);
  }

  /** Asks all neighbours for a Pong now: it tells their price. */
  askPrices(now: Now): void {
    for (const peer of this.#links.peers()) this.#links.ask(peer, now);
  }

  delivered(id: string, t: Uint8Array, now: Now): OverlayOutput[] {
    return this.#forwarding.delivered(id, t, now);
  }

  refused(id: string, reason: SendFailReason, t: Uint8Array | undefined, now: Now): OverlayOutput[] {
    return this.#forwarding.refused(id, reason, t, now);
  }

  /** Sends a message on the link to its recipient, or on its channel and nothing else; false where that does not take it. */
  sendDirect(peer: NodeId, body: MessageBody, channelOnly: boolean, now: Now): boolean {
    const frame = encodeMessage({ type: "direct", body });
    const links = this.#links;
    return (channelOnly ? links.sendOn("channel", peer, frame, now) : links.send(peer, frame, now)) === "queued";
  }

  answerDirect(peer: NodeId, messageId: Uint8Array, result: DirectResult, now: Now): void {
    this.#links.send(peer, encodeMessage({ type: "direct-ack", messageId, result }), now);
  }

  /** Asks a node whether it has a link to another, and whom it knows near it; dials it for that where there is no link. */
  lookUp(contact: Contact, query: number, target: NodeId, now: Now): OverlayOutput[] {
    const lookup: Lookup = { type: "lookup", query, target };
    if (this.#links.session(contact.id) === undefined) {
      return this.#onMembership(this.#membership.dialToAsk(contact, lookup, now), now);
    }
    this.#links.sendOn("session", contact.id, encodeMessage(lookup), now);
    return [];
  }

  /** Opens a session; `link-opened` or `link-unanswered` follows. Undefined where it may not be dialled now. */
  dial(contact: Contact, now: Now): OverlayOutput[] | undefined {
    if (this.#membership.isDialling(contact.id)) return [];
    const lookup: Lookup = { type: "lookup", query: 0, target: this.id };
    const outputs = this.#membership.dialToAsk(contact, lookup, now);
    return outputs.length === 0 ? undefined : this.#onMembership(outputs, now);
  }

  /** The peer has not answered where it should have: is it still there? */
  suspect(peer: NodeId, now: Now): void {
    this.#links.suspect(peer, now);
  }

  /** Says Bye to every neighbour, and who they were. */
  close(now: Now): OverlayOutput[] {
    const bye = encodeBye({ type: "bye", reason: "closing" });
    const peers = this.#membership.peersToSave();
    const outputs: OverlayOutput[] = peers.length === 0 ? [] : [{ type: "save-peers", peers }];
    outputs.push(...this.#forwarding.close(this.corrected(now)));
    for (const peer of this.#links.peers()) {
      const events = [...this.#links.closeChannel(peer, bye, now), ...this.#links.closeSession(peer, bye, now)];
      outputs.push(...this.#onLinks(events, now));
    }
    return outputs;
  }

  /** The reachable neighbours closest to a node. */
  reachableNear(target: NodeId, count: number): Contact[] {
    return closestOf(target, this.#membership.reachable(), count).map(({ id, address }) => ({ id, address }));
  }

  /** The links, to look at; they are sent on through the Overlay only. */
  get links(): Pick<
    Links,
    | "best"
    | "peerOf"
    | "session"
    | "sessions"
    | "reassemblyBytes"
    | "channel"
    | "channelsOf"
    | "channelPeers"
    | "hasChannelRoom"
    | "sessionAddresses"
  > {
    return this.#links;
  }

  /** Who and where the neighbours are, and this node for them; to look at. */
  get membership(): Pick<
    Membership,
    "neighbours" | "viewOf" | "contacts" | "isReachable" | "observed" | "clockOffsetMs" | "anchors"
  > {
    return this.#membership;
  }

  /** What is being carried; to look at. */
  get forwarding(): Pick<
    Forwarding,
    "seenFilterBytes" | "pendingCount" | "openCount" | "waitingCount" | "recipientCount" | "isAbroad"
  > {
    return this.#forwarding;
  }

  /** Efforts for 512 bytes that the dearest link is asked for. */
  askedPrices(nowMono: number): Prices {
    return this.#told.effortsAt(this.#forwarding.highestPrice(nowMono));
  }

  /** Efforts for 512 bytes that neighbours ask of us: the median of them. */
  toldPrices(): Prices {
    return this.#told.medianEfforts();
  }

  /** What is asked for a Send to this recipient by those that it may go to first, as a multiple of the floor. */
  sendPriceTo(recipient: NodeId): number {
    const own = this.#links.best(recipient) === undefined ? [] : [recipient];
    const others = this.reachableNear(recipient, FIRST_HOPS).map(({ id }) => id);
    return this.#told.leastSend([...own, ...others]);
  }

  /** What is asked for a Publish, as a multiple of the floor. */
  publishPrice(): number {
    return this.#told.median().publish;
  }

  /** All counts, those of the links included. */
  counts(): Record<string, number> {
    return { ...this.#links.counts(), ...this.counters.snapshot() };
  }

  #onLinks(events: readonly LinkEvent[], now: Now): OverlayOutput[] {
    const outputs: OverlayOutput[] = [];
    for (const event of events) for (const output of this.#onLink(event, now)) outputs.push(output);
    return outputs;
  }

  #onLink({ path, event }: LinkEvent, now: Now): OverlayOutput[] {
    switch (event.type) {
      case "opened": {
        const { peer, address } = event;
        this.#forwarding.opened(peer, now);
        const opened: OverlayOutput = { type: "link-opened", link: path, peer, address };
        if (path === "channel") return [opened];
        // Who hides takes no link for a Welcome: strangers that reach it prove nothing that it would tell of.
        const isDialled = this.#hidesAddress || (event.initiator && !event.restarted);
        return [opened, ...this.#onMembership(this.#membership.opened(peer, address, isDialled, now), now)];
      }
      case "answered":
        this.#membership.answered(event.peer, event.address, now);
        return [];
      case "frame":
        return this.#onFrame(event.peer, path, event.frame, now);
      case "acknowledged":
        this.#forwarding.handedOver(event.token);
        return [];
      case "undelivered":
        // Whoever does not take a frame in is asked at once whether it lives, so that the next message need not find out.
        this.#links.suspect(event.peer, now);
        return this.#forwarding.undelivered(event.token, now);
      case "nodes":
        return this.#onFrame(event.peer, path, { kind: FRAME_KIND.nodes, body: event.body }, now);
      case "moved":
        this.#membership.moved(event.peer, event.address);
        return [];
      case "unreachable":
        this.#membership.unanswered(event.peer, now);
        return [{ type: "link-unanswered", peer: event.peer, address: event.address }];
      case "closed":
        if (path === "session") this.#membership.closed(event.peer, goodbye(event), now);
        if (!this.#links.has(event.peer)) {
          this.#forwarding.closed(event.peer, now);
          this.#told.closed(event.peer);
        }
        return [{ type: "link-closed", link: path, peer: event.peer, reason: event.reason }];
      case "unopened":
        return [{ type: "channel-failed", peer: event.peer, reason: "it ended before its other end had spoken" }];
      case "replaced": {
        // The link itself goes on, with all that is on its way.
        const change = { link: "channel", peer: event.peer } as const;
        return [
          { type: "link-closed", ...change, reason: "replaced" },
          { type: "link-opened", ...change, address: NO_ADDRESS },
        ];
      }
    }
  }

  #onFrame(peer: NodeId, path: LinkPath, frame: Frame, now: Now): OverlayOutput[] {
    const decoded = decodeMessage(frame);
    if (!decoded.ok) {
      this.counters.add(`dropped.${decoded.reason}`);
      return [];
    }
    const message = decoded.value;
    switch (message.type) {
      case "send":
        return this.#forwarding.send(peer, message, now);
      case "send-ack":
      case "send-fail":
        return this.#forwarding.answer(peer, message, now);
      case "direct":
        return [{ type: "direct-arrived", peer, path, body: message.body }];
      case "direct-ack": {
        const { messageId, result } = message;
        return [{ type: "direct-answered", peer, path, messageId: bytesToHex(messageId), result }];
      }
      case "publish":
        return this.#forwarding.published(peer, message, now);
      case "have":
      case "want":
      case "graft":
      case "prune":
      case "digest":
        this.#forwarding.upkeep(peer, message, now);
        return [];
      case "announce":
      case "dial-back":
      case "lookup":
      case "nodes":
      case "pong":
        if (message.type === "pong") this.#told.heard(peer, message);
        // Membership is a matter of sessions: a channel has no address to tell of.
        if (path === "channel") return [];
        return [
          ...(message.type === "nodes" ? [this.#nodesArrived(peer, message)] : []),
          ...this.#onMembership(this.#membership.received(peer, message, now), now),
        ];
      case "bye":
        // The session reads its own; one in another place says nothing.
        return [];
    }
  }

  /** Searches dial whom they hear of: only contacts that this peer is believed about, PROTOCOL §6 "Scopes". Membership counts the others. */
  #nodesArrived(peer: NodeId, nodes: Nodes): OverlayOutput {
    const from = this.#links.session(peer)?.address;
    const contacts = nodes.contacts.filter(({ address }) => from !== undefined && acceptsContact(address, from));
    return { type: "nodes-arrived", peer, nodes: { ...nodes, contacts } };
  }

  #onMembership(membershipOutputs: readonly MembershipOutput[], now: Now): OverlayOutput[] {
    const outputs: OverlayOutput[] = [];
    for (const output of membershipOutputs) {
      switch (output.type) {
        case "dial":
          this.#links.connect(output.peer, output.address, now, {
            lookup: encodeLookup(output.lookup),
            ...(output.once ? { attemptsMs: [0] } : {}),
          });
          break;
        case "send":
          // A DialBack has a neighbour tell another one our address.
          if (this.#hidesAddress && output.message.type === "dial-back" && output.message.what === "me") break;
          this.#links.sendOn("session", output.peer, encodeMessage(output.message), now);
          break;
        case "hang-up": {
          const bye = encodeBye({ type: "bye", reason: output.reason });
          outputs.push(...this.#onLinks(this.#links.closeSession(output.peer, bye, now), now));
          break;
        }
        case "save-peers":
          outputs.push(output);
          break;
        case "dropped":
          this.counters.add(`dropped.${output.reason}`);
      }
    }
    return outputs;
  }

  #pongBody(echo: Uint8Array, peer: NodeId, observed: Address, now: Now): Uint8Array {
    const price = this.#told.effortsAt(this.#forwarding.price(peer, now.mono));
    return encodePong({
      type: "pong",
      echo,
      // Our own clock as it stands: were it moved by the others', they would in turn be moved by themselves.
      wallMs: Math.max(0, now.wall - this.#membership.clockCorrectionMs),
      sendPrice: price.send,
      publishPrice: price.publish,
      observed,
      contacts: this.#membership.sample(peer, observed),
    });
  }

  #nodesBody(lookupBody: Uint8Array, from: Address): Uint8Array {
    const lookup = decodeLookup(lookupBody);
    return lookup.ok ? encodeNodes(this.#membership.answer(lookup.value, from)) : new Uint8Array(0);
  }
}

/** Why a session ended, as far as the peer or we ourselves said so. */
function goodbye({ reason, bye }: SessionEvent & { type: "closed" }): ByeReason | "local" | undefined {
  if (reason === "local" || reason === "evicted") return "local";
  const decoded = bye && decodeBye(bye);
  return decoded?.ok ? decoded.value.reason : undefined;
}
