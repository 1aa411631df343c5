// Sessions on channels: the same Data under the keys of a handshake that ran inside an Offer and its Answer (PROTOCOL §9). A channel
// is reliable and ordered, so nothing is sent again because of the time, and its links have no address. Everything else of a link is the
// same. How an agreed channel becomes a link, and how one ends, is decided here; which channel it is on in peer-channels.ts, new keys in
// channel-renewal.ts.
import type { NodeId } from "@starling/crypto-identity";
import {
  type Address,
  type ChannelHello,
  DATA,
  type Data,
  decodeChannelMessage,
  ECHO_BYTES,
  FRAME_KIND,
  type Frame,
  frameSizeBytes,
  type Welcome,
  writeFrame,
} from "@starling/wire-protocol";
import { CHANNEL_CARRIER, CHANNEL_MESSAGE_MAX_BYTES } from "./carrier.ts";
import type { AgreedChannel, ChannelEvent, ChannelTransmit } from "./channel-event.ts";
import type { RenewalSlot } from "./channel-renewal.ts";
import { type CounterName, Counters } from "./counters.ts";
import type { CloseReason, SessionEvent, SessionInfo } from "./event.ts";
import { IndexTable } from "./index-table.ts";
import { completeLimits, type SessionLimits } from "./limits.ts";
import type { Link } from "./link.ts";
import { linkDeadlineMono } from "./link-deadline.ts";
import { infoOf } from "./link-info.ts";
import { flushLink } from "./link-output.ts";
import { enqueueFrame, type SendOutcome, sealBye } from "./link-send.ts";
import { LinkTable, type SessionSlot } from "./link-table.ts";
import type { Now } from "./now.ts";
import { type NextChannel, PeerChannels } from "./peer-channels.ts";
import { type Opened, Session } from "./session.ts";
import type { SessionCrypto } from "./session-crypto.ts";

/** Stands where a UDP link has its peer's address. */
const NO_ADDRESS: Address = { ip: "0.0.0.0", port: 0 };
const NO_EPOCH: Uint8Array = new Uint8Array(8);

/** What a table is made of. */
export type ChannelTableOptions = {
  /** Of the purpose `channel`: it renews keys. */
  readonly crypto: SessionCrypto;
  /** As many bytes as it is asked for, none of which anybody can guess. */
  readonly random: (sizeBytes: number) => Uint8Array;
  readonly limits?: Partial<SessionLimits>;
};

const NO_CHANNELS: readonly string[] = [];

/** Links over channels, at most one a peer. A link counts as open once Data of the peer has come over it. */
export class ChannelTable {
  readonly #crypto: SessionCrypto;
  readonly #random: (sizeBytes: number) => Uint8Array;
  readonly #limits: SessionLimits;
  readonly #counters: Counters = new Counters();
  readonly #indexes: IndexTable<SessionSlot | RenewalSlot>;
  readonly #links: LinkTable;
  // BOUNDED: limits.links.
  readonly #channels: Map<NodeId, PeerChannels> = new Map();
  /** Links to look at in the next flush. BOUNDED: by the links, as their deadlines are. */
  readonly #touched: Set<Link> = new Set();
  readonly #deadlines: Map<Link, number> = new Map();
  readonly #scratch: Uint8Array = new Uint8Array(CHANNEL_CARRIER.framesMaxBytes);
  /** For the next flush. BOUNDED: one a call, besides what its links may send now. */
  #outbox: ChannelTransmit[] = [];
  /** BOUNDED: the owner takes them after each call. */
  #closed: string[] = [];

