import { describe, expect, test } from "@jest/globals";
import type { NodeOutput } from "@starling/node-core";
import { DEFAULT_FORWARD_LIMITS } from "@starling/node-core";
import { runAdmission } from "../src/admission/run.ts";
import { runWhole } from "../src/admission/whole.ts";
import { World } from "../src/index.ts";

describe("the queue, the price and the bids alone", () => {
  const base = { seed: 11, hops: 1, hashesPerMs: 2000 } as const;

  test("nobody attacks: the floor is paid, once", () => {
    const run = runAdmission({ ...base, attackedLinks: 0, strategy: "none" });
    expect(run).toMatchObject({ through: 1, mints: 1, price: 1 });
  });

  test("an attacker on two of twelve links makes those dearer and no others", () => {
    const run = runAdmission({ ...base, attackedLinks: 2, strategy: "all-in" });
    expect(run.through).toBeGreaterThan(0.99);
    expect(run.mintP50Ms).toBeLessThan(60);
    expect(run.mintP95Ms).toBeGreaterThan(500);
  });

  test("an attacker on all links is outbid; one of ten thousand times the hashes is not", () => {
    const all = { ...base, attackedLinks: 12, strategy: "outbid" } as const;
    expect(runAdmission(all).through).toBeGreaterThan(0.9);
    expect(runAdmission({ ...all, strategy: "all-in", attackerFactor: 10_000 }).through).toBeLessThan(0.9);
  });
});

describe("whole cores", () => {
  const base = { seed: 11, hops: 1, hashesPerMs: 5000, runMs: 8000 } as const;

  test("nobody attacks: the floor is paid, once, and nothing is shed", () => {
    const run = runWhole({ ...base, attackedLinks: 0, strategy: "none" });
    expect(run).toMatchObject({ through: 1, mints: 1, price: 1, shed: 0, notSent: 0 });
    expect(run.messages).toBeGreaterThan(50);
  });

  test("an attacker on two of twelve ingress links makes those dearer and no others", () => {
    const run = runWhole({ ...base, attackedLinks: 2, strategy: "all-in" });
    expect(run.price).toBeGreaterThan(10);
    expect(run.shed).toBeGreaterThan(50);
    expect(run.through).toBeGreaterThanOrEqual(0.99);
    expect(run.mintP50Ms).toBeLessThan(60);
  });

  test("a relay that carries one message a second: who sends three is told a price, and pays; the other end is told none", () => {
    const world = new World({ seed: 12, latencyMs: [10, 20], loss: 0, duplication: 0, floor: 16, hashesPerMs: 5 });
    const total = { ...DEFAULT_FORWARD_LIMITS.total, messagesPerSecond: 1 };
    const relay = world.addRelay({ quota: { total } });
    const [alice, bob] = [0, 1].map(() => world.addNode({ bootstrap: [relay.contact], passive: true, maxChannels: 0 }));
    if (alice === undefined || bob === undefined) throw new Error("no nodes");
    world.run(5000);
    expect([alice, bob].map(({ core }) => core.toldPrices().send)).toEqual([16, 16]);
    const efforts: number[] = [];
    alice.onOutput = (output) => {
      if (output.type === "mint") efforts.push(output.effort);
    };
    for (let i = 0; i < 90; i += 1) {
      world.queue.at(world.queue.nowMs + i * 333, () => {
        const content = new Uint8Array(1);
        const wish = { id: `${i}`, to: bob.id, content, topic: "", via: "relay", timeoutMs: 20_000 } as const;
        alice.feed({ type: "submit", ...wish });
      });
    }
    world.run(30_000);
    expect(alice.core.toldPrices().send).toBeGreaterThan(16);
    expect(bob.core.toldPrices().send).toBe(16);
    expect(relay.core.askedPrices(world.queue.nowMs).send).toBeGreaterThan(16);
    expect(relay.core.counts()["shed.total"]).toBeGreaterThan(10);
    expect(efforts[0]).toBe(19);
    expect(Math.max(...efforts)).toBeGreaterThan(100);
    world.run(120_000);
    // All have an outcome, nothing is left, and the price is the floor again.
    const ended = (type: NodeOutput["type"]) => alice.outputs.filter((output) => output.type === type);
    expect(ended("receipt").length + ended("failed").length).toBe(90);
    expect(ended("receipt").length).toBeGreaterThanOrEqual(25);
    for (const failed of ended("failed")) expect(failed).toMatchObject({ code: "E_QUOTA" });
    expect([relay.core.waitingCount, relay.core.pendingCount]).toEqual([0, 0]);
    expect(alice.core.toldPrices().send).toBe(16);
  });

  test("broadcasts that a congested neighbour sheds are minted again, dearer, until it carries them", () => {
    const world = new World({ seed: 13, latencyMs: [10, 20], loss: 0, duplication: 0, floor: 16, hashesPerMs: 5 });
    const total = { ...DEFAULT_FORWARD_LIMITS.total, messagesPerSecond: 1 };
    const relay = world.addRelay({ quota: { total } });
    const [alice, bob] = [0, 1].map(() => world.addNode({ bootstrap: [relay.contact], passive: true, maxChannels: 0 }));
    if (alice === undefined || bob === undefined) throw new Error("no nodes");
    world.run(5000);
    for (let i = 0; i < 12; i += 1) {
      alice.feed({ type: "broadcast", id: `${i}`, content: new Uint8Array([i]), topic: "" });
    }
    const heard = () => bob.outputs.flatMap((o) => (o.type === "deliver-broadcast" ? [o.message.content[0]] : []));
    world.run(4000);
    // A relay that carries one a second, and lets none wait for longer than that, has shed most of them by now.
    expect(heard().length).toBeLessThan(5);
    expect(relay.core.counts()["shed.total"]).toBeGreaterThan(5);
    world.run(60_000);
    expect(heard().toSorted((a = 0, b = 0) => a - b)).toEqual(Array.from({ length: 12 }, (_, i) => i));
    expect(alice.core.nextDeadline()).not.toBeNull();
    expect([relay.core.waitingCount, relay.core.pendingCount]).toEqual([0, 0]);
  });
});
