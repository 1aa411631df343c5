import { describe, expect, test } from "@jest/globals";
import { type Contact, FRAME_KIND, type Frame } from "@starling/wire-protocol";
import { Attacker } from "../src/adversary/attacker.ts";
import { eachFrame } from "../src/frames.ts";
import { type SimNode, World, watchPlaintexts } from "../src/index.ts";
import { EPOCH_MS } from "../src/life.ts";

// What was read inside a node comes to it again, from a peer that kept it, after the node was killed and started anew.

type Scene = {
  world: World;
  relayContact: Contact;
  author: SimNode;
  reader: SimNode;
  attacker: Attacker;
  kept: Frame[];
};

function scene(seed: number, authorAheadMs: number): Scene {
  const world = new World({ seed, latencyMs: [5, 20], loss: 0, duplication: 0 });
  const relay = world.addRelay();
  const bootstrap = [relay.contact];
  const author = world.addNode({ bootstrap, maxChannels: 0 });
  author.clock.offsetMs = authorAheadMs;
  const kept: Frame[] = [];
  const tap = watchPlaintexts({
    sealing: () => {},
    opened: (_peer, plaintext) =>
      eachFrame(plaintext, (kind, start, end) => {
        if (kind !== FRAME_KIND.publish && kind !== FRAME_KIND.send) return;
        const body = plaintext.slice(start, end);
        body[0] = 0;
        kept.push({ kind, body });
      }),
  });
  const reader = world.addNode({ bootstrap, maxChannels: 0 }, { tap });
  const attacker = new Attacker(world);
  reader.feed({ type: "listening", on: true });
  world.run(5000);
  return { world, relayContact: relay.contact, author, reader, attacker, kept };
}

function restartAndRepeat({ world, reader, attacker, kept }: Scene, afterMs = 0): void {
  reader.kill();
  world.run(100);
  reader.start();
  reader.feed({ type: "listening", on: true });
  world.run(afterMs);
  attacker.connect({ id: reader.id, address: reader.address });
  world.run(1000);
  expect(attacker.linked.has(reader.id)).toBe(true);
  for (const frame of [...kept]) attacker.say(reader.id, frame);
  world.run(60_000);
}

/** Neighbours enough to tell the reader the time. */
const addClocks = ({ world, relayContact }: Scene): SimNode[] =>
  Array.from({ length: 3 }, () => world.addNode({ bootstrap: [relayContact], maxChannels: 0 }));

function broadcastOnceInTwoLives(it: Scene): void {
  it.author.feed({ type: "broadcast", id: "1", content: new Uint8Array(10), topic: "" });
  it.world.run(1500);
  expect(heard(it.reader, "deliver-broadcast")).toBe(1);
  restartAndRepeat(it);
  expect(heard(it.reader, "deliver-broadcast")).toBe(1);
}

const heard = (node: SimNode, type: "deliver" | "deliver-broadcast") =>
  node.outputs.filter((output) => output.type === type).length;

describe("after a restart by kill", () => {
  test.each([0, 500, 20_000])("a broadcast dated %i ms ahead comes to a program once", (aheadMs) => {
    const it = scene(1, aheadMs);
    it.author.feed({ type: "broadcast", id: "1", content: new Uint8Array(10), topic: "" });
    it.world.run(1500);
    expect(it.kept.length).toBeGreaterThan(0);
    restartAndRepeat(it);
    expect(heard(it.reader, "deliver-broadcast")).toBe(1);
  });

  test.each([500, 20_000])("a broadcast comes once to a program whose machine is %i ms behind", (behindMs) => {
    const it = scene(3, 0);
    const others = addClocks(it);
    it.reader.clock.offsetMs = -behindMs;
    // Until its neighbours have told it the time, and that is on its disk.
    it.world.run(60_000);
    expect(others.every(({ isUp }) => isUp)).toBe(true);
    broadcastOnceInTwoLives(it);
  });

  test("a broadcast comes once to a program whose machine was set back after it last wrote down the time", () => {
    const it = scene(4, 0);
    const others = addClocks(it);
    const saved = () => it.reader.outputs.filter(({ type }) => type === "save-freshness-bound").length;
    it.world.run(40_000);
    const before = saved();
    expect(it.world.runUntil(() => saved() > before, 40_000)).toBe(true);
    it.reader.clock.offsetMs = -14_000;
    // Its neighbours tell it the time within 10 s, long before the next half minute is over.
    it.world.run(15_000);
    expect(others.every(({ isUp }) => isUp)).toBe(true);
    broadcastOnceInTwoLives(it);
  });

  test("a broadcast comes once to a program whose neighbours are 35 s ahead of its machine, by which it goes until it has some", () => {
    const it = scene(5, 15_000);
    it.reader.clock.offsetMs = -20_000;
    for (const { clock } of addClocks(it)) clock.offsetMs = 15_000;
    it.world.run(60_000);
    broadcastOnceInTwoLives(it);
  });

  test("a broadcast comes once to a program whose neighbours tell it only in its next life that its machine is 35 s ahead", () => {
    const it = scene(7, 0);
    it.reader.clock.offsetMs = 20_000;
    it.author.feed({ type: "broadcast", id: "1", content: new Uint8Array(10), topic: "" });
    it.world.run(1500);
    expect(heard(it.reader, "deliver-broadcast")).toBe(1);
    // More than the author, the relay and the attacker, whose clocks are right.
    for (const { clock } of [...addClocks(it), ...addClocks(it)]) clock.offsetMs = -15_000;
    restartAndRepeat(it, 12_000);
    expect(heard(it.reader, "deliver-broadcast")).toBe(1);
  });

  test("what has been handed out is below the bound of the next life, from the moment in which the neighbours have told the time", () => {
    const it = scene(6, 0);
    const { world, reader } = it;
    reader.clock.offsetMs = -15_000;
    const authors = [it.author, ...addClocks(it)];
    let handedOut = 0;
    const behindMs: number[] = [];
    reader.onOutput = (output) => {
      if (output.type !== "deliver-broadcast") return;
      handedOut += 1;
      const sentMs = Number(new TextDecoder().decode(output.message.content));
      behindMs.push(sentMs - reader.disk.freshnessBoundMs(EPOCH_MS + world.queue.nowMs + reader.clock.offsetMs));
    };
    for (let i = 0; i < 200; i += 1) {
      world.queue.at(world.queue.nowMs + i * 50, () => {
        const content = new TextEncoder().encode(`${EPOCH_MS + world.queue.nowMs}`);
        authors[i % authors.length]?.feed({ type: "broadcast", id: `${i}`, content, topic: "" });
      });
    }
    world.run(30_000);
    expect(handedOut).toBeGreaterThan(100);
    expect(Math.max(...behindMs)).toBeLessThanOrEqual(0);
  });

  test("a message dated 20 s ahead comes to a program once", () => {
    const it = scene(2, 20_000);
    const { author, reader, world } = it;
    const content = new Uint8Array(10);
    author.feed({ type: "submit", id: "1", to: reader.id, content, topic: "", via: "relay", timeoutMs: 5000 });
    expect(world.runUntil(() => author.outputs.some(({ type }) => type === "receipt"), 5000)).toBe(true);
    restartAndRepeat(it);
    expect(heard(reader, "deliver")).toBe(1);
  });
});