  constructor(options: ChannelTableOptions) {
    const { random, crypto } = options;
    this.#crypto = crypto;
    this.#random = random;
    this.#limits = completeLimits(options.limits);
    this.#indexes = new IndexTable(random);
    this.#links = new LinkTable({
      self: crypto.id,
      carrier: CHANNEL_CARRIER,
      // A Pong on a channel echoes and says no more: there is no address to observe.
      owner: { pongBody: ({ echo }) => echo, nodesBody: () => new Uint8Array(0) },
      limits: this.#limits,
      counters: this.#counters,
      indexes: this.#indexes,
    });
  }

  /** What was counted, by reason. */
  get counters(): ReadonlyMap<string, number> {
    return this.#counters.values;
  }

  /** Whether as many links are open as may be. */
  get isFull(): boolean {
    return this.#links.isFull;
  }

  /**
   * Begins with a channel whose carrier is there. Where the peer has an open one already, that one goes on until the new one
   * takes over, with all that was not acknowledged. The name of a channel that is to be closed for it is returned: the new one
   * where there is no room for it, or another that was about to take over.
   */
  adopt(agreed: AgreedChannel, now: Now): string | undefined {
    const { channel, peer, keys, isInitiator, localIndex, remoteIndex } = agreed;
    const session = new Session({
      localIndex,
      remoteIndex,
      isInitiator,
      remoteEpoch: channel,
      keys,
      nowMono: now.mono,
    });
    const known = this.#channels.get(peer);
    if (known?.isOpen) return this.#await(known, channel, session, now);
    if (known === undefined && this.#links.isFull) return channel;
    const link = this.#establish(peer, session, now);
    if (link === undefined) return channel;
    if (known !== undefined) return known.goOver(channel, now.mono);
    this.#channels.set(peer, this.#channelsOn(link, channel, now));
    return undefined;
  }

  /** Takes what a channel brought; never throws, whatever it is. */
  receive(channel: string, datagram: Uint8Array, now: Now): ChannelEvent[] {
    const decoded = decodeChannelMessage(datagram, CHANNEL_MESSAGE_MAX_BYTES);
    if (!decoded.ok) return this.#drop(`dropped.${decoded.reason}`);
    const message = decoded.value;
    if (message.kind !== DATA) return this.#receiveRenewal(channel, message, now);
    const named = this.#indexes.get(message.receiverIndex);
    if (named?.type === "renewal") return this.#confirm(named.peer, channel, message, datagram.length, now);
    const channels = named && this.#channels.get(named.link.peer);
    if (named === undefined || channels?.channelOf(named.session) !== channel)
      return this.#drop("dropped.unknown-index");
    const opened = named.session.open(message);
    if (typeof opened === "string") return this.#drop(opened);
    const replacing = channels.next?.channel === channel ? this.#takeOver(channels, channels.next, now) : [];
    return [...replacing, ...this.#opened(channels, named.session, opened, datagram.length, now)];
  }

  /** As in SessionTable; a peer whose channel is not open yet has "no-session". */
  send(peer: NodeId, frame: Frame, now: Now, token?: number): SendOutcome {
    const channels = this.#channels.get(peer);
    const link = channels?.isOpen ? channels.link : undefined;
    const outcome = enqueueFrame(link, frame, now.mono, token, this.#limits);
    if (link !== undefined) this.#touched.add(link);
    return outcome;
  }

  /** Pings a peer that has not answered where it should have. */
  suspect(peer: NodeId, now: Now): void {
    const channels = this.#channels.get(peer);
    if (channels === undefined) return;
    channels.link.liveness.suspect(now.mono);
    this.#touched.add(channels.link);
  }

  /** As SessionTable.ask. */
  ask(peer: NodeId, now: Now): void {
    const channels = this.#channels.get(peer);
    if (channels === undefined) return;
    channels.link.liveness.ask(now.mono);
    this.#touched.add(channels.link);
  }

  /** Ends a link with a Bye; the owner closes the channel once the next flush has gone. */
  close(peer: NodeId, byeBody: Uint8Array, now: Now): ChannelEvent[] {
    const channels = this.#channels.get(peer);
    if (channels === undefined) return [];
    const { link, inUse: channel } = channels;
    this.#flushLink(link, channel, now);
    const bye = sealBye(link, byeBody);
    if (bye !== undefined) this.#outbox.push({ channel, datagram: bye.datagram, isControl: false });
    const events: ChannelEvent[] = [];
    this.#close(link, "local", undefined, events);
    return events;
  }

  /** The carrier of a channel is gone. */
  lost(channel: string, now: Now): ChannelEvent[] {
    const channels = this.#ofChannel(channel);
    if (channels === undefined) return [];
    const { next, link } = channels;
    if (next?.channel === channel) {
      channels.dropNext();
      return [];
    }
    if (next !== undefined) return this.#takeOver(channels, next, now);
    const events: ChannelEvent[] = [];
    this.#close(link, "timeout", undefined, events);
    return events;
  }

  /** All that may leave now; call it after every other call. */
  flush(now: Now): ChannelTransmit[] {
    for (const link of this.#touched) {
      const channels = this.#channels.get(link.peer);
      if (channels === undefined) continue;
      this.#flushLink(link, channels.inUse, now);
      const { rekeyAfterMessages } = this.#limits;
      // None of the reasons for which a Hello over UDP is sent, but the age of the keys.
      const dueMono = linkDeadlineMono(link, now.mono, { isDialing: true, rekeyAfterMessages });
      const renewalMono = channels.isOpen ? channels.renewal.dueMono() : Number.POSITIVE_INFINITY;
      this.#deadlines.set(link, Math.min(dueMono, Math.max(now.mono, renewalMono)));
    }
    this.#touched.clear();
    const transmits = this.#outbox;
    this.#outbox = [];
    return transmits;
  }

  /** What is due: resends, Pings, links that went silent. */
  tick(now: Now): ChannelEvent[] {
    const events: ChannelEvent[] = [];
    for (const [link, dueMono] of this.#deadlines) {
      if (dueMono > now.mono) continue;
      this.#touched.add(link);
      const ticked: SessionEvent[] = [];
      const isAlive = this.#links.tick(link, now, ticked);
      events.push(...ticked);
      if (isAlive) {
        const channels = this.#channels.get(link.peer);
        if (channels?.isOpen) channels.renewal.tick(now.mono);
        continue;
      }
      this.#counters.add("links.timed-out");
      this.#close(link, "timeout", undefined, events);
    }
    return events;
  }

  /** Monotonic time, ms, of the next tick or flush that has something to do; null: none. */
  nextDeadline(): number | null {
    let next = Number.POSITIVE_INFINITY;
    for (const dueMono of this.#deadlines.values()) next = Math.min(next, dueMono);
    return next === Number.POSITIVE_INFINITY ? null : next;
  }

  /** An open link over a channel. */
  get(peer: NodeId): SessionInfo | undefined {
    const channels = this.#channels.get(peer);
    return channels?.isOpen ? infoOf(channels.link) : undefined;
  }

  /** Channels that are of no use any more since this was last asked: their carriers are to be closed. */
  takeClosed(): readonly string[] {
    if (this.#closed.length === 0) return NO_CHANNELS;
    const closed = this.#closed;
    this.#closed = [];
    return closed;
  }

  /** The channels of a peer: the one in use, open or not, and one that may take over. */
  channelsOf(peer: NodeId): string[] {
    return this.#channels.get(peer)?.all() ?? [];
  }

  /** The peers with an open link over a channel. */
  peers(): NodeId[] {
    return [...this.#channels].flatMap(([peer, { isOpen }]) => (isOpen ? [peer] : []));
  }

  /** Lets a second channel wait for its turn; the Ping tells the peer that this end is there. */
  #await(channels: PeerChannels, channel: string, session: Session, now: Now): string | undefined {
    const { link } = channels;
    const replaced = channels.wait({ channel, session });
    const echo = this.#random(ECHO_BYTES);
    link.liveness.ping(echo, now.mono, link.path);
    const frames = new Uint8Array(frameSizeBytes(FRAME_KIND.ping, ECHO_BYTES));
    writeFrame(frames, 0, { kind: FRAME_KIND.ping, number: undefined, body: echo });
    this.#outbox.push({ channel, datagram: session.seal(frames), isControl: true });
    return replaced;
  }

  #takeOver(channels: PeerChannels, { channel, session }: NextChannel, now: Now): ChannelEvent[] {
    const { peer } = channels.link;
    this.#establish(peer, session, now);
    const replaced = channels.goOver(channel, now.mono);
    this.#closed.push(replaced);
    return [{ type: "replaced", peer, channel: replaced }];
  }

  #channelsOn(link: Link, channel: string, now: Now): PeerChannels {
    const { rekeyAfterMessages } = this.#limits;
    const transmit = (datagram: ChannelTransmit) => this.#outbox.push(datagram);
    const shared = { crypto: this.#crypto, counters: this.#counters, indexes: this.#indexes };
    return new PeerChannels({ ...shared, transmit, rekeyAfterMessages }, link, channel, now.mono);
  }

  /** A Hello or a Welcome: only inside a channel that is open and in use. */
  #receiveRenewal(channel: string, message: ChannelHello | Welcome, now: Now): ChannelEvent[] {
    const channels = this.#ofChannel(channel);
    if (channels?.isOpen !== true || channels.inUse !== channel) return this.#drop("dropped.unknown-index");
    const session = channels.renewal.receive(message, now.mono);
    if (session !== undefined) this.#establish(channels.link.peer, session, now);
    return [];
  }

  /** The first Data under new keys of the peer's wish. */
  #confirm(peer: NodeId, channel: string, data: Data, sizeBytes: number, now: Now): ChannelEvent[] {
    const channels = this.#channels.get(peer);
    if (channels?.inUse !== channel) return this.#drop("dropped.unknown-index");
    const confirmed = channels.renewal.confirm(data);
    if (confirmed === undefined) return [];
    this.#establish(peer, confirmed.session, now);
    return this.#opened(channels, confirmed.session, confirmed.opened, sizeBytes, now);
  }

  /** What a Data that opened brings. */
  #opened(channels: PeerChannels, session: Session, opened: Opened, sizeBytes: number, now: Now): ChannelEvent[] {
    const { link } = channels;
    const { peer } = link;
    const events: SessionEvent[] = [];
    if (!channels.isOpen) {
      channels.isOpen = true;
      events.push({ type: "opened", peer, address: NO_ADDRESS, initiator: session.isInitiator, restarted: false });
    }
    const bye = this.#links.receive(link, session, opened, { from: NO_ADDRESS, sizeBytes, now }, events);
    this.#touched.add(link);
    const passedOn: ChannelEvent[] = events.filter(
      (event) => event.type !== "frame" || event.frame.kind !== FRAME_KIND.pong,
    );
    if (bye !== undefined) this.#close(link, "bye", bye, passedOn);
    return passedOn;
  }

  /** A link with this session; the one that the peer has already starts anew with it. */
  #establish(peer: NodeId, session: Session, now: Now): Link | undefined {
    const established = { peer, session, localEpoch: NO_EPOCH, address: NO_ADDRESS, isValidated: true };
    const link = this.#links.establish(established, now, []);
    if (link !== undefined) this.#touched.add(link);
    return link;
  }

  #flushLink(link: Link, channel: string, now: Now): void {
    flushLink(link, {
      nowMono: now.mono,
      random: this.#random,
      counters: this.#counters,
      transmits: { push: ({ datagram, isControl }) => this.#outbox.push({ channel, datagram, isControl }) },
      scratch: this.#scratch,
    });
  }

  #close(link: Link, reason: CloseReason, bye: Uint8Array | undefined, events: ChannelEvent[]): void {
    const channels = this.#channels.get(link.peer);
    const wasOpen = channels?.isOpen === true;
    this.#closed.push(...this.channelsOf(link.peer));
    channels?.forget();
    const closing: SessionEvent[] = [];
    this.#links.close(link, reason, bye, closing);
    // What never opened does not close; whoever waits for it has to hear of its end all the same.
    const { peer } = link;
    for (const event of closing)
      events.push(wasOpen || event.type !== "closed" ? event : { type: "unopened", peer, reason });
    this.#channels.delete(link.peer);
    this.#touched.delete(link);
    this.#deadlines.delete(link);
  }

  #ofChannel(channel: string): PeerChannels | undefined {
    for (const channels of this.#channels.values()) {
      if (channels.has(channel)) return channels;
    }
    return undefined;
  }

  #drop(reason: CounterName): SessionEvent[] {
    this.#counters.add(reason);
    return [];
  }
}
