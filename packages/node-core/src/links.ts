import type { NodeId } from "@starling/crypto-identity";
import type { Now } from "@starling/peer-manager";
import {
  type AgreedChannel,
  type ChannelEvent,
  ChannelTable,
  type SendOutcome,
  type SessionCrypto,
  type SessionEvent,
  type SessionInfo,
  type SessionLimits,
  type SessionOwner,
  SessionTable,
} from "@starling/session";
import { type Address, FRAME_KIND, type Frame } from "@starling/wire-protocol";
import { ChannelUses } from "./channel-uses.ts";
import type { RtcClose, RtcSend, Transmit } from "./output.ts";

// All links of a node, over both carriers. Above this nothing asks which one a frame takes: a peer has one of each at most, and
// frames prefer the channel, but for those of membership: they go over the session alone (PROTOCOL §6).

/** A Ping each 10 s is answered within this more. */
const SILENCE_MS = 11_000;
/** A frame is resent after 1.1 round trips and again after 1.65: by then an ack is due. */
const DOUBT_RTTS = 3;
const DOUBT_MS = 50;
const RTT_UNKNOWN_MS = 300;
/** What a channel is there for: messages and what answers them, and no upkeep. */
const CONTENT: ReadonlySet<number> = new Set([
  FRAME_KIND.send,
  FRAME_KIND.sendAck,
  FRAME_KIND.sendFail,
  FRAME_KIND.publish,
  FRAME_KIND.direct,
  FRAME_KIND.directAck,
]);

export type LinkPath = "channel" | "session";
export type LinkEvent =
  | { readonly path: "session"; readonly event: SessionEvent }
  | { readonly path: "channel"; readonly event: ChannelEvent };
export type LinkInfo = { readonly path: LinkPath; readonly rttMs: number | undefined };

export type LinksOptions = {
  readonly crypto: SessionCrypto;
  /** The same for the purpose `channel`: it renews the keys of channels. */
  readonly channelCrypto: SessionCrypto;
  readonly random: (sizeBytes: number) => Uint8Array;
  readonly owner: SessionOwner;
  readonly maxSessions: number;
  /** 0: this node opens none (a relay). */
  readonly maxChannels: number;
  readonly sessionLimits?: Partial<SessionLimits> | undefined;
  readonly admits?: ((peer: NodeId) => boolean) | undefined;
};

export class Links {
  readonly #sessions: SessionTable;
  readonly #channels: ChannelTable | undefined;
  readonly #uses: ChannelUses;
  /** Channels whose link has ended, to be closed behind what the next flush still sends. BOUNDED: channels. */
  #closing: string[] = [];

