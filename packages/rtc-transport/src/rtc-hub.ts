// All the channels of a process: who may be made, who is there, and their callbacks.
import { isIP } from "node:net";
import type { Address, Candidate, Description } from "@starling/wire-protocol";
import { Channel, type ChannelState, type CloseReason } from "./channel.ts";
import { RtcError } from "./errors.ts";
import { MESSAGE_MAX_BYTES, type PartsBudget, RECORD_MAX_BYTES } from "./framing.ts";
import { usableAddresses } from "./host-addresses.ts";
import { checkOptions } from "./hub-options.ts";
import type { DropReason, RtcBackend } from "./link.ts";
import { weriftBackend } from "./werift-link.ts";

/** Callbacks; none comes out of a call into the hub, and none after `closed`. What one throws is the owner's uncaught exception. */
export type RtcListener = {
  /** What the other end has to be told: an offer or an answer. Once a channel. */
  described(channel: string, description: Description): void;
  /** A local candidate that was found later; at most 2 a channel. */
  candidate(channel: string, candidate: Candidate): void;
  /** Messages may be sent from now on. */
  opened(channel: string): void;
  /** The bytes are the owner's to keep. */
  message(channel: string, bytes: Uint8Array): void;
  /** Exactly once a channel, after the owner's own `close` and `cancel` too ("local"). */
  closed(channel: string, reason: CloseReason): void;
};

/** What a hub is made with; only the listener must be given. */
export type RtcHubOptions = {
  readonly listener: RtcListener;
  /** Channels at once; default 128. One more closes as "busy". */
  readonly maxChannels?: number;
  /** Channels that are not open yet; default 8. One more closes as "busy". */
  readonly maxDials?: number;
  /** Addresses of this machine to bind, a socket a channel each; default those it can be reached by, looked up anew each time. */
  readonly bindAddresses?: readonly string[];
  /**
   * STUN servers to ask for this side's public address; default none. No other is ever asked. A function is asked with each
   * channel, for servers that come and go; what it names that is no ip literal is passed over.
   */
  readonly iceServers?: readonly Address[] | (() => readonly Address[]);
  /** "relayed-only": a peer that is no neighbour is shown no address and sent nothing: its channel closes as "policy". */
  readonly icePolicy?: "all" | "relayed-only";
  /** A longer message of a peer closes its channel; default and most 262,144. What is sent may be as long. */
  readonly maxMessageBytes?: number;
  /** Of messages above 16 KiB that are not whole yet, over all channels; default 8 MiB. A channel beyond it closes as "busy". */
  readonly maxPartsBytes?: number;
  /** How long a description waits for STUN; default 150. */
  readonly gatherMs?: number;
  /** From `offer` or `accept` until open, else closed as "timeout"; default 15,000. */
  readonly openTimeoutMs?: number;
  /** Default: werift; another is `nodeDataChannelBackend` of `@starling/rtc-transport/node-datachannel`. */
  readonly backend?: RtcBackend;
};

/** How one channel is made. */
export type DialOptions = {
  /** Cancels the channel, in any state. */
  readonly signal?: AbortSignal;
  /** Has our addresses already: may have them under `icePolicy: "relayed-only"` too. Default false. */
  readonly isNeighbour?: boolean;
};

/** Channels as they are now. */
export type RtcStats = {
  readonly channels: readonly { readonly state: ChannelState; readonly count: number }[];
  readonly open: readonly {
    readonly channel: string;
    readonly rttMs: number | undefined;
    /** Of frames, after coalescing. */
    readonly sentBytes: number;
    readonly receivedBytes: number;
  }[];
  /** Datagrams, records, packets, candidates and checks that were refused. */
  readonly dropped: ReadonlyMap<DropReason, number>;
};

/** All channels of a process. */
export type RtcHub = {
  /** Loads werift and makes the certificate, about 200 ms; else the first channel does. Rejects with `E_WERIFT`. */
  warmUp(): Promise<void>;
  /** Begins a channel; the label is ASCII hex, the same at both ends. Throws `E_CHANNEL_EXISTS`, `E_BAD_LABEL`, `E_SHUT_DOWN`. */
  offer(channel: string, label: string, options?: DialOptions): void;
  /** Begins a channel from the peer's offer; throws like `offer`. */
  accept(channel: string, label: string, offer: Description, options?: DialOptions): void;
  /** The peer's answer to `offer`; ignored where none is waited for. */
  answer(channel: string, answer: Description): void;
  /** A late candidate of the peer, in any state; ten in all, with those of the description. */
  addCandidate(channel: string, candidate: Candidate): void;
  /**
   * A whole message of 1 to 262,144 bytes, copied; reliable and in order. An urgent one, up to 16,384 bytes, goes ahead of all
   * that waits, between the parts of a long one too, and has room of its own. Throws `E_BAD_SIZE`.
   */
  send(
    channel: string,
    message: Uint8Array,
    options?: { readonly urgent?: boolean },
  ): "sent" | "queued" | "full" | "not-open";
  /** After "full": resolves with true when there is room again, with false when the channel is not open. */
  room(channel: string): Promise<boolean>;
  /** Ends a channel at any stage. What was sent before goes first, for up to 500 ms. */
  close(channel: string): void;
  /** Ends a channel at once, without that. */
  cancel(channel: string): void;
  /** For drills: cuts a channel's sockets without a word to either end, as a failing network would. `close` is still due. */
  sever(channel: string): void;
  /** Closes every channel; resolves when all sockets and timers are gone. */
  shutdown(): Promise<void>;
  /** How many channels are in which state, and what went over those that are open. */
  stats(): RtcStats;
};

