import { describe, expect, test } from "@jest/globals";
import type { NodeId } from "@starling/crypto-identity";
import type { Publication, Publish } from "@starling/wire-protocol";
import { type BroadcastOutput, BroadcastTree } from "../src/index.ts";

const peer = (name: string) => name as NodeId;
const [A, B, C, D] = [peer("a"), peer("b"), peer("c"), peer("d")];
const ORIGIN = peer("origin");

function publicationAt(timestampMs: number, origin = ORIGIN): Publication {
  const bytes = new Uint8Array(8);
  return { origin, timestampMs, effort: 1, nonce: bytes, topic: "", content: bytes, encoded: bytes };
}

const id = (n: number) => n.toString(16).padStart(16, "0") + "f".repeat(16);
const shortId = (n: number) => id(n).slice(0, 16);
const publish = (publication: Publication, wanted = false): Publish => ({
  type: "publish",
  hops: 5,
  wanted,
  publication,
});
const now = (mono: number) => ({ mono, wall: mono });

/** A tree with links that are all eager, as those of a node that has just started are. */
function treeOf(...peers: NodeId[]): { readonly tree: BroadcastTree; readonly peers: NodeId[] } {
  const own = [...peers];
  const tree = new BroadcastTree(() => own, now(0));
  for (const other of own) tree.opened(other, 0);
  return { tree, peers: own };
}

const publishedTo = (outputs: readonly BroadcastOutput[]) =>
  outputs.flatMap((output) => (output.type === "publish" ? [output.peer] : []));
const sent = (outputs: readonly BroadcastOutput[], type: string) =>
  outputs.flatMap((output) => (output.type === "send" && output.message.type === type ? [output] : []));

