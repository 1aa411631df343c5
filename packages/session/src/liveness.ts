import { equalBytes } from "@starling/crypto-identity";
import { PING_INTERVAL_MS, RTO_UNKNOWN_MS } from "./limits.ts";
import type { Path } from "./path.ts";

/** Pings whose echo is still taken. */
const OUTSTANDING_MAX = 8;
// Rises faster than it falls: too short a time to resend after costs every frame a copy, too long a one only the lost ones.
const RTT_GAIN_UP = 1 / 4;
const RTT_GAIN_DOWN = 1 / 16;
const PROBE_RTT_MS = 200;
// Worst case from a peer's last sign: pings at 10 and 20 s, probes at 21.5, 22.5 and 23.5 s, dead at 24.5 s (PROTOCOL §5.3).
const PROBE_AFTER_MS = 1_500;
const PROBE_INTERVAL_MS = 1_000;
const REGULAR_PINGS = 2;
const UNANSWERED_MAX = REGULAR_PINGS + 3;
const HURRY_MS = 500;
const HURRY_FAST_PINGS = 4;

type Outstanding = { readonly echo: Uint8Array; readonly sentMono: number; readonly path: Path };

/** Pings, the round trip, and whether the peer still lives. */
export class Liveness {
  // BOUNDED: OUTSTANDING_MAX, oldest out.
  #outstanding: Outstanding[] = [];
  #rttMs: number | undefined;
  #lastHeardMono: number;
  #lastRegularMono: number;
  #lastPingMono: number;
  #unansweredCount = 0;
  #hurryCount = 0;
  /** Whether the next flush is to carry a Ping. */
  isPingOwed = true;

  constructor(nowMono: number) {
    this.#lastHeardMono = nowMono;
    this.#lastRegularMono = nowMono;
    this.#lastPingMono = nowMono;
  }

  get rttMs(): number | undefined {
    return this.#rttMs;
  }

  get lastHeardMono(): number {
    return this.#lastHeardMono;
  }

  /** Two regular Pings went unanswered. */
  get isProbing(): boolean {
    return this.#unansweredCount > REGULAR_PINGS;
  }

  /** Any authenticated datagram counts (PROTOCOL §5.3). */
  heard(nowMono: number): void {
    this.#lastHeardMono = nowMono;
    this.#unansweredCount = 0;
  }

  sample(rttMs: number): void {
    const error = rttMs - (this.#rttMs ?? rttMs);
    this.#rttMs = (this.#rttMs ?? rttMs) + (error > 0 ? RTT_GAIN_UP : RTT_GAIN_DOWN) * error;
  }

  /** Time after which a frame that was sent once counts as lost (PROTOCOL §5.1). */
  rtoMs(): number {
    return this.#rttMs === undefined ? RTO_UNKNOWN_MS : 1.1 * this.#rttMs + 10;
  }

  /** A Pong is wanted for what it tells; nothing follows if none comes. */
  ask(nowMono: number): void {
    if (nowMono - this.#lastPingMono < PROBE_RTT_MS) return;
    this.#owe(nowMono);
  }

  /** New keys or a new address: ping at once, and again soon while the owner passes `isHurried`. */
  hurry(nowMono: number): void {
    this.isPingOwed = true;
    this.#hurryCount = 0;
    this.#lastPingMono = nowMono;
  }

  /** Goes over to probing, as if the regular Pings had gone unanswered already. */
  suspect(nowMono: number): void {
    if (this.#unansweredCount >= REGULAR_PINGS) return;
    this.#unansweredCount = REGULAR_PINGS;
    this.#lastRegularMono = nowMono;
    this.#owe(nowMono);
  }

  nextMono(isHurried: boolean): number {
    return Math.min(this.#regularMono(), isHurried ? this.#hurryMono() : Number.POSITIVE_INFINITY);
  }

  /** Owes the Ping that is due, if one is; false when the peer is dead. */
  tick(nowMono: number, isHurried: boolean): boolean {
    if (nowMono >= this.#regularMono()) {
      if (this.#unansweredCount >= UNANSWERED_MAX) return false;
      this.#unansweredCount += 1;
      this.#lastRegularMono = nowMono;
      this.#owe(nowMono);
    } else if (isHurried && nowMono >= this.#hurryMono()) {
      this.#hurryCount += 1;
      this.#owe(nowMono);
    }
    return true;
  }

  /** The owed Ping, sent now to the path. */
  ping(echo: Uint8Array, nowMono: number, path: Path): void {
    this.isPingOwed = false;
    this.#outstanding.push({ echo, sentMono: nowMono, path });
    if (this.#outstanding.length > OUTSTANDING_MAX) this.#outstanding.shift();
  }

  /** Takes the Pong to a Ping that went to this path, once; false, and nothing has changed, when nobody asked there. */
  pong(echo: Uint8Array, nowMono: number, path: Path): boolean {
    const found = this.#outstanding.find((ping) => ping.path === path && equalBytes(ping.echo, echo));
    if (found === undefined) return false;
    this.#outstanding = this.#outstanding.filter((ping) => ping !== found);
    this.sample(nowMono - found.sentMono);
    return true;
  }

  #owe(nowMono: number): void {
    this.isPingOwed = true;
    this.#lastPingMono = nowMono;
  }

  #regularMono(): number {
    if (this.#unansweredCount < REGULAR_PINGS) return this.#lastRegularMono + PING_INTERVAL_MS;
    return this.#lastRegularMono + (this.#unansweredCount === REGULAR_PINGS ? PROBE_AFTER_MS : PROBE_INTERVAL_MS);
  }

  #hurryMono(): number {
    return (
      this.#lastPingMono + Math.min(PING_INTERVAL_MS, HURRY_MS * 2 ** Math.max(0, this.#hurryCount - HURRY_FAST_PINGS))
    );
  }
}
