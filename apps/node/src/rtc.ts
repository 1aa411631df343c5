import type { IcePolicy, NodeInput, RtcCommand } from "@starling/node-core";
import { createRtcHub, RECORD_MAX_BYTES, type RtcHub, type RtcStats } from "@starling/rtc-transport";
import type { Address } from "@starling/wire-protocol";

/** What the node does with WebRTC: commands of the core go to the hub, what the hub says goes to the core. */
export type Rtc = {
  readonly perform: (command: RtcCommand) => void;
  readonly stats: () => RtcStats;
  readonly shutdown: () => Promise<void>;
};

const WILDCARDS = ["0.0.0.0", "::"];

export function startRtc(options: {
  readonly maxChannels: number;
  /** Under `relayed-only` the core asks for no channel, and the hub would make none. */
  readonly icePolicy: IcePolicy;
  /** Where the node listens: channels use the same address, or all of this machine's. */
  readonly listen: Address;
  /** Whom to ask for a channel's public address. */
  readonly stunServers: () => readonly Address[];
  readonly feed: (input: NodeInput) => void;
  readonly onFault: (error: unknown) => void;
}): Rtc {
  const { maxChannels, icePolicy, listen, stunServers, feed, onFault } = options;
  const hub = createRtcHub({
    // Dials of our own and of others' are counted apart by signalling (PROTOCOL §9): the hub is to refuse neither, nor one that takes the
    // place of one that is being taken down.
    maxDials: 24,
    maxChannels: Math.max(1, maxChannels),
    icePolicy,
    iceServers: stunServers,
    // A Data each: the session above has its own fragments.
    maxMessageBytes: RECORD_MAX_BYTES,
    ...(WILDCARDS.includes(listen.ip) ? {} : { bindAddresses: [listen.ip] }),
    listener: {
      described: (channel, description) => feed({ type: "rtc-described", channel, description }),
      candidate: (channel, candidate) => feed({ type: "rtc-found", channel, candidate }),
      opened: (channel) => feed({ type: "rtc-opened", channel }),
      message: (channel, message) => feed({ type: "rtc-message", channel, message }),
      closed: (channel, reason) => feed({ type: "rtc-closed", channel, reason }),
    },
  });
  // Ahead of the first channel, and beside everything else: it takes a while.
  if (maxChannels > 0 && icePolicy === "all") hub.warmUp().catch(onFault);
  return { perform: (command) => perform(hub, command), stats: () => hub.stats(), shutdown: () => hub.shutdown() };
}

function perform(hub: RtcHub, command: RtcCommand): void {
  const { channel } = command;
  switch (command.type) {
    case "rtc-offer":
      hub.offer(channel, command.label);
      break;
    case "rtc-accept":
      hub.accept(channel, command.label, command.description);
      break;
    case "rtc-answer":
      hub.answer(channel, command.description);
      break;
    case "rtc-candidate":
      hub.addCandidate(channel, command.candidate);
      break;
    case "rtc-send":
      // "full" is a channel that does not drain: what is on it goes by other ways once its timers run out.
      hub.send(channel, command.message, command);
      break;
    case "rtc-sever":
      hub.sever(channel);
      break;
    case "rtc-close":
      hub.close(channel);
  }
}
