import type { Address } from "@starling/wire-protocol";
import { formatAddress } from "@starling/wire-protocol";
import type { EventQueue } from "./event-queue.ts";
import type { SeededRandom } from "./seeded-random.ts";

export type NetworkConditions = {
  /** One way, uniform between the two. */
  readonly latencyMs: readonly [least: number, most: number];
  /** Probability that a datagram is lost. */
  readonly loss: number;
  /** Probability that it arrives twice. */
  readonly duplication: number;
};

type Receiver = (bytes: Uint8Array, from: Address) => void;

/** Virtual UDP: what is sent arrives late, twice, out of order or not at all, as the seed decides. */
export class Network {
  readonly counts = { sent: 0, lost: 0, delivered: 0, bytes: 0 };
  readonly #queue: EventQueue;
  readonly #random: SeededRandom;
  readonly #conditions: NetworkConditions;
  readonly #receivers = new Map<string, Receiver>();
  /** FNV-1a over time, addresses and bytes of every datagram that arrived. */
  #trace = 0x811c_9dc5;

  constructor(queue: EventQueue, random: SeededRandom, conditions: NetworkConditions) {
    this.#queue = queue;
    this.#random = random;
    this.#conditions = conditions;
  }

  attach(address: Address, receiver: Receiver): void {
    this.#receivers.set(formatAddress(address), receiver);
  }

  detach(address: Address): void {
    this.#receivers.delete(formatAddress(address));
  }

  send(from: Address, to: Address, datagram: Uint8Array): void {
    const { loss, duplication } = this.#conditions;
    this.counts.sent += 1;
    this.counts.bytes += datagram.length;
    if (this.#random.fraction() < loss) this.counts.lost += 1;
    else this.#deliver(from, to, datagram);
    if (this.#random.fraction() < duplication) this.#deliver(from, to, datagram);
  }

  /** Equal for two runs exactly when the same datagrams arrived at the same times. */
  get traceHash(): string {
    return (this.#trace >>> 0).toString(16).padStart(8, "0");
  }

  #deliver(from: Address, to: Address, datagram: Uint8Array): void {
    const [least, most] = this.#conditions.latencyMs;
    const bytes = datagram.slice();
    this.#queue.at(this.#queue.nowMs + least + this.#random.fraction() * (most - least), () => {
      const key = formatAddress(to);
      const receiver = this.#receivers.get(key);
      if (receiver === undefined) return;
      this.counts.delivered += 1;
      for (const byte of new TextEncoder().encode(`${this.#queue.nowMs} ${formatAddress(from)} ${key} `))
        this.#mix(byte);
      for (const byte of bytes) this.#mix(byte);
      receiver(bytes, from);
    });
  }

  #mix(byte: number): void {
    this.#trace = Math.imul(this.#trace ^ byte, 0x0100_0193);
  }
}