describe("the tree", () => {
  test("never back to its source, to its origin, or to a neighbour known to have it", () => {
    const { tree } = treeOf(A, B, C, D);
    tree.upkeep(B, { type: "have", shortIds: [shortId(1)] }, 10);
    const outputs = tree.received(A, publish(publicationAt(0, C)), id(1), 20);
    expect(publishedTo(outputs)).toEqual([D]);
    expect(sent(outputs, "have")).toEqual([]);
    // What is on its way there, or has come from there, is not sent again for a Want.
    for (const other of [A, B, D]) {
      expect(tree.upkeep(other, { type: "want", shortIds: [shortId(1)] }, 30)).toEqual([
        { type: "dropped", reason: "want-known" },
      ]);
    }
  });

  test("a repeat prunes its link, again and again; one that is said to be repaired does not", () => {
    const { tree } = treeOf(A, B);
    tree.received(A, publish(publicationAt(0)), id(1), 10);
    expect(sent(tree.repeated(B, publish(publicationAt(0)), id(1)), "prune")).toHaveLength(1);
    expect(sent(tree.repeated(B, publish(publicationAt(0)), id(1)), "prune")).toHaveLength(1);
    expect(sent(tree.repeated(B, publish(publicationAt(0), true), id(1)), "prune")).toHaveLength(0);
    const next = tree.received(A, publish(publicationAt(0)), id(2), 50);
    expect(publishedTo(next)).toEqual([]);
    expect(sent(next, "have").map((output) => output.peer)).toEqual([B]);
  });

  test("a link that opens once more, over another carrier or anew, is in the tree as it was", () => {
    const { tree } = treeOf(A, B);
    tree.received(A, publish(publicationAt(0)), id(1), 10);
    tree.repeated(B, publish(publicationAt(0)), id(1));
    expect(tree.opened(B, 20)).toEqual([]);
    expect(publishedTo(tree.received(A, publish(publicationAt(0)), id(2), 50))).toEqual([]);
    // Where nothing is in the tree any more, any link is better than none.
    tree.upkeep(A, { type: "prune" }, 60);
    expect(sent(tree.opened(B, 70), "graft").map((output) => output.peer)).toEqual([B]);
  });

  test("what came repaired goes on as repaired, and a tree copy behind it prunes nothing", () => {
    const { tree } = treeOf(A, B, C);
    const outputs = tree.received(A, publish(publicationAt(0), true), id(1), 10);
    for (const output of outputs) if (output.type === "publish") expect(output.message.wanted).toBe(true);
    expect(publishedTo(outputs)).toEqual([B, C]);
    expect(sent(tree.repeated(B, publish(publicationAt(0)), id(1)), "prune")).toEqual([]);
  });

  test("what is announced and does not come is asked for, one announcer after the other, and grafts at the second miss", () => {
    const { tree } = treeOf(A, B);
    tree.upkeep(A, { type: "prune" }, 0);
    tree.upkeep(B, { type: "prune" }, 0);
    const miss = (n: number, at: number) => {
      tree.upkeep(A, { type: "have", shortIds: [shortId(n)] }, at);
      tree.upkeep(B, { type: "have", shortIds: [shortId(n)] }, at);
      expect(sent(tree.tick(now(at + 349)), "want")).toEqual([]);
      expect(sent(tree.tick(now(at + 350)), "want").map((output) => output.peer)).toEqual([A]);
      expect(sent(tree.tick(now(at + 650)), "want").map((output) => output.peer)).toEqual([B]);
      return sent(tree.received(B, publish(publicationAt(at), true), id(n), at + 700), "graft");
    };
    expect(miss(1, 1000)).toEqual([]);
    expect(miss(2, 3000).map((output) => output.peer)).toEqual([B]);
    // Two misses are counted only with nothing by the tree in between.
    tree.upkeep(B, { type: "prune" }, 0);
    expect(miss(3, 6000)).toEqual([]);
    tree.received(B, publish(publicationAt(7000)), id(4), 7000);
    tree.upkeep(B, { type: "prune" }, 7000);
    expect(miss(5, 8000)).toEqual([]);
  });

  test("one of our own is abroad once a neighbour names it or sends it here; out again, it prunes nothing and is told anew", () => {
    const { tree } = treeOf(A, B);
    const own = publicationAt(0, peer("self"));
    for (const n of [1, 2]) expect(publishedTo(tree.publish(own, id(n), false, 10))).toEqual([A, B]);
    tree.upkeep(A, { type: "want", shortIds: [shortId(1)] }, 20);
    expect([1, 2, 3].map((n) => tree.isAbroad(id(n)))).toEqual([false, false, false]);
    tree.upkeep(A, { type: "have", shortIds: [shortId(1)] }, 30);
    tree.repeated(B, publish(own), id(2));
    expect([1, 2, 3].map((n) => tree.isAbroad(id(n)))).toEqual([true, true, false]);
    tree.upkeep(B, { type: "graft" }, 40);
    const again = tree.publish(own, id(2), true, 2000);
    expect(again.flatMap((output) => (output.type === "publish" ? [output.message] : []))).toEqual(
      Array(2).fill({ type: "publish", hops: 0, wanted: true, publication: own }),
    );
  });

  test("many at once: each is compared four times, with seconds in between", () => {
    const { tree } = treeOf(A, B);
    const spans: { readonly fromMs: number; readonly toMs: number; readonly atMs: number }[] = [];
    for (let n = 0; n < 1000; n += 1) {
      const nowMs = n * 20;
      tree.received(A, publish(publicationAt(nowMs)), id(n), nowMs);
      if ((tree.nextDeadline() ?? Number.POSITIVE_INFINITY) > nowMs) continue;
      for (const { message } of sent(tree.tick(now(nowMs)), "digest")) {
        if (message.type === "digest") spans.push({ ...message, atMs: nowMs });
      }
    }
    for (let n = 400; n < 700; n += 1) {
      const comparing = spans.filter(({ fromMs, toMs }) => fromMs <= n * 20 && n * 20 < toMs);
      expect(comparing.length).toBeGreaterThanOrEqual(3);
      expect((comparing.at(-1)?.atMs ?? 0) - (comparing[0]?.atMs ?? 0)).toBeGreaterThan(1500);
    }
    expect(spans.length).toBeLessThanOrEqual(1000 / 16);
  });

  test("a later link is lazy, unless there is no eager one; the last eager link's end grafts who last announced something", () => {
    const { tree, peers } = treeOf(A);
    peers.push(B);
    expect(tree.opened(B, 60_000)).toEqual([]);
    tree.upkeep(B, { type: "have", shortIds: [shortId(9)] }, 61_000);
    peers.shift();
    expect(sent(tree.closed(A), "graft").map((output) => output.peer)).toEqual([B]);
    peers.length = 0;
    tree.closed(B);
    peers.push(C);
    expect(sent(tree.opened(C, 70_000), "graft").map((output) => output.peer)).toEqual([C]);
  });

  test("a Publish that is handed back is announced there instead, and may be asked for again", () => {
    const { tree } = treeOf(A, B);
    tree.received(A, publish(publicationAt(0)), id(1), 10);
    const outputs = tree.handedBack(B, shortId(1));
    expect(outputs.map(({ type }) => type)).toEqual(["suspect", "send"]);
    expect(publishedTo(tree.upkeep(B, { type: "want", shortIds: [shortId(1)] }, 500))).toEqual([B]);
  });

  test("what begins here is shot at lazy links as well, unless the tree has lately had a repeat to prune", () => {
    const E = peer("e");
    const { tree } = treeOf(A, B, C, D, E);
    for (const other of [B, C, D]) tree.upkeep(other, { type: "prune" }, 0);
    let last = 0;
    const bring = (count: number) => {
      for (let i = 0; i < count; i += 1) {
        last += 1;
        tree.received(A, publish(publicationAt(0)), id(last), 10);
      }
    };
    const shots = () => {
      last += 1;
      const outputs = tree.publish(publicationAt(0, peer("self")), id(last), false, 20);
      return outputs.filter((output) => output.type === "publish" && output.message.wanted).length;
    };
    expect(shots()).toBe(0);
    // Publications come from far enough away now.
    bring(20);
    expect(shots()).toBe(2);
    tree.repeated(E, publish(publicationAt(0)), id(3));
    expect(shots()).toBe(0);
    bring(20);
    expect(shots()).toBe(2);
  });

  test("a digest tells who has missed something of it, and only of what both can have had", () => {
    const [one, other] = [treeOf(A, B).tree, treeOf(A, B).tree];
    for (const [n, timestampMs] of [1000, 2000, 9000].entries()) {
      one.received(A, publish(publicationAt(timestampMs)), id(n), timestampMs);
      if (n !== 1) other.received(A, publish(publicationAt(timestampMs)), id(n), timestampMs);
    }
    const [asked] = sent(other.tick(now(10_000)), "digest");
    const digest = asked?.message;
    if (digest?.type !== "digest") throw new Error("no digest");
    expect(digest).toMatchObject({ fromMs: 0, toMs: 8000, count: 1 });
    const answer = one.upkeep(B, digest, 10_100);
    expect(sent(answer, "have").map(({ message }) => message)).toEqual([
      { type: "have", shortIds: [shortId(0), shortId(1)] },
    ]);
    expect(other.upkeep(B, digest, 10_100)).toEqual([]);
  });
});

