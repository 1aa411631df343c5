import { expect, test } from "@jest/globals";
import type { NodeOutput } from "@starling/node-core";
import { type SimNode, World } from "../src/index.ts";

// Networks wider than their bootstrap nodes: everybody finds everybody over several hops, the shipped cores under loss.

const text = (message: string) => new TextEncoder().encode(message);

function network(seed: number, count: number): { world: World; nodes: SimNode[] } {
  const world = new World({ seed, latencyMs: [10, 60], loss: 0.05, duplication: 0.01, crypto: "stand-in", floor: 1 });
  // So few links that no relay is linked to all.
  const relays = [world.addRelay({ maxNeighbours: 12 })];
  relays.push(world.addRelay({ maxNeighbours: 12, bootstrap: relays.map(({ contact }) => contact) }));
  const bootstrap = relays.map(({ contact }) => contact);
  const nodes = Array.from({ length: count }, () => world.addNode({ bootstrap, maxNeighbours: 12, maxChannels: 0 }));
  world.run(90_000);
  return { world, nodes };
}

function of<T extends NodeOutput["type"]>(node: SimNode, type: T): Extract<NodeOutput, { type: T }>[] {
  return node.outputs.filter((output): output is Extract<NodeOutput, { type: T }> => output.type === type);
}

test("36 nodes of 12 links each reach each other; a trace shows the way, and where it ends for nobody", () => {
  const { world, nodes } = network(21, 36);
  const [from] = nodes;
  if (from === undefined) throw new Error("no nodes");
  for (const [i, to] of nodes.entries()) {
    if (to === from) continue;
    from.feed({
      ...{ type: "submit", id: `m${i}`, to: to.core.id, content: text(`hello ${i}`), topic: "t", via: "relay" },
      timeoutMs: 30_000,
    });
    world.run(200);
  }
  world.runUntil(() => of(from, "receipt").length === 35, 30_000);
  const receipts = of(from, "receipt").map(({ receipt }) => receipt);
  expect([receipts.length, of(from, "failed")]).toEqual([35, []]);
  expect(Math.max(...receipts.map(({ hops }) => hops))).toBeLessThanOrEqual(8);
  expect(receipts.some(({ hops }) => hops > 2)).toBe(true);

  const far = nodes.findLast((node) => node !== from && from.core.session(node.core.id) === undefined);
  if (far === undefined) throw new Error("all are neighbours");
  from.feed({ type: "trace", id: "far", to: far.core.id });
  expect(world.runUntil(() => of(from, "traced").length === 1, 20_000)).toBe(true);
  const steps = of(from, "traced")[0]?.steps ?? [];
  expect(steps[0]).toMatchObject({ node: from.core.id, asked: "own link", answer: "none" });
  expect(steps.at(-1)).toMatchObject({ asked: "link to the recipient", answer: "yes" });

  // A key that nobody has any more: each node on the way says that it has no link, none says yes.
  far.kill();
  world.run(60_000);
  from.feed({ type: "trace", id: "gone", to: far.core.id });
  expect(world.runUntil(() => of(from, "traced").length === 2, 20_000)).toBe(true);
  const answers = (of(from, "traced")[1]?.steps ?? []).map(({ answer }) => answer);
  expect(answers.length).toBeGreaterThan(2);
  expect(answers).not.toContain("yes");
  from.feed({
    ...{ type: "submit", id: "gone", to: far.core.id, content: text("anybody?"), topic: "", via: "any" },
    timeoutMs: 5000,
  });
  world.run(6000);
  expect(of(from, "failed")).toMatchObject([{ id: "gone", code: "E_NO_ROUTE" }]);
});