  constructor(options: LinksOptions) {
    const { crypto, channelCrypto, random, owner, maxSessions, maxChannels, sessionLimits, admits } = options;
    this.#sessions = new SessionTable({
      crypto,
      random,
      owner,
      limits: { ...sessionLimits, links: maxSessions },
      admits,
    });
    if (maxChannels > 0) {
      this.#channels = new ChannelTable({ crypto: channelCrypto, random, limits: { links: maxChannels } });
    }
    this.#uses = new ChannelUses({
      max: maxChannels,
      isThere: (peer) => this.channelsOf(peer).length > 0,
      rttMs: (peer) => this.#channels?.get(peer)?.rttMs,
    });
  }

  connect(
    peer: NodeId,
    address: Address,
    now: Now,
    options: { readonly lookup: Uint8Array; readonly attemptsMs?: readonly number[] },
  ): void {
    this.#sessions.connect(peer, address, now, options);
  }

  receive(datagram: Uint8Array, from: Address, now: Now): LinkEvent[] {
    return onSession(this.#sessions.receive(datagram, from, now));
  }

  receiveOnChannel(channel: string, bytes: Uint8Array, now: Now): LinkEvent[] {
    const events = this.#onChannel((channels) => channels.receive(channel, bytes, now));
    for (const { event } of events) {
      if (event.type === "frame" && CONTENT.has(event.frame.kind)) this.#uses.used(event.peer, now.mono);
    }
    return events;
  }

  /** The carrier of a channel is gone. */
  channelLost(channel: string, now: Now): LinkEvent[] {
    return this.#onChannel((channels) => channels.lost(channel, now));
  }

  /** Begins with a channel that both ends have agreed on, by our own wish or not; false where there is no room for it. */
  adopt(agreed: AgreedChannel, isOwn: boolean, now: Now): boolean {
    const surplus = this.#channels?.adopt(agreed, now);
    if (surplus !== undefined) this.#closing.push(surplus);
    if (surplus === agreed.channel) return false;
    this.#uses.begun(agreed.peer, isOwn, now.mono);
    return true;
  }

  /** As SessionTable.send, on the best link there is. */
  send(peer: NodeId, frame: Frame, now: Now, token?: number): SendOutcome {
    const outcome = this.sendOn("channel", peer, frame, now, token);
    if (outcome === "queued" || outcome === "too-large") return outcome;
    const other = this.sendOn("session", peer, frame, now, token);
    return other === "no-session" ? outcome : other;
  }

  /** As SessionTable.send, over this carrier and no other. */
  sendOn(path: LinkPath, peer: NodeId, frame: Frame, now: Now, token?: number): SendOutcome {
    if (path === "session") return this.#sessions.send(peer, frame, now, token);
    const outcome = this.#channels?.send(peer, frame, now, token) ?? "no-session";
    if (outcome === "queued" && CONTENT.has(frame.kind)) this.#uses.used(peer, now.mono);
    return outcome;
  }

  has(peer: NodeId): boolean {
    return this.#sessions.has(peer) || this.#channels?.get(peer) !== undefined;
  }

  best(peer: NodeId): LinkInfo | undefined {
    const channel = this.#channels?.get(peer);
    if (channel !== undefined) return { path: "channel", rttMs: channel.rttMs };
    const session = this.#sessions.get(peer);
    return session && { path: "session", rttMs: session.rttMs };
  }

  /** The peer has not answered a Ping, or acknowledged what it was sent, where it should have. */
  isDoubtful(peer: NodeId, nowMono: number): boolean {
    const info = this.#channels?.get(peer) ?? this.#sessions.get(peer);
    if (info === undefined) return true;
    const { lastHeardMono, unackedSinceMono, rttMs = RTT_UNKNOWN_MS } = info;
    return nowMono > Math.min(lastHeardMono + SILENCE_MS, unackedSinceMono + DOUBT_RTTS * rttMs + DOUBT_MS);
  }

  /** Peers with a link, each once. */
  peers(): NodeId[] {
    const ids = new Set(this.#sessions.sessions().map(({ peer }) => peer));
    for (const peer of this.#channels?.peers() ?? []) ids.add(peer);
    return [...ids];
  }

  /** The peer on whose session a datagram says that it comes; it is not opened. */
  peerOf(datagram: Uint8Array): NodeId | undefined {
    return this.#sessions.peerOf(datagram);
  }

  session(peer: NodeId): SessionInfo | undefined {
    return this.#sessions.get(peer);
  }

  sessions(): SessionInfo[] {
    return this.#sessions.sessions();
  }

  get reassemblyBytes(): number {
    return this.#sessions.reassemblyBytes;
  }

  sessionRttMs(peer: NodeId): number | undefined {
    return this.#sessions.get(peer)?.rttMs;
  }

  sessionAddresses(): Address[] {
    return this.#sessions.sessions().map(({ address }) => address);
  }

  channel(peer: NodeId): SessionInfo | undefined {
    return this.#channels?.get(peer);
  }

  /** The names of the channels to a peer: the one in use, and one that may take over. */
  channelsOf(peer: NodeId): string[] {
    return this.#channels?.channelsOf(peer) ?? [];
  }

  channelPeers(): NodeId[] {
    return this.#channels?.peers() ?? [];
  }

  /** Whether one more channel may be opened, by our own wish or by a peer's, if need be in the place of another. */
  hasChannelRoom(isOwn: boolean, nowMono: number): boolean {
    return this.#channels !== undefined && this.#uses.hasRoom(isOwn, nowMono);
  }

  /** Whose channel is to be closed before one more is adopted; undefined where none need be, or none may. */
  channelThatGivesWay(isOwn: boolean, nowMono: number): NodeId | undefined {
    return this.#uses.givesWay(isOwn, nowMono);
  }

  /** Channels that are to be closed because they are idle; `nodes`: how many others this node knows. */
  idleChannels(nodes: () => number, nowMono: number): NodeId[] {
    return this.#uses.idle(nodes, nowMono);
  }

  suspect(peer: NodeId, now: Now): void {
    if (this.#channels?.get(peer) !== undefined) this.#channels.suspect(peer, now);
    else this.#sessions.suspect(peer, now);
  }

  /** A Pong is wanted for what it tells. */
  ask(peer: NodeId, now: Now): void {
    if (this.#channels?.get(peer) !== undefined) this.#channels.ask(peer, now);
    else this.#sessions.ask(peer, now);
  }

  closeSession(peer: NodeId, bye: Uint8Array, now: Now): LinkEvent[] {
    return onSession(this.#sessions.close(peer, bye, now));
  }

  closeChannel(peer: NodeId, bye: Uint8Array, now: Now): LinkEvent[] {
    return this.#onChannel((channels) => channels.close(peer, bye, now));
  }

  flush(now: Now): (Transmit | RtcSend | RtcClose)[] {
    const closing = this.#closing;
    this.#closing = [];
    return [
      ...this.#sessions.flush(now).map(({ to, datagram }): Transmit => ({ type: "transmit", to, datagram })),
      ...(this.#channels?.flush(now) ?? []).map(
        ({ channel, datagram, isControl }): RtcSend => ({
          type: "rtc-send",
          channel,
          message: datagram,
          urgent: isControl,
        }),
      ),
      ...closing.map((channel): RtcClose => ({ type: "rtc-close", channel })),
    ];
  }

  tick(now: Now): LinkEvent[] {
    return [...onSession(this.#sessions.tick(now)), ...this.#onChannel((channels) => channels.tick(now))];
  }

  nextDeadline(): number | null {
    const [sessions, channels] = [this.#sessions.nextDeadline(), this.#channels?.nextDeadline() ?? null];
    const next = Math.min(sessions ?? Number.POSITIVE_INFINITY, channels ?? Number.POSITIVE_INFINITY);
    const dueMono = Math.min(next, this.#uses.nextDeadline());
    return dueMono === Number.POSITIVE_INFINITY ? null : dueMono;
  }

  counts(): Record<string, number> {
    const counts = Object.fromEntries(this.#sessions.counters);
    for (const [name, count] of this.#channels?.counters ?? []) counts[`channel.${name}`] = count;
    return counts;
  }

  #onChannel(call: (channels: ChannelTable) => ChannelEvent[]): LinkEvent[] {
    const channels = this.#channels;
    if (channels === undefined) return [];
    const events = call(channels);
    for (const channel of channels.takeClosed()) this.#closing.push(channel);
    return events.map((event) => ({ path: "channel", event }));
  }
}

function onSession(events: readonly SessionEvent[]): LinkEvent[] {
  return events.map((event) => ({ path: "session", event }));
}