describe("a digest of many", () => {
  test.each([
    ["first", 20],
    ["last", 83],
    ["in between", 50],
  ])("finds the four that are missing %s in its window", (_, missing) => {
    const [one, other] = [treeOf(B).tree, treeOf(A).tree];
    for (let n = 0; n < 90; n += 1) {
      one.received(A, publish(publicationAt(n * 20)), id(n), n * 20);
      if (n < missing || n >= missing + 4) other.received(B, publish(publicationAt(n * 20)), id(n), n * 20);
    }
    const told = new Set<string>();
    for (let mono = 4000; mono < 20_000; mono += 1000) {
      for (const { message: digest } of sent(other.tick(now(mono)), "digest")) {
        if (digest.type !== "digest") continue;
        for (const { message } of sent(one.upkeep(B, digest, mono), "have")) {
          if (message.type === "have") for (const each of message.shortIds) told.add(each);
        }
      }
    }
    for (let n = missing; n < missing + 4; n += 1) expect(told).toContain(shortId(n));
  });
});

describe("limits a neighbour cannot exceed", () => {
  const drops = (outputs: readonly BroadcastOutput[]) =>
    outputs.flatMap((output) => (output.type === "dropped" ? [output.reason] : []));

  test("ten turns a second", () => {
    const { tree } = treeOf(A);
    const turns = Array.from({ length: 12 }, (_, i) => tree.upkeep(A, { type: i % 2 === 0 ? "prune" : "graft" }, 5));
    expect(turns.map(drops)).toEqual([...Array.from({ length: 10 }, () => []), ["prune-quota"], ["graft-quota"]]);
    expect(drops(tree.upkeep(A, { type: "prune" }, 1006))).toEqual([]);
  });

  test("128 ids in Wants and 1,024 in Haves a second; one neighbour cannot fill the table of what is missing", () => {
    const { tree } = treeOf(A, B);
    const ids = (from: number) => Array.from({ length: 64 }, (_, i) => shortId(from + i));
    expect(drops(tree.upkeep(A, { type: "want", shortIds: ids(0) }, 5))).toHaveLength(64);
    expect(drops(tree.upkeep(A, { type: "want", shortIds: ids(0) }, 5))).toHaveLength(64);
    expect(drops(tree.upkeep(A, { type: "want", shortIds: ids(0) }, 5))).toEqual(["want-quota"]);
    let refused: string[] = [];
    for (let i = 0; i < 17; i += 1) {
      refused = refused.concat(drops(tree.upkeep(A, { type: "have", shortIds: ids(64 * i) }, 5)));
    }
    expect(refused.filter((reason) => reason === "have-bound")).toHaveLength(512);
    expect(refused.filter((reason) => reason === "have-quota")).toHaveLength(1);
    expect(drops(tree.upkeep(B, { type: "have", shortIds: ids(5000) }, 5))).toEqual([]);
  });

  test("what is kept for Wants is kept in its own bytes, whatever becomes of the datagram that it came in", () => {
    const { tree } = treeOf(A, B);
    tree.upkeep(B, { type: "prune" }, 0);
    const datagram = new Uint8Array(1140).fill(7);
    const encoded = datagram.subarray(100, 230);
    const parts = { nonce: encoded.subarray(44, 52), content: encoded.subarray(119), encoded };
    tree.received(A, publish({ ...publicationAt(0), ...parts }), id(1), 10);
    datagram.fill(0);
    const [output] = tree.upkeep(B, { type: "want", shortIds: [shortId(1)] }, 20);
    if (output?.type !== "publish") throw new Error("nothing was answered");
    const sevens = (length: number) => new Uint8Array(length).fill(7);
    expect(output.message.publication).toMatchObject({ nonce: sevens(8), content: sevens(11), encoded: sevens(130) });
    expect(output.message.publication.encoded.buffer.byteLength).toBe(130);
  });

  test("one copy of a publication for however many Wants", () => {
    const { tree } = treeOf(A, B);
    tree.upkeep(B, { type: "prune" }, 0);
    tree.received(A, publish(publicationAt(0)), id(1), 10);
    const want = { type: "want" as const, shortIds: [shortId(1), shortId(1)] };
    expect(publishedTo(tree.upkeep(B, want, 20))).toEqual([B]);
    expect(publishedTo(tree.upkeep(B, want, 30))).toEqual([]);
  });
});
