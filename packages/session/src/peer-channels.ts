// The channels under one peer's link: the one in use, which has a renewal of its own, and a second one that waits to take over.
import type { ChannelTransmit } from "./channel-event.ts";
import { ChannelRenewal, type RenewalSlot } from "./channel-renewal.ts";
import type { Counters } from "./counters.ts";
import type { Indexes } from "./index-table.ts";
import type { Link } from "./link.ts";
import type { SessionSlot } from "./link-table.ts";
import type { Session } from "./session.ts";
import type { SessionCrypto } from "./session-crypto.ts";

export type PeerChannelsOptions = {
  readonly crypto: SessionCrypto;
  readonly counters: Counters;
  readonly indexes: Indexes<SessionSlot | RenewalSlot>;
  readonly transmit: (transmit: ChannelTransmit) => void;
  readonly rekeyAfterMessages: number;
};

/** A second channel, agreed on; it takes over with the peer's first Data there, or when the first one's carrier ends. */
export type NextChannel = { readonly channel: string; readonly session: Session };

export class PeerChannels {
  readonly link: Link;
  /** Whether Data of the peer has come. */
  isOpen = false;
  readonly #options: PeerChannelsOptions;
  #inUse: string;
  #renewal: ChannelRenewal;
  #next: NextChannel | undefined;

  constructor(options: PeerChannelsOptions, link: Link, channel: string, nowMono: number) {
    this.#options = options;
    this.link = link;
    this.#inUse = channel;
    this.#renewal = this.#renewalOn(channel, nowMono);
  }

  /** The name of the one in use. */
  get inUse(): string {
    return this.#inUse;
  }

  /** Of the keys on the one in use. */
  get renewal(): ChannelRenewal {
    return this.#renewal;
  }

  get next(): NextChannel | undefined {
    return this.#next;
  }

  /** The names of all. */
  all(): string[] {
    return this.#next === undefined ? [this.#inUse] : [this.#inUse, this.#next.channel];
  }

  has(channel: string): boolean {
    return this.#inUse === channel || this.#next?.channel === channel;
  }

  /** The only channel over which Data of a session of this peer may come. */
  channelOf(session: Session): string {
    return session === this.#next?.session ? this.#next.channel : this.#inUse;
  }

  /** Lets a second channel wait for its turn; the name of the one that waited until now. */
  wait(next: NextChannel): string | undefined {
    const replaced = this.dropNext();
    const { session } = next;
    this.#next = next;
    this.#options.indexes.set(session.localIndex, { type: "session", session, link: this.link });
    return replaced;
  }

  /** The name of the one that waited. */
  dropNext(): string | undefined {
    const next = this.#next;
    if (next !== undefined) this.#options.indexes.delete(next.session.localIndex);
    this.#next = undefined;
    return next?.channel;
  }

  /** This channel is in use from now on; the name of the one that was. A second one whose turn this is waits no more. */
  goOver(channel: string, nowMono: number): string {
    const replaced = this.#inUse;
    this.#renewal.forget();
    this.#renewal = this.#renewalOn(channel, nowMono);
    this.#inUse = channel;
    if (this.#next?.channel === channel) this.#next = undefined;
    return replaced;
  }

  /** The link has ended. */
  forget(): void {
    this.dropNext();
    this.#renewal.forget();
  }

  #renewalOn(channel: string, nowMono: number): ChannelRenewal {
    const { link } = this;
    const transmit = (datagram: Uint8Array) => this.#options.transmit({ channel, datagram, isControl: true });
    return new ChannelRenewal({ ...this.#options, link, channel, transmit, nowMono });
  }
}
