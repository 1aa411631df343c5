import { describe, expect, test } from "@jest/globals";
import type { NodeId } from "@starling/crypto-identity";
import { FRAME_KIND } from "@starling/wire-protocol";
import { runCell } from "../src/cell.ts";
import { createFleet } from "../src/fleet.ts";
import { World, watchPlaintexts } from "../src/index.ts";
import { Invariants } from "../src/invariants.ts";
import { SCENARIOS } from "../src/scenarios/index.ts";

// Short runs of what `npm run sim` runs at length.

const CHAOS_SEEDS = [1, 2, 3, 4];

describe("twenty machines and everything that can go wrong", () => {
  test.each(CHAOS_SEEDS)("seed %i: no invariant is broken", (seed) => {
    const cell = runCell("chaos", { nodes: 20, seed, messages: 40, crypto: "stand-in" });
    expect(cell.violations).toEqual([]);
    const { messages = 0 } = cell.figures;
    expect(messages).toBeGreaterThan(20);
  });

  test("one seed is one run, another seed another; with real cryptography as well", () => {
    const run = (seed: number, crypto: "real" | "stand-in") =>
      runCell("chaos", { nodes: 8, seed, messages: 10, crypto }).traceHash;
    const first = run(11, "stand-in");
    expect(run(11, "stand-in")).toBe(first);
    expect(run(12, "stand-in")).not.toBe(first);
    expect(run(11, "real")).toBe(run(11, "real"));
  });
});

test("an unknown scenario is refused", () => {
  expect(() => runCell("nothing", { nodes: 2, seed: 1, messages: 1, crypto: "real" })).toThrow("nothing");
  expect(Object.keys(SCENARIOS)).toContain("unicast");
});

describe("the invariants", () => {
  test("see a core that sends an envelope back to where it came from", () => {
    const world = new World({ seed: 3, latencyMs: [5, 10], loss: 0, duplication: 0 });
    const invariants = new Invariants({ maxNeighbours: 8, maxChannels: 0 });
    const relay = world.addRelay({}, { tap: invariants.tap(() => relay.id) });
    const self = () => relay.id;
    const tap = invariants.tap(self);
    let echoing: Uint8Array | undefined;
    // A relay whose session puts what it has opened into what it seals next: the frame goes back.
    const echo = watchPlaintexts({
      opened: (_peer, plaintext) => {
        if (plaintext[0] === FRAME_KIND.send) echoing = plaintext.slice();
      },
      sealing: (_peer, plaintext) => {
        if (echoing !== undefined && plaintext.length >= echoing.length) plaintext.set(echoing);
      },
    });
    const bad = world.addRelay({}, { tap: (real) => echo(tap(real)) });
    const bootstrap = [bad.contact];
    const [alice, bob] = [world.addNode({ bootstrap }), world.addNode({ bootstrap })];
    world.run(2000);
    for (let i = 0; i < 5; i += 1) {
      const content = new Uint8Array(10);
      alice.feed({ type: "submit", id: `a${i}`, to: bob.id, content, topic: "", via: "relay", timeoutMs: 2000 });
      bob.feed({ type: "submit", id: `b${i}`, to: alice.id, content, topic: "", via: "relay", timeoutMs: 2000 });
      world.run(500);
    }
    expect(invariants.violations.length).toBeGreaterThan(0);
    expect(invariants.violations[0]).toContain("back to");
  });
});

describe("the ledger", () => {
  test("counts the frames of a message on the wire, its ack included, and once for each sending again", () => {
    const fleet = createFleet({ nodes: 2, seed: 4, crypto: "real", loss: 0, duplication: 0, joinMs: 10, natShare: 0 });
    const { world, ledger, nodes } = fleet;
    const frames: number[] = [];
    const spying = watchPlaintexts({
      opened: () => {},
      sealing: (_peer, plaintext) => {
        frames.push(plaintext[0] ?? 0);
      },
    });
    expect(spying).toBeDefined();
    world.run(5000);
    const [alice, bob] = nodes as [(typeof nodes)[0], (typeof nodes)[0]];
    const sent = ledger.send(alice, bob, "relay", 5000);
    expect(ledger.send(alice, bob, "relay", 5000)).toBeUndefined();
    world.run(5000);
    // There and back over one relay, or by a link of their own: two transmissions a hop.
    expect(sent).toMatchObject({ deliveries: 1, attempts: 1, failedWith: undefined });
    expect(sent?.transmissions).toBe(2 * (sent?.hops ?? 0));
    expect(ledger.unsettled()).toEqual([]);
    expect(ledger.unattributed).toBe(0);
  });

  test("sees a message that a program is handed twice, or that was for another", () => {
    const fleet = createFleet({ nodes: 2, seed: 5, crypto: "stand-in", joinMs: 10 });
    fleet.world.run(100);
    const { ledger, nodes } = fleet;
    const [alice, bob] = nodes as [(typeof nodes)[0], (typeof nodes)[0]];
    ledger.send(alice, bob, "any", 1000);
    const content = new TextEncoder().encode("0");
    const base = { key: "", kind: "message" as const, from: alice.id as NodeId, messageId: "", topic: "sim", content };
    const entry = { ...base, path: "relayed" as const, receivedAtMs: 0, expiresMs: 0, stream: "", seq: 0 };
    const message = { ...entry, lowestUnsettledSeq: 0 };
    ledger.hear(bob, { type: "deliver", message });
    expect(ledger.violations).toEqual([]);
    ledger.hear(bob, { type: "deliver", message });
    expect(ledger.violations).toHaveLength(1);
    ledger.hear(alice, { type: "deliver", message });
    expect(ledger.violations).toHaveLength(2);
  });
});
