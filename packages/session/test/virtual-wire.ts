// Session tables on a wire in virtual time: loss, delay, jitter (which reorders) and duplication from a seed.
import { generateIdentity, type NodeId } from "@starling/crypto-identity";
import { type Address, FRAME_KIND, type Frame, formatAddress } from "@starling/wire-protocol";
import {
  createSessionCrypto,
  type Now,
  type SessionCrypto,
  type SessionEvent,
  type SessionLimits,
  SessionTable,
  type Transmit,
} from "../src/index.ts";

export type Random = (sizeBytes: number) => Uint8Array;

/** mulberry32: small, seeded, good enough to shuffle a wire. */
export function seededFraction(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function seededRandom(seed: number): Random {
  const fraction = seededFraction(seed);
  return (sizeBytes) => Uint8Array.from({ length: sizeBytes }, () => Math.floor(fraction() * 256));
}

export type WireQuality = {
  loss: number;
  delayMs: number;
  jitterMs: number;
  duplication: number;
  /** Bursts in which all is lost (Gilbert and Elliott): chances that one begins or ends with a datagram. */
  burst: { readonly begins: number; readonly ends: number };
};
const PERFECT: WireQuality = { loss: 0, delayMs: 10, jitterMs: 0, duplication: 0, burst: { begins: 0, ends: 1 } };

export type Host = {
  readonly name: string;
  readonly id: NodeId;
  readonly crypto: SessionCrypto;
  table: SessionTable;
  address: Address;
  readonly events: SessionEvent[];
  /** Added to the wall clock that this host sees. */
  wallOffsetMs: number;
};

type InTransit = { readonly atMono: number; readonly serial: number; readonly from: Address } & Transmit;

export class VirtualWire {
  readonly random: Random;
  readonly #fraction: () => number;
  quality: WireQuality;
  mono = 1_000;
  /** Everything that was put on the wire, lost or not. */
  readonly sent: {
    readonly atMono: number;
    readonly from: Address;
    readonly to: Address;
    readonly datagram: Uint8Array;
  }[] = [];
  readonly hosts: Host[] = [];
  /** Decides on a datagram before chance does. */
  drops: (transmit: Transmit, from: Address) => boolean = () => false;
  /** Sees every event of every host, after it was recorded. */
  onEvent: (host: Host, event: SessionEvent) => void = () => undefined;
  ticks = 0;
  readonly #bursting: Set<Host> = new Set();
  #inTransit: InTransit[] = [];
  #serial = 0;
  #spin = 0;
  #spinMono = 0;

  constructor(seed: number, quality: Partial<WireQuality> = {}) {
    this.#fraction = seededFraction(seed);
    this.random = seededRandom(seed ^ 0x5bd1e995);
    this.quality = { ...PERFECT, ...quality };
  }

  addHost(name: string, ip: string, limits: Partial<SessionLimits> = {}, crypto?: SessionCrypto): Host {
    const random = this.random;
    const own = crypto ?? createSessionCrypto({ identity: generateIdentity(random), network: "test", random });
    const host: Host = {
      name,
      id: own.id,
      crypto: own,
      table: this.newTable(own, limits),
      address: { ip, port: 4000 },
      events: [],
      wallOffsetMs: 0,
    };
    this.hosts.push(host);
    return host;
  }

  newTable(crypto: SessionCrypto, limits: Partial<SessionLimits> = {}): SessionTable {
    return new SessionTable({
      crypto,
      random: this.random,
      limits,
      owner: {
        pongBody: ({ echo }) => Uint8Array.from([...echo, 0xaa]),
        nodesBody: (lookup) => Uint8Array.from([...lookup, 0xbb]),
      },
    });
  }

  now(host: Host): Now {
    return { mono: this.mono, wall: 1_700_000_000_000 + this.mono + host.wallOffsetMs };
  }

  connect(from: Host, to: Host, options?: { lookup?: Uint8Array; attemptsMs?: readonly number[] }): void {
    from.table.connect(to.id, to.address, this.now(from), options);
    this.pump(from);
  }

  send(from: Host, to: Host, frame: Frame, token?: number): string {
    const outcome = from.table.send(to.id, frame, this.now(from), token);
    this.pump(from);
    return outcome;
  }

  close(from: Host, to: Host): void {
    this.#record(from, from.table.close(to.id, Uint8Array.of(7), this.now(from)));
    this.pump(from);
  }

  /** Hands a datagram to a host now. */
  inject(to: Host, datagram: Uint8Array, from: Address): SessionEvent[] {
    const events = to.table.receive(datagram, from, this.now(to));
    this.#record(to, events);
    this.pump(to);
    return events;
  }

  pump(host: Host): void {
    for (const transmit of host.table.flush(this.now(host))) {
      this.sent.push({ ...transmit, atMono: this.mono, from: host.address });
      if (this.drops(transmit, host.address) || this.#isInBurst(host) || this.#fraction() < this.quality.loss) continue;
      this.#carry(transmit, host.address);
      if (this.#fraction() < this.quality.duplication) this.#carry(transmit, host.address);
    }
  }

  /** Lets time pass. Stops early, and says so, when `until` holds. */
  run(forMs: number, until: () => boolean = () => false): boolean {
    const endMono = this.mono + forMs;
    while (!until()) {
      const arrival = this.#nextArrival();
      const { host, atMono } = this.#nextTick();
      if (Math.min(arrival?.atMono ?? Number.POSITIVE_INFINITY, atMono) > endMono) {
        this.mono = endMono;
        return until();
      }
      if (arrival !== undefined && arrival.atMono <= atMono) {
        this.mono = Math.max(this.mono, arrival.atMono);
        this.#inTransit.shift();
        const to = this.hosts.find((candidate) => formatAddress(candidate.address) === formatAddress(arrival.to));
        if (to !== undefined) this.inject(to, arrival.datagram, arrival.from);
      } else if (host !== undefined) {
        // A deadline in the past would spin for ever in a real loop.
        if (atMono < this.mono) throw new Error(`${host.name} wants a tick at ${atMono}, now is ${this.mono}`);
        this.mono = Math.max(this.mono, atMono);
        this.ticks += 1;
        this.#spin = this.mono - this.#spinMono < 1 ? this.#spin + 1 : 0;
        if (this.#spin === 0) this.#spinMono = this.mono;
        if (this.#spin > 1_000) throw new Error(`${host.name} wants a thousand ticks within a millisecond`);
        this.#record(host, host.table.tick(this.now(host)));
        this.pump(host);
      }
    }
    return true;
  }

  /** Each direction has its own bursts. */
  #isInBurst(host: Host): boolean {
    const { begins, ends } = this.quality.burst;
    if (begins === 0) return false;
    const isIn = this.#bursting.has(host);
    if (this.#fraction() < (isIn ? ends : begins)) {
      if (isIn) this.#bursting.delete(host);
      else this.#bursting.add(host);
    }
    return isIn;
  }

  #record(host: Host, events: SessionEvent[]): void {
    for (const event of events) {
      host.events.push(event);
      this.onEvent(host, event);
    }
  }

  #carry(transmit: Transmit, from: Address): void {
    const { delayMs, jitterMs } = this.quality;
    const atMono = this.mono + Math.max(0, delayMs + (this.#fraction() * 2 - 1) * jitterMs);
    this.#serial += 1;
    const item = { ...transmit, atMono, from, serial: this.#serial };
    let at = this.#inTransit.length;
    while (at > 0 && (this.#inTransit[at - 1]?.atMono ?? 0) > atMono) at -= 1;
    this.#inTransit.splice(at, 0, item);
  }

  #nextArrival(): InTransit | undefined {
    return this.#inTransit[0];
  }

  #nextTick(): { host: Host | undefined; atMono: number } {
    let first: { host: Host | undefined; atMono: number } = { host: undefined, atMono: Number.POSITIVE_INFINITY };
    for (const host of this.hosts) {
      const atMono = host.table.nextDeadline() ?? Number.POSITIVE_INFINITY;
      if (atMono < first.atMono) first = { host, atMono };
    }
    return first;
  }
}

/** A frame whose body is `sizeBytes` long and begins with `serial`. */
export function frameOf(serial: number, sizeBytes = 100, kind: number = FRAME_KIND.direct): Frame {
  const body = new Uint8Array(sizeBytes).fill(serial & 0xff);
  new DataView(body.buffer).setUint32(0, serial);
  return { kind, body };
}

export function serialOf(frame: Frame): number {
  return new DataView(frame.body.buffer, frame.body.byteOffset).getUint32(0);
}

export function eventsOf<Type extends SessionEvent["type"]>(
  host: Host,
  type: Type,
): Extract<SessionEvent, { type: Type }>[] {
  return host.events.filter((event): event is Extract<SessionEvent, { type: Type }> => event.type === type);
}

/** Serials of the frames of a kind that reached a host. */
export function serials(host: Host, kind: number = FRAME_KIND.direct): number[] {
  return eventsOf(host, "frame")
    .filter((event) => event.frame.kind === kind)
    .map((event) => serialOf(event.frame));
}

export function counted(host: Host, name: string): number {
  return host.table.counters.get(name) ?? 0;
}

/** Two hosts with an open link. */
export function linkedPair(seed: number, quality: Partial<WireQuality> = {}): { wire: VirtualWire; a: Host; b: Host } {
  const wire = new VirtualWire(seed);
  const a = wire.addHost("a", "198.51.100.1");
  const b = wire.addHost("b", "203.0.113.1");
  wire.connect(a, b);
  if (!wire.run(2_000, () => [a, b].every((host) => host.table.sessions()[0]?.rttMs !== undefined))) {
    throw new Error("no link");
  }
  wire.quality = { ...wire.quality, ...quality };
  return { wire, a, b };
}
