// The messages of a DTLS handshake in their order, each once (RFC 6347 §4.2.2). werift takes them as they come: where the one
// datagram with a certificate is lost, it derives its keys without it, and never recovers; a key exchange that comes twice makes it
// draw another key. What comes again is shown to it only where that makes it repeat its own flight: the last message of a flight.
import type { HandshakeMessage } from "./werift.ts";

const LAST_OF_FLIGHT: ReadonlySet<number> = new Set([1 /* ClientHello */, 14 /* ServerHelloDone */, 20 /* Finished */]);
/** A flight has five messages. */
const AHEAD_MAX = 16;

export class HandshakeOrder {
  #next = 0;
  // BOUNDED: AHEAD_MAX numbers after the next.
  readonly #ahead: Map<number, HandshakeMessage> = new Map();

  /** What is to be handled now, of these and of earlier ones. */
  take(messages: readonly HandshakeMessage[]): HandshakeMessage[] {
    const ready: HandshakeMessage[] = [];
    for (const message of messages) {
      const { message_seq: at, msg_type } = message;
      if (at === this.#next - 1 && LAST_OF_FLIGHT.has(msg_type)) ready.push(message);
      if (at >= this.#next && at < this.#next + AHEAD_MAX && !this.#ahead.has(at)) this.#ahead.set(at, message);
    }
    for (let next = this.#ahead.get(this.#next); next !== undefined; next = this.#ahead.get(this.#next)) {
      this.#ahead.delete(this.#next);
      this.#next += 1;
      ready.push(next);
    }
    return ready;
  }
}
