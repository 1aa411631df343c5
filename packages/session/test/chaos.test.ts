import { describe, expect, test } from "@jest/globals";
import { FRAME_KIND } from "@starling/wire-protocol";
import { frameOf, type Host, seededFraction, serialOf, VirtualWire } from "./virtual-wire.ts";

type Sent = { readonly from: Host; readonly to: Host; outcomes: number; lives: number };

/** Four hosts that dial, close, restart, roam and send at random over a bad wire. */
class Chaos {
  readonly wire: VirtualWire;
  readonly hosts: Host[];
  readonly sent: Map<number, Sent> = new Map();
  readonly arrived: Map<Host, Set<number>> = new Map();
  readonly #fraction: () => number;
  readonly #lives: Map<Host, number> = new Map();
  #moves = 0;

  constructor(seed: number) {
    this.#fraction = seededFraction(seed);
    this.wire = new VirtualWire(seed, { loss: 0.25, delayMs: 60, jitterMs: 55, duplication: 0.1 });
    this.hosts = [0, 1, 2, 3].map((index) => this.wire.addHost(`h${index}`, `198.51.${index}.1`));
    this.wire.onEvent = (host, event) => {
      if (event.type === "frame" && event.frame.kind !== FRAME_KIND.pong) {
        const arrived = this.arrived.get(host) ?? new Set<number>();
        this.arrived.set(host, arrived.add(serialOf(event.frame)));
      } else if (event.type === "acknowledged" || event.type === "undelivered") {
        const sent = this.sent.get(event.token);
        if (sent === undefined) throw new Error("an outcome for nothing");
        sent.outcomes += 1;
        // The one thing that an acknowledgement promises.
        if (event.type === "acknowledged") expect(this.arrived.get(sent.to)?.has(event.token)).toBe(true);
      }
    };
  }

  #pick<T>(items: readonly T[]): T {
    return items[Math.floor(this.#fraction() * items.length)] as T;
  }

  livesOf(host: Host): number {
    return this.#lives.get(host) ?? 0;
  }

  send(from: Host, to: Host, sizeBytes: number, kind: number): void {
    const serial = this.sent.size;
    if (this.wire.send(from, to, frameOf(serial, sizeBytes, kind), serial) !== "queued") return;
    this.sent.set(serial, { from, to, outcomes: 0, lives: this.livesOf(from) });
  }

  step(): void {
    const { wire } = this;
    const from = this.#pick(this.hosts);
    const to = this.#pick(this.hosts.filter((host) => host !== from));
    const dice = this.#fraction();
    if (dice < 0.6)
      this.send(from, to, this.#pick([20, 500, 1_100, 30_000]), this.#pick([FRAME_KIND.direct, FRAME_KIND.send]));
    else if (dice < 0.85) wire.connect(from, to);
    else if (dice < 0.91) wire.close(from, to);
    else if (dice < 0.95) {
      from.table = wire.newTable(from.crypto);
      this.#lives.set(from, this.livesOf(from) + 1);
    } else if (dice < 0.98) {
      this.#moves += 1;
      from.address = { ip: `203.0.${this.#moves % 250}.${1 + this.hosts.indexOf(from)}`, port: 5_000 };
    } else {
      from.wallOffsetMs = Math.floor(this.#fraction() * 10_000_000) - 5_000_000;
    }
    wire.run(this.#fraction() * 400);
  }
}

describe("anything may happen", () => {
  test.each(Array.from({ length: 12 }, (_, index) => index))("and afterwards all is well (seed %d)", (seed) => {
    const chaos = new Chaos(seed);
    const { wire, hosts } = chaos;
    for (let count = 0; count < 250; count += 1) chaos.step();
    // Calm: what is half open settles or dies.
    Object.assign(wire.quality, { loss: 0, delayMs: 20, jitterMs: 0, duplication: 0 });
    wire.run(60_000);
    for (const a of hosts) {
      for (const b of hosts) {
        if (a === b) continue;
        expect(a.table.get(b.id) === undefined).toBe(b.table.get(a.id) === undefined);
        if (a.table.get(b.id) !== undefined) expect(a.table.get(b.id)?.address).toEqual(b.address);
      }
    }
    const before = chaos.sent.size;
    for (const a of hosts) {
      for (const b of hosts) {
        if (a.table.get(b.id) !== undefined) chaos.send(a, b, 2_000, FRAME_KIND.direct);
      }
    }
    wire.run(1_000);
    const last = [...chaos.sent.entries()].slice(before);
    expect(last.length).toBeGreaterThan(0);
    for (const [serial, { to }] of last) expect(chaos.arrived.get(to)?.has(serial)).toBe(true);
    for (const a of hosts)
      for (const { peer } of a.table.sessions()) wire.close(a, hosts.find((host) => host.id === peer) ?? a);
    wire.run(60_000);
    // Each frame has one outcome, unless its sender forgot it.
    for (const { from, outcomes, lives } of chaos.sent.values()) {
      if (lives === chaos.livesOf(from)) expect(outcomes).toBe(1);
      else expect(outcomes).toBeLessThanOrEqual(1);
    }
    for (const host of hosts) {
      expect(host.table.sessions()).toEqual([]);
      expect(host.table.nextDeadline()).toBeNull();
    }
  });
});
