import { integerValue, perSecondValue, type Setting } from "@starling/daemon";
import { DEFAULT_FORWARD_LIMITS, type RelayCoreOptions } from "@starling/node-core";
import type { RelayConfig } from "./config.ts";

// Every limit of a relay: its setting, its default, and where it takes effect. All are on; none can be switched off, only raised.

export type LimitSettings = {
  readonly "max-peers": Setting<number>;
  readonly "max-handshakes": Setting<number>;
  readonly "max-proved-handshakes": Setting<number>;
  readonly "max-forward": Setting<number>;
  readonly "max-forward-bytes": Setting<number>;
  readonly "max-recipient": Setting<number>;
  readonly "max-recipient-bytes": Setting<number>;
  readonly "max-total": Setting<number>;
  readonly "max-total-bytes": Setting<number>;
  readonly "max-queue": Setting<number>;
  readonly "max-queue-bytes": Setting<number>;
  readonly "max-fragment-bytes": Setting<number>;
  readonly "max-pending": Setting<number>;
  readonly "max-seen": Setting<number>;
};

const { link, recipient, total } = DEFAULT_FORWARD_LIMITS;
const MIB = 1024 * 1024;
const RATE_MAX = 1_000_000;
const BYTE_RATE_MAX = 10_000 * MIB;

function count(max: number, value: number, describe: string): Setting<number> {
  return { schema: integerValue(1, max), default: value, describe, placeholder: "N" };
}

function rate(value: number, describe: string, max: number = RATE_MAX): Setting<number> {
  return { schema: perSecondValue(max), default: `${value}/s`, describe, placeholder: "N/s" };
}

export function limitSettings(): LimitSettings {
  return {
    "max-peers": count(65_536, 1024, "Peers that may be connected at once"),
    "max-handshakes": rate(32, "Handshakes of strangers that are answered before they need a cookie", 10_000),
    "max-proved-handshakes": rate(256, "Handshakes that are answered to strangers who brought a cookie", 10_000),
    "max-forward": rate(link.messagesPerSecond, "Messages that each peer may have forwarded in a second"),
    "max-forward-bytes": rate(
      link.bytesPerSecond,
      "Bytes that each peer may have forwarded in a second",
      BYTE_RATE_MAX,
    ),
    "max-recipient": rate(
      recipient.messagesPerSecond,
      "Messages to one recipient in a second, shared by those who send",
    ),
    "max-recipient-bytes": rate(recipient.bytesPerSecond, "Bytes to one recipient in a second", BYTE_RATE_MAX),
    "max-total": rate(total.messagesPerSecond, "Messages in all in a second, shared by those who send"),
    "max-total-bytes": rate(total.bytesPerSecond, "Bytes in all in a second", BYTE_RATE_MAX),
    "max-queue": count(65_536, 4_096, "Frames that may wait for one peer"),
    "max-queue-bytes": count(64 * MIB, MIB, "Bytes that may wait for one peer"),
    "max-fragment-bytes": count(256 * MIB, 8 * MIB, "Bytes of half received messages, of all peers together"),
    "max-pending": count(
      1_000_000,
      65_536,
      "Messages that are known as being under way; each peer may have half of what is left",
    ),
    "max-seen": count(
      16_777_216,
      4_194_304,
      "Messages of three minutes that are known again; the filter takes 11 bytes for each, twice",
    ),
  };
}

/** The limits as the core takes them. */
export function coreLimits(
  config: RelayConfig,
): Pick<RelayCoreOptions, "maxNeighbours" | "quota" | "sessionLimits" | "pendingMax" | "seenMax"> {
  return {
    maxNeighbours: config.maxPeers,
    quota: {
      link: { messagesPerSecond: config.maxForward, bytesPerSecond: config.maxForwardBytes },
      recipient: { messagesPerSecond: config.maxRecipient, bytesPerSecond: config.maxRecipientBytes },
      total: { messagesPerSecond: config.maxTotal, bytesPerSecond: config.maxTotalBytes },
    },
    sessionLimits: {
      handshakesPerSecond: config.maxHandshakes,
      provedHandshakesPerSecond: config.maxProvedHandshakes,
      queuedFrames: config.maxQueue,
      queuedBytes: config.maxQueueBytes,
      reassemblyBytes: config.maxFragmentBytes,
    },
    pendingMax: config.maxPending,
    seenMax: config.maxSeen,
  };
}

/** Every limit by the name of its setting, for the metrics and the descriptor. */
export function limitsOf(config: RelayConfig): Readonly<Record<keyof LimitSettings, number>> {
  return {
    "max-peers": config.maxPeers,
    "max-handshakes": config.maxHandshakes,
    "max-proved-handshakes": config.maxProvedHandshakes,
    "max-forward": config.maxForward,
    "max-forward-bytes": config.maxForwardBytes,
    "max-recipient": config.maxRecipient,
    "max-recipient-bytes": config.maxRecipientBytes,
    "max-total": config.maxTotal,
    "max-total-bytes": config.maxTotalBytes,
    "max-queue": config.maxQueue,
    "max-queue-bytes": config.maxQueueBytes,
    "max-fragment-bytes": config.maxFragmentBytes,
    "max-pending": config.maxPending,
    "max-seen": config.maxSeen,
  };
}
