import { describe, expect, test } from "@jest/globals";
import type { Contact } from "@starling/wire-protocol";
import { type SimNode, type SimRelay, World } from "../src/index.ts";

// A broadcast over three relays in a ring and nine nodes, three at each, with real stamps and signatures.

function scene(seed: number, loss: number): { world: World; relays: SimRelay[]; nodes: SimNode[] } {
  const world = new World({ seed, latencyMs: [10, 60], loss, duplication: 0.02 });
  const relays: SimRelay[] = [];
  for (let i = 0; i < 3; i += 1) relays.push(world.addRelay({ bootstrap: relays.map(({ contact }) => contact) }));
  const nodes = relays.flatMap(({ contact }) => {
    const bootstrap: Contact[] = [contact, ...relays.slice(0, 1).map((relay) => relay.contact)];
    return Array.from({ length: 3 }, () => world.addNode({ bootstrap }));
  });
  const isUp = () =>
    nodes.every(({ core }) => core.neighbours().length > 0) && relays.every(({ core }) => core.neighbours().length > 3);
  if (!world.runUntil(isUp, 30_000)) throw new Error("the network did not come up");
  // The nodes find each other and link up; a tree is then made of the links there are.
  world.run(20_000);
  return { world, relays, nodes };
}

const heard = (node: SimNode) =>
  node.outputs.flatMap((output) =>
    output.type === "deliver-broadcast" ? [new TextDecoder().decode(output.message.content)] : [],
  );

describe("a broadcast", () => {
  test.each([
    [1, 0],
    [2, 0.1],
    [3, 0.1],
  ])("seed %i, loss %d: every other node gets each message once, its author none", (seed, loss) => {
    const { world, relays, nodes } = scene(seed, loss);
    const texts = Array.from({ length: 12 }, (_, i) => `news ${i}`);
    for (const [i, text] of texts.entries()) {
      nodes[i % nodes.length]?.feed({
        type: "broadcast",
        id: text,
        content: new TextEncoder().encode(text),
        topic: "news",
      });
      world.run(700);
    }
    world.run(10_000);
    for (const [at, node] of nodes.entries()) {
      const expected = texts.filter((_, i) => i % nodes.length !== at);
      expect(heard(node).toSorted()).toEqual(expected.toSorted());
    }
    // Once the tree has formed a message costs about one transmission a node.
    const sent = () =>
      [...relays, ...nodes].reduce((sum, { core }) => sum + (core.counts()["forwarded.publish"] ?? 0), 0);
    const before = sent();
    for (let i = 0; i < 5; i += 1) {
      nodes[0]?.feed({ type: "broadcast", id: `late ${i}`, content: new TextEncoder().encode(`late ${i}`), topic: "" });
      world.run(2000);
    }
    // Where datagrams are lost, links of the tree are grafted anew now and then.
    expect((sent() - before) / (5 * 11)).toBeLessThanOrEqual(loss === 0 ? 1.3 : 1.8);
  });

  test("one that is too large is refused with the limit", () => {
    const { nodes } = scene(4, 0);
    nodes[0]?.feed({ type: "broadcast", id: "big", content: new Uint8Array(16_385), topic: "" });
    expect(nodes[0]?.outputs.find(({ type }) => type === "failed")).toMatchObject({ id: "big", code: "E_TOO_LARGE" });
  });
});
