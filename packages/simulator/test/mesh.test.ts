import { describe, expect, test } from "@jest/globals";
import { runMesh } from "../src/mesh/run.ts";

// Small runs of what `npm run sim -- broadcast` and `admission` report: that the figures hold, and that they mean something.

const small = {
  nodes: 80,
  seed: 11,
  messages: 20,
  scheme: "tree",
  graph: "overlay",
  loss: 0.05,
  perSecond: 1,
} as const;

describe("a broadcast over a mesh", () => {
  test("the same seed gives the same figures", () => {
    const tiny = { ...small, nodes: 40, messages: 5, warmUpMessages: 5 };
    expect(runMesh(tiny)).toEqual(runMesh(tiny));
    expect(runMesh({ ...tiny, seed: 12 })).not.toEqual(runMesh(tiny));
  });

  test("the shipped tree reaches everybody at little more than one transmission each; a flood at many", () => {
    const tree = runMesh(small);
    expect(tree).toMatchObject({ missing: 0, delivery: 1 });
    expect(tree.transmissions).toBeLessThan(1.3);
    expect(runMesh({ ...small, scheme: "flood" }).transmissions).toBeGreaterThan(8);
    const gossip = runMesh({ ...small, scheme: "gossip" }).transmissions ?? 0;
    expect(gossip).toBeGreaterThan(4);
    expect(runMesh({ ...small, scheme: "plumtree", loss: 0 }).transmissions).toBeLessThan(1.05);
  });

  test.each(["crash", "silent", "churn"] as const)("%s: whoever stays gets every later message", (event) => {
    expect(runMesh({ ...small, messages: 30, loss: 0.01, event }).missing).toBe(0);
  });

  test("without repair some get nothing after a crash: the figure can fail", () => {
    const rules = { haveLinks: 0, digestMs: 1e9 };
    expect(runMesh({ ...small, loss: 0.01, event: "crash", rules }).missing).toBeGreaterThan(0);
  });
});
