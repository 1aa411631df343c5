// Everything a session table counts. The names are stable: metrics and tests refer to them.
import type { DecodeFailure } from "@starling/wire-protocol";

/** What a table counts: each reason for which something was not taken, and what was done about strangers. */
export type CounterName =
  // Datagrams that were not taken, in the order of the receive ladder (PROTOCOL §3.3, §3.4).
  | "dropped.bad-source"
  | `dropped.${DecodeFailure}`
  | "dropped.mac1"
  | "dropped.rate-limited"
  | "dropped.handshake"
  | "dropped.hello-payload"
  | "dropped.self"
  | "dropped.denied"
  | "dropped.table-full"
  | "dropped.welcome-unasked"
  | "dropped.welcome-payload"
  | "dropped.cookie-unasked"
  | "dropped.unknown-index"
  | "dropped.link-rate"
  | "dropped.undecryptable"
  | "dropped.replay"
  | "dropped.malformed-frames"
  | "dropped.retired-epoch"
  // STUN requests that were not answered.
  | "dropped.stun"
  | "dropped.stun-stranger"
  | "dropped.stun-rate"
  // Frames inside a good datagram that were not taken.
  | "dropped.ack"
  | "dropped.frame-repeated"
  | "dropped.frame-beyond-window"
  | "dropped.fragment"
  | "dropped.fragment-no-room"
  | "dropped.fragment-expired"
  | "dropped.ping"
  | "dropped.pong-unasked"
  | "dropped.pong-too-large"
  // Handshakes.
  | "handshakes.started"
  | "handshakes.answered"
  | "handshakes.completed"
  | "handshakes.unreachable"
  | "hellos.sent"
  | "welcomes.sent"
  | "welcomes.repeated"
  | "cookies.sent"
  | "cookies.received"
  | "stun.answered"
  // Links.
  | "links.opened"
  | "links.restarted"
  | "links.moved"
  | "links.validated"
  | "links.rekeyed"
  | "links.healed"
  | "links.timed-out"
  | "links.evicted"
  // Frames.
  | "frames.sent"
  | "frames.resent"
  | "frames.undelivered";

export class Counters {
  // BOUNDED: by the names above.
  readonly #values: Map<string, number> = new Map();

  get values(): ReadonlyMap<string, number> {
    return this.#values;
  }

  add(name: CounterName, amount = 1): void {
    if (amount === 0) return;
    this.#values.set(name, (this.#values.get(name) ?? 0) + amount);
  }
}
