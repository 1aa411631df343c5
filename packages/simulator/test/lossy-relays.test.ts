import { expect, test } from "@jest/globals";
import type { NodeId } from "@starling/crypto-identity";
import type { NodeOutput } from "@starling/node-core";
import type { SimNode } from "../src/index.ts";
import { World } from "../src/index.ts";

// Three relays in a row with a node at either end: every message crosses all three, and of all datagrams a tenth is lost on each of the
// four links. The shipped cores and their cryptography, virtual time from a seed. `MESSAGES=2000 npm test -- lossy-relays` is the whole.

const COUNT = Number(process.env.MESSAGES ?? 200);
/** Ten each 100 ms. */
const PER_STEP = 10;
const STEP_MS = 100;
const TEST_MS = 600_000;

function of<T extends NodeOutput["type"]>(node: SimNode, type: T): Extract<NodeOutput, { type: T }>[] {
  return node.outputs.filter((output): output is Extract<NodeOutput, { type: T }> => output.type === type);
}

function threeInARow() {
  const world = new World({ seed: 1, latencyMs: [5, 15], loss: 0.1, duplication: 0.02, floor: 1 });
  const row: NodeId[] = [];
  /** Links to those beside it and to nobody else. */
  const place = (at: number) => ({ admits: (peer: NodeId) => Math.abs(row.indexOf(peer) - at) === 1 });
  // Each is closer to the recipient than the one before.
  const first = world.addRelay({ ...place(1) }, { idBegins: "00" });
  const middle = world.addRelay({ ...place(2), bootstrap: [first.contact] }, { idBegins: "10" });
  const last = world.addRelay({ ...place(3), bootstrap: [middle.contact] }, { idBegins: "110" });
  const alice = world.addNode({ ...place(0), passive: true, bootstrap: [first.contact] }, { idBegins: "01" });
  const bob = world.addNode({ ...place(4), passive: true, bootstrap: [last.contact] }, { idBegins: "111" });
  const all = [alice, first, middle, last, bob];
  row.push(...all.map(({ core }) => core.id));
  const isLinked = (): boolean => all.every(({ core }, at) => core.neighbours().length === (at % 4 === 0 ? 1 : 2));
  expect(world.runUntil(isLinked, 60_000)).toBe(true);
  return { world, alice, bob, relays: [first, middle, last] };
}

test(
  `${COUNT} sealed messages over three relays in a row, a tenth of all datagrams lost: each arrives exactly once, and in order`,
  () => {
    const { world, alice, bob, relays } = threeInARow();
    world.run(5_000);
    bob.feed({ type: "listening", on: true });
    const texts = Array.from({ length: COUNT }, (_, number) => `message ${number}`);
    for (const [number, id] of texts.entries()) {
      const content = new TextEncoder().encode(id);
      const message = { to: bob.core.id, content, topic: "test", via: "relay", timeoutMs: 120_000 } as const;
      alice.feed({ type: "submit", id, ...message });
      if (number % PER_STEP === PER_STEP - 1) world.run(STEP_MS);
    }
    expect(world.runUntil(() => of(alice, "receipt").length === COUNT, 120_000)).toBe(true);
    // Nothing comes behind: no copy, no failure.
    world.run(60_000);
    expect(of(bob, "deliver").map(({ message }) => new TextDecoder().decode(message.content))).toEqual(texts);
    expect(of(alice, "failed")).toEqual([]);
    for (const { receipt } of of(alice, "receipt")) expect(receipt).toMatchObject({ path: "relayed", hops: 4 });
    for (const { core } of relays) {
      expect(core.counts()["forwarded.send"]).toBeGreaterThanOrEqual(COUNT);
      expect(core.counts()["frames.resent"]).toBeGreaterThan(COUNT / 20);
    }
  },
  TEST_MS,
);
