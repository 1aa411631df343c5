// Sessions on channels: the same Data under the keys of a handshake that ran inside an Offer and its Answer (PROTOCOL §9). A channel
// is reliable and ordered, so nothing is sent again, and its links have no address. Everything else of a link is the same.
import type { NodeId, SessionKeys } from "@starling/crypto-identity";
import { type Address, DATA, decodeDatagram, FRAME_KIND, type Frame } from "@starling/wire-protocol";
import { CHANNEL_CARRIER, CHANNEL_MESSAGE_MAX_BYTES } from "./carrier.ts";
import { type CounterName, Counters } from "./counters.ts";
import type { CloseReason, SessionEvent, SessionInfo } from "./event.ts";
import { IndexTable } from "./index-table.ts";
import { completeLimits, type SessionLimits } from "./limits.ts";
import type { Link } from "./link.ts";
import { linkDeadlineMono } from "./link-deadline.ts";
import { infoOf } from "./link-info.ts";
import { flushLink, type OutputContext } from "./link-output.ts";
import { enqueueFrame, type SendOutcome, sealBye } from "./link-send.ts";
import { LinkTable, type SessionSlot } from "./link-table.ts";
import type { Now } from "./now.ts";
import { Session } from "./session.ts";

/** Stands where a UDP link has its peer's address. */
const NO_ADDRESS: Address = { ip: "0.0.0.0", port: 0 };
const NO_EPOCH: Uint8Array = new Uint8Array(8);

/** A channel whose ends have agreed on keys. */
export type AgreedChannel = {
  /** The owner's name of the channel. */
  readonly channel: string;
  readonly peer: NodeId;
  readonly keys: SessionKeys;
  readonly isInitiator: boolean;
  readonly localIndex: number;
  readonly remoteIndex: number;
};

export type ChannelTransmit = { readonly channel: string; readonly datagram: Uint8Array };

export type ChannelTableOptions = {
  readonly self: NodeId;
  readonly random: (sizeBytes: number) => Uint8Array;
  readonly limits?: Partial<SessionLimits>;
};

type Slot = { readonly link: Link; channel: string; isOpen: boolean };

/** Links over channels, at most one a peer. A link counts as open once Data of the peer has come over it. */
export class ChannelTable {
  readonly #random: (sizeBytes: number) => Uint8Array;
  readonly #limits: SessionLimits;
  readonly #counters: Counters = new Counters();
  readonly #indexes: IndexTable<SessionSlot>;
  readonly #links: LinkTable;
  // BOUNDED: limits.links.
  readonly #slots: Map<NodeId, Slot> = new Map();
  readonly #touched: Set<Link> = new Set();
  readonly #deadlines: Map<Link, number> = new Map();
  readonly #scratch: Uint8Array = new Uint8Array(CHANNEL_CARRIER.framesMaxBytes);
  #outbox: ChannelTransmit[] = [];

