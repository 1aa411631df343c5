import { describe, expect, test } from "@jest/globals";
import type { NodeId } from "@starling/crypto-identity";
import type { InboxEntry, NodeOutput } from "@starling/node-core";
import type { SimNode, SimRelay, WorldOptions } from "../src/index.ts";
import { World } from "../src/index.ts";

// Two nodes and a relay, the shipped cores, no socket: virtual time from a seed.

const LOSSY: Omit<WorldOptions, "seed"> = { latencyMs: [10, 60], loss: 0.1, duplication: 0.02 };
const text = (message: string) => new TextEncoder().encode(message);

type Scene = { world: World; relay: SimRelay; alice: SimNode; bob: SimNode };

function scene(seed: number, conditions = LOSSY): Scene {
  const world = new World({ ...conditions, seed });
  const relay = world.addRelay();
  const bootstrap = [relay.contact];
  const alice = world.addNode({ bootstrap });
  const bob = world.addNode({ bootstrap });
  const linked = () => alice.core.neighbours().length === 1 && bob.core.neighbours().length === 1;
  if (!world.runUntil(linked, 30_000)) throw new Error("the nodes did not find the relay");
  return { world, relay, alice, bob };
}

function of<T extends NodeOutput["type"]>(node: SimNode, type: T): Extract<NodeOutput, { type: T }>[] {
  return node.outputs.filter((output): output is Extract<NodeOutput, { type: T }> => output.type === type);
}

function submit(from: SimNode, to: SimNode, id: string, content: Uint8Array, timeoutMs = 30_000): void {
  from.feed({ type: "submit", id, to: to.core.id, content, topic: "test", via: "relay", timeoutMs });
}

/** What a node has written and no program has taken, as much as fits (PROTOCOL §7.6). */
function fullInbox(from: NodeId): InboxEntry[] {
  const about = { kind: "message", from, topic: "old", content: text("old"), path: "relayed" } as const;
  const when = { receivedAtMs: 0, expiresMs: Number.MAX_SAFE_INTEGER, stream: "00".repeat(8), lowestUnsettledSeq: 0 };
  return Array.from({ length: 2000 }, (_, seq) => {
    const messageId = seq.toString(16).padStart(32, "0");
    return { ...about, ...when, key: `${from}:${messageId}`, messageId, seq };
  });
}

describe("a relayed message", () => {
  test.each([1, 2, 3])(
    "seed %i: 40 messages each way under 10 %% loss arrive exactly once, each with its receipt",
    (seed) => {
      const { world, relay, alice, bob } = scene(seed);
      alice.feed({ type: "listening", on: true });
      bob.feed({ type: "listening", on: true });
      for (let i = 0; i < 40; i += 1) {
        submit(alice, bob, `a${i}`, text(`to bob ${i}`));
        submit(bob, alice, `b${i}`, text(`to alice ${i}`.repeat(i % 8 === 0 ? 300 : 1)));
      }
      const done = () => of(alice, "receipt").length === 40 && of(bob, "receipt").length === 40;
      expect(world.runUntil(done, 40_000)).toBe(true);
      const contents = of(bob, "deliver").map(({ message }) => new TextDecoder().decode(message.content));
      expect(contents.toSorted()).toEqual(Array.from({ length: 40 }, (_, i) => `to bob ${i}`).toSorted());
      expect(of(alice, "deliver")).toHaveLength(40);
      expect(of(bob, "deliver").every(({ message }) => message.from === alice.core.id)).toBe(true);
      for (const { receipt } of of(alice, "receipt")) expect(receipt).toMatchObject({ path: "relayed", hops: 2 });
      expect(relay.core.counts()["forwarded.send"]).toBeGreaterThanOrEqual(80);
      // Nothing is left behind once all is quiet.
      world.run(60_000);
      expect(relay.core.pendingCount).toBe(0);
      expect(of(alice, "failed")).toEqual([]);
      expect(of(bob, "deliver")).toHaveLength(40);
    },
  );

  test("to an inbox that is full: the author is told, over a relay and over a link, and it arrives once there is room", () => {
    const world = new World({ latencyMs: [10, 60], loss: 0, duplication: 0, seed: 4 });
    const bootstrap = [world.addRelay().contact];
    const alice = world.addNode({ bootstrap });
    const bob = world.addNode({ bootstrap, waiting: fullInbox(alice.core.id) });
    world.run(2000);
    submit(alice, bob, "over the relay, too early", text("1"), 1500);
    submit(alice, bob, "over the relay", text("2"));
    world.run(3000);
    alice.feed({ type: "connect", id: "c", peer: bob.core.id });
    expect(world.runUntil(() => alice.core.channel(bob.core.id) !== undefined, 5000)).toBe(true);
    const direct = { to: bob.core.id, topic: "direct", via: "channel" } as const;
    const wish = { type: "submit", ...direct, content: text("3") } as const;
    alice.feed({ ...wish, id: "over the link, too early", timeoutMs: 1500 });
    alice.feed({ ...wish, id: "over the link", timeoutMs: 30_000 });
    world.run(3000);
    expect(of(alice, "failed")).toMatchObject([
      { id: "over the relay, too early", code: "E_INBOX_FULL" },
      { id: "over the link, too early", code: "E_INBOX_FULL" },
    ]);
    expect([of(alice, "receipt"), bob.core.waitingCount]).toEqual([[], 2000]);
    bob.feed({ type: "listening", on: true });
    expect(world.runUntil(() => of(alice, "receipt").length === 2, 20_000)).toBe(true);
    const arrived = of(bob, "deliver").map(({ message }) => new TextDecoder().decode(message.content));
    expect(arrived.filter((content) => content !== "old").toSorted()).toEqual(["2", "3"]);
  });

  test("the same seed gives the same run, another seed another", () => {
    const run = (seed: number) => {
      const { world, alice, bob } = scene(seed);
      for (let i = 0; i < 5; i += 1) submit(alice, bob, `${i}`, text(`message ${i}`));
      world.run(5000);
      return world.network.traceHash;
    };
    const first = run(11);
    expect(run(11)).toBe(first);
    expect(run(12)).not.toBe(first);
  });

  test("without loss one message is forwarded once, and a 60,000 byte one arrives whole", () => {
    const { world, relay, alice, bob } = scene(5, { latencyMs: [5, 20], loss: 0, duplication: 0 });
    bob.feed({ type: "listening", on: true });
    submit(alice, bob, "small", text("hello"));
    expect(world.runUntil(() => of(alice, "receipt").length === 1, 5000)).toBe(true);
    expect(relay.core.counts()["forwarded.send"]).toBe(1);
    const content = Uint8Array.from({ length: 60_000 }, (_, i) => i % 251);
    submit(alice, bob, "large", content);
    expect(world.runUntil(() => of(alice, "receipt").length === 2, 10_000)).toBe(true);
    expect(of(bob, "deliver")[1]?.message.content).toEqual(content);
    expect(relay.core.counts()["forwarded.send"]).toBe(2);
  });

  test("a message waits in the inbox until a program listens", () => {
    const { world, alice, bob } = scene(6);
    submit(alice, bob, "early", text("early"));
    expect(world.runUntil(() => of(alice, "receipt").length === 1, 20_000)).toBe(true);
    expect(of(bob, "deliver")).toEqual([]);
    expect(bob.core.waitingCount).toBe(1);
    bob.feed({ type: "listening", on: true });
    expect(of(bob, "deliver")).toHaveLength(1);
    expect(bob.core.waitingCount).toBe(0);
  });
});