const LABEL = /^[0-9a-f]{1,128}$/;
const STATES: readonly ChannelState[] = ["gathering", "signalling", "connecting", "open"];

/** Throws `E_BAD_OPTION` for addresses that are no ip literals and numbers out of range. */
export function createRtcHub(options: RtcHubOptions): RtcHub {
  const { listener, maxChannels = 128, maxDials = 8, bindAddresses, iceServers = [], icePolicy = "all" } = options;
  const { maxMessageBytes = MESSAGE_MAX_BYTES, maxPartsBytes = 8 * 1024 * 1024 } = options;
  const { gatherMs = 150, openTimeoutMs: openMs = 15_000, backend = weriftBackend } = options;
  checkOptions(options);
  // BOUNDED: maxChannels, and those that are being taken down.
  const channels = new Map<string, Channel>();
  const leaving = new Set<Promise<void>>();
  // BOUNDED: by the names of the type.
  const dropped = new Map<DropReason, number>();
  const budget: PartsBudget = { usedBytes: 0, maxBytes: maxPartsBytes };
  let isShutDown = false;

  function begin(channel: string, label: string, offer: Description | undefined, dial: DialOptions): void {
    const { signal, isNeighbour = false } = dial;
    if (isShutDown) throw new RtcError("E_SHUT_DOWN", "this hub is shut down: create another");
    if (!LABEL.test(label)) throw new RtcError("E_BAD_LABEL", "a label is 1 to 128 lower-case hex digits");
    if (channels.has(channel)) throw new RtcError("E_CHANNEL_EXISTS", `channel '${channel}' exists: close it first`);
    const dials = [...channels.values()].filter(({ state }) => state !== "open").length;
    const refusal: CloseReason | undefined =
      signal?.aborted === true
        ? "local"
        : icePolicy === "relayed-only" && !isNeighbour
          ? "policy"
          : channels.size >= maxChannels || dials >= maxDials
            ? "busy"
            : undefined;
    if (refusal !== undefined) {
      queueMicrotask(() => listener.closed(channel, refusal));
      return;
    }
    // A name would be looked up by werift.
    const servers = (typeof iceServers === "function" ? iceServers() : iceServers).filter(({ ip }) => isIP(ip) !== 0);
    const cancel = () => made.cancel();
    const made: Channel = new Channel(
      label,
      {
        backend,
        bindAddresses: bindAddresses ?? usableAddresses(),
        iceServers: servers,
        gatherMs,
        openMs,
        maxMessageBytes,
        budget,
      },
      {
        described: (description) => report(() => listener.described(channel, description)),
        candidate: (candidate) => report(() => listener.candidate(channel, candidate)),
        opened: () => report(() => listener.opened(channel)),
        message: (bytes) => report(() => listener.message(channel, bytes)),
        closed: (reason) => {
          signal?.removeEventListener("abort", cancel);
          end(channel, made, reason);
        },
        dropped: (reason) => dropped.set(reason, (dropped.get(reason) ?? 0) + 1),
      },
      offer,
    );
    channels.set(channel, made);
    signal?.addEventListener("abort", cancel, { once: true });
  }

  function end(channel: string, made: Channel, reason: CloseReason): void {
    channels.delete(channel);
    const gone = made.gone.finally(() => leaving.delete(gone));
    leaving.add(gone);
    listener.closed(channel, reason);
  }

  return {
    warmUp: () => backend.warmUp(),
    offer: (channel, label, dial = {}) => begin(channel, label, undefined, dial),
    accept: (channel, label, offer, dial = {}) => begin(channel, label, offer, dial),
    answer: (channel, answer) => channels.get(channel)?.answer(answer),
    addCandidate: (channel, candidate) => channels.get(channel)?.addCandidate(candidate),
    send(channel, message, { urgent = false } = {}) {
      const max = urgent ? RECORD_MAX_BYTES : MESSAGE_MAX_BYTES;
      if (message.length < 1 || message.length > max) {
        throw new RtcError("E_BAD_SIZE", `a message is 1 to ${max} bytes, not ${message.length}`);
      }
      return channels.get(channel)?.send(message, urgent) ?? "not-open";
    },
    room: (channel) => channels.get(channel)?.room() ?? Promise.resolve(false),
    close: (channel) => channels.get(channel)?.close(),
    cancel: (channel) => channels.get(channel)?.cancel(),
    sever: (channel) => channels.get(channel)?.sever(),
    async shutdown() {
      isShutDown = true;
      const all = [...channels.values()];
      for (const channel of all) channel.close();
      await Promise.all([...all.map(({ gone }) => gone), ...leaving]);
    },
    stats() {
      const all = [...channels];
      return {
        channels: STATES.map((state) => ({ state, count: all.filter(([, made]) => made.state === state).length })),
        open: all
          .filter(([, made]) => made.state === "open")
          .map(([channel, { rttMs, sentBytes, receivedBytes }]) => ({ channel, rttMs, sentBytes, receivedBytes })),
        dropped: new Map(dropped),
      };
    },
  };
}

/** A callback runs deep inside werift, which would swallow what it throws. */
function report(callback: () => void): void {
  try {
    callback();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