  constructor(options: ChannelTableOptions) {
    const { random, self } = options;
    this.#random = random;
    this.#limits = completeLimits(options.limits);
    this.#indexes = new IndexTable(random);
    this.#links = new LinkTable({
      self,
      carrier: CHANNEL_CARRIER,
      // A Pong on a channel echoes and says no more: there is no address to observe.
      owner: { pongBody: ({ echo }) => echo, nodesBody: () => new Uint8Array(0) },
      limits: this.#limits,
      counters: this.#counters,
      indexes: this.#indexes,
    });
  }

  get counters(): ReadonlyMap<string, number> {
    return this.#counters.values;
  }

  get isFull(): boolean {
    return this.#links.isFull;
  }

  /**
   * Begins with a channel whose carrier is there. A peer that had one already goes over to the new one, with all that was not
   * acknowledged; the name of the channel that is to be closed for it is returned.
   */
  adopt(agreed: AgreedChannel, now: Now): string | undefined {
    const { channel, peer, keys, isInitiator, localIndex, remoteIndex } = agreed;
    const known = this.#slots.get(peer);
    if (known === undefined && this.#links.isFull) return channel;
    const session = new Session({
      localIndex,
      remoteIndex,
      isInitiator,
      remoteEpoch: channel,
      keys,
      nowMono: now.mono,
    });
    const link = this.#links.establish(
      { peer, session, localEpoch: NO_EPOCH, address: NO_ADDRESS, isValidated: true },
      now,
      [],
    );
    if (link === undefined) return channel;
    this.#touched.add(link);
    if (known === undefined) {
      this.#slots.set(peer, { link, channel, isOpen: false });
      return undefined;
    }
    const replaced = known.channel;
    known.channel = channel;
    return replaced;
  }

  receive(channel: string, datagram: Uint8Array, now: Now): SessionEvent[] {
    const decoded = decodeDatagram(datagram, CHANNEL_MESSAGE_MAX_BYTES);
    if (!decoded.ok) return this.#drop(`dropped.${decoded.reason}`);
    const data = decoded.value;
    if (data.kind !== DATA) return this.#drop("dropped.unknown-kind");
    const named = this.#indexes.get(data.receiverIndex);
    const slot = named && this.#slots.get(named.link.peer);
    if (named === undefined || slot === undefined || slot.channel !== channel)
      return this.#drop("dropped.unknown-index");
    const opened = named.session.open(data);
    if (typeof opened === "string") return this.#drop(opened);
    const events: SessionEvent[] = [];
    const { link } = named;
    if (!slot.isOpen) {
      slot.isOpen = true;
      events.push({
        type: "opened",
        peer: link.peer,
        address: NO_ADDRESS,
        initiator: named.session.isInitiator,
        restarted: false,
      });
    }
    const arrival = { from: NO_ADDRESS, sizeBytes: datagram.length, now };
    const bye = this.#links.receive(link, named.session, opened, arrival, events);
    this.#touched.add(link);
    if (bye !== undefined) this.#close(link, "bye", bye, events);
    return events.filter((event) => event.type !== "frame" || event.frame.kind !== FRAME_KIND.pong);
  }

  /** As in SessionTable; a peer whose channel is not open yet has "no-session". */
  send(peer: NodeId, frame: Frame, now: Now, token?: number): SendOutcome {
    const slot = this.#slots.get(peer);
    const link = slot?.isOpen ? slot.link : undefined;
    const outcome = enqueueFrame(link, frame, now.mono, token, this.#limits);
    if (link !== undefined) this.#touched.add(link);
    return outcome;
  }

  suspect(peer: NodeId, now: Now): void {
    const slot = this.#slots.get(peer);
    if (slot === undefined) return;
    slot.link.liveness.suspect(now.mono);
    this.#touched.add(slot.link);
  }

  /** Ends a link with a Bye; the owner closes the channel once the next flush has gone. */
  close(peer: NodeId, byeBody: Uint8Array, now: Now): SessionEvent[] {
    const slot = this.#slots.get(peer);
    if (slot === undefined) return [];
    const { link, channel } = slot;
    this.#flushLink(link, channel, now);
    const bye = sealBye(link, byeBody);
    if (bye !== undefined) this.#outbox.push({ channel, datagram: bye.datagram });
    const events: SessionEvent[] = [];
    this.#close(link, "local", undefined, events);
    return events;
  }

  /** The channel is gone. */
  lost(channel: string): SessionEvent[] {
    const slot = this.#slotOf(channel);
    const events: SessionEvent[] = [];
    if (slot !== undefined) this.#close(slot.link, "timeout", undefined, events);
    return events;
  }

  flush(now: Now): ChannelTransmit[] {
    for (const link of this.#touched) {
      const slot = this.#slots.get(link.peer);
      if (slot === undefined) continue;
      this.#flushLink(link, slot.channel, now);
      const rekeyAfterMessages = Number.POSITIVE_INFINITY;
      // Its keys are not renewed by Hellos: as if one were under way for ever.
      this.#deadlines.set(link, linkDeadlineMono(link, now.mono, { isDialing: true, rekeyAfterMessages }));
    }
    this.#touched.clear();
    const transmits = this.#outbox;
    this.#outbox = [];
    return transmits;
  }

  tick(now: Now): SessionEvent[] {
    const events: SessionEvent[] = [];
    for (const [link, dueMono] of this.#deadlines) {
      if (dueMono > now.mono) continue;
      this.#touched.add(link);
      if (this.#links.tick(link, now, events)) continue;
      this.#counters.add("links.timed-out");
      this.#close(link, "timeout", undefined, events);
    }
    return events;
  }

  nextDeadline(): number | null {
    let next = Number.POSITIVE_INFINITY;
    for (const dueMono of this.#deadlines.values()) next = Math.min(next, dueMono);
    return next === Number.POSITIVE_INFINITY ? null : next;
  }

  /** An open link over a channel. */
  get(peer: NodeId): SessionInfo | undefined {
    const slot = this.#slots.get(peer);
    return slot?.isOpen ? infoOf(slot.link) : undefined;
  }

  /** The channel of a peer, open or not. */
  channelOf(peer: NodeId): string | undefined {
    return this.#slots.get(peer)?.channel;
  }

  peers(): NodeId[] {
    return [...this.#slots].flatMap(([peer, { isOpen }]) => (isOpen ? [peer] : []));
  }

  #flushLink(link: Link, channel: string, now: Now): void {
    const context: OutputContext = {
      nowMono: now.mono,
      random: this.#random,
      counters: this.#counters,
      transmits: [],
      scratch: this.#scratch,
    };
    flushLink(link, context);
    for (const { datagram } of context.transmits) this.#outbox.push({ channel, datagram });
  }

  #close(link: Link, reason: CloseReason, bye: Uint8Array | undefined, events: SessionEvent[]): void {
    const wasOpen = this.#slots.get(link.peer)?.isOpen === true;
    const closing: SessionEvent[] = [];
    this.#links.close(link, reason, bye, closing);
    // Who never heard that it opened need not hear that it closed.
    events.push(...closing.filter(({ type }) => wasOpen || type !== "closed"));
    this.#slots.delete(link.peer);
    this.#touched.delete(link);
    this.#deadlines.delete(link);
  }

  #slotOf(channel: string): Slot | undefined {
    for (const slot of this.#slots.values()) if (slot.channel === channel) return slot;
    return undefined;
  }

  #drop(reason: CounterName): SessionEvent[] {
    this.#counters.add(reason);
    return [];
  }
}
