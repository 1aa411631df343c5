// Times and sizes of a session. The first block is the protocol's (PROTOCOL §3, §5); the second is ours; the third is what
// an owner may set.
import { DATAGRAM_FRAMES_MAX_BYTES, FRAGMENT_HEADER_BYTES, RELIABLE_FRAME_HEADER_BYTES } from "@starling/wire-protocol";
import { SessionError } from "./errors.ts";

export const INITIATOR_REKEY_MS = 120_000;
/** Later than the initiator's, so that both rekey at once only where the initiator's Hellos were lost. */
export const RESPONDER_REKEY_MS = 135_000;
export const OLD_KEYS_MS = 30_000;
export const UNCONFIRMED_MS = 10_000;
export const COOKIE_ROTATION_MS = 120_000;
export const HEAL_AFTER_MS = 1_000;
export const HEAL_INTERVAL_MS = 5_000;
export const REPLAY_WINDOW = 8_192;
export const RECEIVER_WINDOW = 4_096;
export const PING_INTERVAL_MS = 10_000;
export const SEND_TRIES = 5;
/** A Publish that fits one datagram; its neighbour can ask for it again. */
export const PUBLISH_TRIES = 2;
export const RTO_MAX_MS = 2_000;
export const LINK_REASSEMBLIES = 4;
export const LINK_REASSEMBLY_BYTES: number = 256 * 1024;
export const REASSEMBLY_MS = 10_000;
/** A new address gets at most this many times what it sent, until it has echoed a Ping (RFC 9000 §8.1 has the same rule). */
export const UNVALIDATED_FACTOR = 3;

export const WELCOME_WAIT_MS = 2_000;
export const COOKIE_RETRIES = 3;
export const DEFAULT_ATTEMPTS_MS: readonly number[] = [0, 1_000, 3_000];
export const RTO_UNKNOWN_MS = 300;
/** Pings of one link that are answered a second; the burst is twice that. An honest one sends 5 at most. */
export const PINGS_PER_SECOND = 10;
export const ACK_DELAY_MS = 5;
export const ACK_PENDING_MAX = 8;
export const WINDOW_FRAMES = 256;
export const WINDOW_BYTES: number = 256 * 1024;
/** What an Ack can name behind its lowest number: 64 bytes of bitmap. */
export const WINDOW_SPAN = 512;
export const FRAGMENT_PIECE_BYTES: number =
  DATAGRAM_FRAMES_MAX_BYTES - RELIABLE_FRAME_HEADER_BYTES - FRAGMENT_HEADER_BYTES;

/** Bounds of everything that peers and strangers can make grow: counts, rates a second, bytes. */
export type SessionLimits = {
  /** Open links in all. A Hello from a stranger is dropped above it; an own dial that succeeds evicts the stalest link. */
  readonly links: number;
  /** Own dials under way. A connect above it is answered "unreachable". */
  readonly dials: number;
  /** Hellos answered but not yet confirmed; the oldest gives way. */
  readonly unconfirmed: number;
  /** Ids whose last confirmed timestamp is remembered; the oldest gives way. */
  readonly timestamps: number;
  /** Hellos in one second that may cost a DH before strangers need a cookie. */
  readonly handshakesPerSecond: number;
  /** The same for strangers who brought a cookie; above it their Hellos are dropped. */
  readonly provedHandshakesPerSecond: number;
  /** Rates of Hellos by ip (IPv6: /64) and by block (/24, /48), a second; the bursts are twice that. */
  readonly hellosPerSecondIp: number;
  readonly hellosPerSecondBlock: number;
  /** Datagrams a second that one link may have opened; the burst is as many. More than a link's own pace can send. */
  readonly datagramsPerSecondLink: number;
  /** Token buckets kept; a source that finds no room for one must bring a cookie. */
  readonly buckets: number;
  /** Frames and bytes that wait or are in flight on a link before `send` says "full". */
  readonly queuedFrames: number;
  readonly queuedBytes: number;
  /** Half reassembled frames of all links. */
  readonly reassemblyBytes: number;
  readonly rekeyAfterMessages: number;
};

/** The limits of a table that is told no others. */
export const DEFAULT_LIMITS: SessionLimits = {
  links: 4_096,
  dials: 512,
  unconfirmed: 1_024,
  timestamps: 8_192,
  handshakesPerSecond: 32,
  provedHandshakesPerSecond: 256,
  hellosPerSecondIp: 16,
  hellosPerSecondBlock: 64,
  datagramsPerSecondLink: 65_536,
  buckets: 8_192,
  queuedFrames: 4_096,
  queuedBytes: 4 * 1024 * 1024,
  reassemblyBytes: 8 * 1024 * 1024,
  rekeyAfterMessages: 2 ** 32,
};

/** The defaults with the owner's changes. Throws `E_BAD_LIMIT` for a limit that is no positive integer. */
export function completeLimits(changes: Partial<SessionLimits> = {}): SessionLimits {
  const limits = { ...DEFAULT_LIMITS, ...changes };
  for (const [name, value] of Object.entries(limits)) {
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new SessionError("E_BAD_LIMIT", `the limit '${name}' must be a positive integer, not ${value}`);
    }
  }
  return limits;
}
