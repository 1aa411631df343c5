import type { Address } from "@starling/wire-protocol";
import type { EventQueue, EventTarget } from "./event-queue.ts";
import type { Latency, Point } from "./latency.ts";
import type { Nat } from "./nat.ts";
import type { SeededRandom } from "./seeded-random.ts";
import { TraceHash } from "./trace-hash.ts";

/** Losses in runs: a sender that turned bad loses all it sends until it turns good again (Gilbert and Elliott's model). */
export type Bursts = { readonly begins: number; readonly ends: number };

export type NetworkConditions = {
  readonly latency: Latency;
  /** Probability that a datagram is lost. */
  readonly loss: number;
  /** Probability that it arrives twice. */
  readonly duplication: number;
  readonly bursts?: Bursts;
};

/** A socket on the network. */
export type Place = {
  readonly address: Address;
  readonly point: Point;
  readonly nat: Nat | undefined;
  /** Which side of a partition it is on, while there is one. */
  side: number;
  /** In a run of losses. */
  isBad: boolean;
  /** Nobody is there: what comes is lost. */
  receiver: EventTarget | undefined;
};

const CENTRE: Point = { x: 0.5, y: 0.5 };

export type SentDatagram = {
  readonly from: Place;
  /** Of the NAT, where the sender is behind one. */
  readonly source: Address;
  readonly to: Address;
  readonly datagram: Uint8Array;
};

/** Virtual UDP: what is sent arrives late, twice, out of order or not at all, as the seed decides. */
export class Network {
  readonly counts = { sent: 0, lost: 0, delivered: 0, bytes: 0 };
  readonly trace: TraceHash = new TraceHash();
  /** Called with each datagram that is put on the wire, and the source it has there. */
  watch: ((sent: SentDatagram) => void) | undefined;
  isPartitioned = false;
  conditions: NetworkConditions;
  readonly #queue: EventQueue;
  readonly #random: SeededRandom;
  /** By ip: the sockets by port, or the one place behind a NAT. */
  readonly #byIp = new Map<string, Map<number, Place> | Place>();

  constructor(queue: EventQueue, random: SeededRandom, conditions: NetworkConditions) {
    this.#queue = queue;
    this.#random = random;
    this.conditions = conditions;
  }

  add(place: Place): void {
    const { ip, port } = place.address;
    const known = this.#byIp.get(ip);
    if (place.nat !== undefined) this.#byIp.set(ip, place);
    else if (known instanceof Map) known.set(port, place);
    else this.#byIp.set(ip, new Map([[port, place]]));
  }

  remove(place: Place): void {
    const known = this.#byIp.get(place.address.ip);
    if (known instanceof Map) known.delete(place.address.port);
    else this.#byIp.delete(place.address.ip);
  }

  /** Equal for two runs exactly when the same datagrams arrived at the same times. */
  get traceHash(): string {
    return this.trace.hex;
  }

  send(from: Place, to: Address, datagram: Uint8Array): void {
    const { loss, duplication, bursts } = this.conditions;
    const random = this.#random;
    this.counts.sent += 1;
    this.counts.bytes += datagram.length;
    let source = from.address;
    if (from.nat !== undefined) {
      const port = from.nat.outbound(to, this.#queue.nowMs);
      if (port === undefined) {
        this.counts.lost += 1;
        return;
      }
      source = { ip: source.ip, port };
    }
    this.watch?.({ from, source, to, datagram });
    if (bursts !== undefined) {
      const turns = random.fraction() < (from.isBad ? bursts.ends : bursts.begins);
      if (turns) from.isBad = !from.isBad;
    }
    const isLost = random.fraction() < loss || from.isBad;
    if (isLost) this.counts.lost += 1;
    else this.#deliver(from, source, to, datagram);
    if (duplication > 0 && random.fraction() < duplication && !from.isBad) this.#deliver(from, source, to, datagram);
  }

  /** A datagram from nowhere that names another's address as its source. */
  forge(source: Address, to: Address, datagram: Uint8Array): void {
    const place = this.#placeAt(to);
    const nowhere: Place = {
      address: source,
      point: CENTRE,
      nat: undefined,
      side: 0,
      isBad: false,
      receiver: undefined,
    };
    if (place !== undefined) this.#deliver({ ...nowhere, side: place.side }, source, to, datagram);
  }

  #deliver(from: Place, source: Address, to: Address, datagram: Uint8Array): void {
    const place = this.#placeAt(to);
    const receiver = place?.receiver;
    if (place === undefined || receiver === undefined || !this.#lets(from, source, place, to)) {
      this.counts.lost += 1;
      return;
    }
    const atMs = this.#queue.nowMs + this.conditions.latency(this.#random, from.point, place.point);
    this.counts.delivered += 1;
    this.trace.add(atMs, source, place.address, datagram);
    // A copy for each arrival: a core may keep views into what it received.
    this.#queue.datagram(atMs, receiver, datagram.slice(), source);
  }

  #placeAt(to: Address): Place | undefined {
    const known = this.#byIp.get(to.ip);
    return known instanceof Map ? known.get(to.port) : known;
  }

  /** Whether neither a partition nor the NAT of the receiver is in the way. */
  #lets(from: Place, source: Address, place: Place, to: Address): boolean {
    if (this.isPartitioned && place.side !== from.side) return false;
    return place.nat === undefined || place.nat.admits(to.port, source, this.#queue.nowMs);
  }
}
