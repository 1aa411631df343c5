// All the channels of a process: who may be made, who is there, and their callbacks.
import { isIP } from "node:net";
import type { Address, Candidate, Description } from "@starling/wire-protocol";
import {
  Channel,
  type ChannelSettings,
  type ChannelState,
  type CloseReason,
  type DropReason,
  warmUp,
} from "./channel.ts";
import { RtcError } from "./errors.ts";
import { MESSAGE_MAX_BYTES } from "./framing.ts";
import { usableAddresses } from "./host-addresses.ts";

/** Callbacks; none comes out of a call into the hub, and none after `closed`. What one throws is the owner's uncaught exception. */
export type RtcListener = {
  /** What the other end has to be told: an offer or an answer. Once a channel. */
  described(channel: string, description: Description): void;
  /** A local candidate that was found later; at most 2 a channel. */
  candidate(channel: string, candidate: Candidate): void;
  opened(channel: string): void;
  /** The bytes are the owner's to keep. */
  message(channel: string, bytes: Uint8Array): void;
  /** After a `send` that was "full": there is room again. */
  drained?(channel: string): void;
  /** Exactly once a channel, after the owner's own `close` and `cancel` too ("local"). */
  closed(channel: string, reason: CloseReason): void;
};

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
  /** How long a description waits for STUN; default 150. */
  readonly gatherMs?: number;
  /** From `offer` or `accept` until open, else closed as "timeout"; default 15,000. */
  readonly openTimeoutMs?: number;
};

export type RtcStats = {
  readonly channels: readonly { readonly state: ChannelState; readonly count: number }[];
  readonly open: readonly {
    readonly channel: string;
    readonly rttMs: number | undefined;
    /** Of frames, after coalescing. */
    readonly sentBytes: number;
    readonly receivedBytes: number;
  }[];
  /** Datagrams, records, packets and candidates that were refused. */
  readonly dropped: ReadonlyMap<DropReason, number>;
};

export type RtcHub = {
  /** Loads werift and makes the certificate, about 200 ms; else the first channel does. Rejects with `E_WERIFT`. */
  warmUp(): Promise<void>;
  /** Begins a channel; the label is ASCII hex, the same at both ends. Throws `E_CHANNEL_EXISTS`, `E_BAD_LABEL`, `E_SHUT_DOWN`. */
  offer(channel: string, label: string): void;
  /** Begins a channel from the peer's offer; throws like `offer`. */
  accept(channel: string, label: string, offer: Description): void;
  /** The peer's answer to `offer`; ignored where none is waited for. */
  answer(channel: string, answer: Description): void;
  /** A late candidate of the peer, in any state; ten in all, with those of the description. */
  addCandidate(channel: string, candidate: Candidate): void;
  /** A whole message of 1 to 16,384 bytes, copied; reliable and in order. Throws `E_BAD_SIZE`. */
  send(channel: string, message: Uint8Array): "sent" | "queued" | "full" | "not-open";
  close(channel: string): void;
  /** `close`, by the name it has before a channel is open. */
  cancel(channel: string): void;
  /** For drills: cuts a channel's sockets without a word to either end, as a failing network would. `close` is still due. */
  sever(channel: string): void;
  /** Closes every channel; resolves when all sockets and timers are gone. */
  shutdown(): Promise<void>;
  stats(): RtcStats;
};

const LABEL = /^[0-9a-f]{1,128}$/;
const STATES: readonly ChannelState[] = ["gathering", "signalling", "connecting", "open"];

/** Throws `E_BAD_OPTION` for addresses that are no ip literals and numbers out of range. */
export function createRtcHub(options: RtcHubOptions): RtcHub {
  const { listener, maxChannels = 128, maxDials = 8, bindAddresses, iceServers = [] } = options;
  const { gatherMs = 150, openTimeoutMs = 15_000 } = options;
  checkOptions({ maxChannels, maxDials, gatherMs, openTimeoutMs }, [
    ...(bindAddresses ?? []),
    ...(typeof iceServers === "function" ? [] : iceServers.map(({ ip }) => ip)),
  ]);
  // BOUNDED: maxChannels, and those that are being taken down.
  const channels = new Map<string, Channel>();
  const leaving = new Set<Promise<void>>();
  // BOUNDED: by the names of the type.
  const dropped = new Map<DropReason, number>();
  let isShutDown = false;

  function begin(channel: string, label: string, offer: Description | undefined): void {
    if (isShutDown) throw new RtcError("E_SHUT_DOWN", "this hub is shut down: create another");
    if (!LABEL.test(label)) throw new RtcError("E_BAD_LABEL", "a label is 1 to 128 lower-case hex digits");
    if (channels.has(channel)) throw new RtcError("E_CHANNEL_EXISTS", `channel '${channel}' exists: close it first`);
    const dials = [...channels.values()].filter(({ state }) => state !== "open").length;
    if (channels.size >= maxChannels || dials >= maxDials) {
      queueMicrotask(() => listener.closed(channel, "busy"));
      return;
    }
    const settings: ChannelSettings = {
      bindAddresses: bindAddresses ?? usableAddresses(),
      iceServers: typeof iceServers === "function" ? iceServers().filter(({ ip }) => isIP(ip) !== 0) : iceServers,
      gatherMs,
      openMs: openTimeoutMs,
    };
    const made: Channel = new Channel(
      label,
      settings,
      {
        described: (description) => report(() => listener.described(channel, description)),
        candidate: (candidate) => report(() => listener.candidate(channel, candidate)),
        opened: () => report(() => listener.opened(channel)),
        message: (bytes) => report(() => listener.message(channel, bytes)),
        drained: () => report(() => listener.drained?.(channel)),
        closed: (reason) => end(channel, made, reason),
        dropped: (reason) => dropped.set(reason, (dropped.get(reason) ?? 0) + 1),
      },
      offer,
    );
    channels.set(channel, made);
  }

  function end(channel: string, made: Channel, reason: CloseReason): void {
    channels.delete(channel);
    const gone = made.gone.finally(() => leaving.delete(gone));
    leaving.add(gone);
    listener.closed(channel, reason);
  }

  const close = (channel: string): void => channels.get(channel)?.close("local");
  return {
    async warmUp() {
      await warmUp();
    },
    offer: (channel, label) => begin(channel, label, undefined),
    accept: (channel, label, offer) => begin(channel, label, offer),
    answer: (channel, answer) => channels.get(channel)?.answer(answer),
    addCandidate: (channel, candidate) => channels.get(channel)?.addCandidate(candidate),
    send(channel, message) {
      if (message.length < 1 || message.length > MESSAGE_MAX_BYTES) {
        throw new RtcError("E_BAD_SIZE", `a message is 1 to ${MESSAGE_MAX_BYTES} bytes, not ${message.length}`);
      }
      return channels.get(channel)?.send(message) ?? "not-open";
    },
    close,
    cancel: close,
    sever: (channel) => channels.get(channel)?.sever(),
    async shutdown() {
      isShutDown = true;
      const all = [...channels.values()];
      for (const channel of all) channel.close("local");
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

function checkOptions(numbers: Record<string, number>, ips: readonly string[]): void {
  for (const [name, value] of Object.entries(numbers)) {
    if (!Number.isInteger(value) || value < 0 || value > 1_000_000) {
      throw new RtcError("E_BAD_OPTION", `${name} has to be a whole number, not ${value}`);
    }
  }
  const bad = ips.find((ip) => isIP(ip) === 0);
  if (bad !== undefined) {
    throw new RtcError("E_BAD_OPTION", `'${bad.slice(0, 64)}' is no ip address: names are never looked up here`);
  }
}