describe("what cannot be delivered fails with a typed error", () => {
  test("nobody with this key, a relay's key, a submission cancelled or too large, no neighbour", () => {
    const { world, relay, alice, bob } = scene(7, { latencyMs: [5, 20], loss: 0, duplication: 0 });
    world.rtc.hasPath = false;
    const stranger = world.addNode();
    const code = (id: string) => of(alice, "failed").find((failure) => failure.id === id)?.code;
    submit(alice, stranger, "stranger", text("anyone?"), 3000);
    alice.feed({
      type: "submit",
      id: "relay",
      to: relay.contact.id,
      content: text("hi"),
      topic: "",
      via: "any",
      timeoutMs: 3000,
    });
    submit(alice, bob, "large", new Uint8Array(60_001));
    submit(alice, bob, "cancelled", text("no"));
    alice.feed({ type: "cancel", id: "cancelled" });
    alice.feed({
      type: "submit",
      id: "channel",
      to: bob.core.id,
      content: text("hi"),
      topic: "",
      via: "channel",
      timeoutMs: 3000,
    });
    submit(alice, alice, "self", text("me"));
    submit(stranger, alice, "lonely", text("hello?"), 3000);
    world.run(5000);
    expect(code("stranger")).toBe("E_NO_ROUTE");
    expect(code("relay")).toBe("E_NOT_A_NODE");
    expect(code("large")).toBe("E_TOO_LARGE");
    expect(code("cancelled")).toBe("E_CANCELLED");
    expect(code("channel")).toBe("E_NO_CHANNEL");
    expect(code("self")).toBe("E_BAD_ID");
    expect(of(stranger, "failed")).toMatchObject([{ id: "lonely", code: "E_NO_ROUTE" }]);
    expect(of(bob, "deliver")).toEqual([]);
  });

  test("a recipient that comes late is still reached before the deadline", () => {
    const { world, relay, alice } = scene(8);
    const identitySeed = { bootstrap: [relay.contact] };
    const late = world.addNode({ ...identitySeed, bootstrap: [] });
    submit(alice, late, "first", text("too early"), 2000);
    expect(world.runUntil(() => of(alice, "failed").length === 1, 10_000)).toBe(true);
    const comer = world.addNode(identitySeed);
    submit(alice, comer, "second", text("in time"), 30_000);
    expect(world.runUntil(() => of(alice, "receipt").length === 1, 30_000)).toBe(true);
  });
});
