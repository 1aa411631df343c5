import { describe, expect, test } from "@jest/globals";
import type { NodeId } from "@starling/crypto-identity";
import type { NodeOutput } from "@starling/node-core";
import { type NatKind, type SimNode, World, type WorldOptions } from "../src/index.ts";

// Channels between two nodes that know only a relay: signalling over the overlay, upgrade in mid-conversation, death, glare.

const LOSSLESS = { latencyMs: [10, 20] as const, loss: 0, duplication: 0 };
const LOSSY = { latencyMs: [10, 60] as const, loss: 0.15, duplication: 0.05 };

type Scene = { world: World; alice: SimNode; bob: SimNode };

type Conditions = Pick<WorldOptions, "latencyMs" | "loss" | "duplication">;

function scene(seed: number, conditions: Conditions = LOSSLESS, nat: NatKind = "none"): Scene {
  const world = new World({ ...conditions, seed });
  const bootstrap = [world.addRelay().contact];
  const alice = world.addNode({ bootstrap }, { nat });
  const bob = world.addNode({ bootstrap }, { nat });
  const isUp = () => [alice, bob].every(({ core }) => core.neighbours().length === 1);
  if (!world.runUntil(isUp, 30_000)) throw new Error("the nodes did not find the relay");
  for (const node of [alice, bob]) node.feed({ type: "listening", on: true });
  return { world, alice, bob };
}

function of<T extends NodeOutput["type"]>(node: SimNode, type: T): Extract<NodeOutput, { type: T }>[] {
  return node.outputs.filter((output): output is Extract<NodeOutput, { type: T }> => output.type === type);
}
const texts = (node: SimNode) => of(node, "deliver").map(({ message }) => new TextDecoder().decode(message.content));
const hasChannel = (from: SimNode, to: SimNode) => from.core.channel(to.core.id) !== undefined;

function submit(
  from: SimNode,
  to: SimNode,
  id: string,
  via: "any" | "relay" | "channel" = "any",
  timeoutMs = 20_000,
): void {
  from.feed({ type: "submit", id, to: to.core.id, content: new TextEncoder().encode(id), topic: "t", via, timeoutMs });
}

describe("a channel", () => {
  test.each([1, 2, 3, 4])("seed %i: opens on connect, whichever end asks, also under loss", (seed) => {
    const { world, alice, bob } = scene(seed, LOSSY);
    const [asks, asked] = seed % 2 === 0 ? [alice, bob] : [bob, alice];
    asks.feed({ type: "connect", id: "c", peer: asked.core.id });
    expect(world.runUntil(() => hasChannel(alice, bob) && hasChannel(bob, alice), 15_000)).toBe(true);
    world.run(1000);
    expect(of(asks, "connected")).toMatchObject([{ id: "c", peer: asked.core.id }]);
    expect(world.rtc.liveCount).toBe(2);
    submit(alice, bob, "over the channel", "channel");
    expect(world.runUntil(() => of(alice, "receipt").length === 1, 5000)).toBe(true);
    expect(of(alice, "receipt")[0]?.receipt).toMatchObject({ path: "channel", hops: 1 });
    expect(texts(bob)).toEqual(["over the channel"]);
  });

  test("who asks for one that is there is answered at once, and who may have none is told so", () => {
    const { world, alice, bob } = scene(6);
    alice.feed({ type: "connect", id: "first", peer: bob.core.id });
    expect(world.runUntil(() => of(alice, "connected").length === 1, 15_000)).toBe(true);
    alice.feed({ type: "connect", id: "again", peer: bob.core.id });
    alice.feed({ type: "connect", id: "itself", peer: alice.core.id });
    expect(of(alice, "connected").map(({ id }) => id)).toEqual(["first", "again"]);
    const none = world.addNode({ bootstrap: [], maxChannels: 0 });
    none.feed({ type: "connect", id: "none", peer: bob.core.id });
    expect([...of(alice, "failed"), ...of(none, "failed")]).toMatchObject([
      { id: "itself", code: "E_BAD_ID" },
      { id: "none", code: "E_NO_CHANNEL", message: expect.stringContaining("--max-channels") },
    ]);
    expect(world.rtc.liveCount).toBe(2);
  });

  test("beside a session: what is asked of a neighbour goes over that, for on a channel none of it is read", () => {
    const world = new World({ ...LOSSLESS, seed: 7 });
    const relay = world.addRelay().contact;
    // One that others may ask: it says where it is reached.
    const address = { ip: "20.0.1.9", port: 4000 };
    const bob = world.addNode({ bootstrap: [relay], announce: [address] });
    expect(bob.place.address).toEqual(address);
    const alice = world.addNode({ bootstrap: [relay, { id: bob.core.id, address }] });
    const isReached = () => alice.core.neighbours().some(({ id, reachable }) => id === bob.core.id && reachable);
    expect(world.runUntil(isReached, 60_000)).toBe(true);
    alice.feed({ type: "connect", id: "c", peer: bob.core.id });
    expect(world.runUntil(() => hasChannel(alice, bob) && hasChannel(bob, alice), 15_000)).toBe(true);
    // Bob is the closest to it, and asked first.
    const nearBob = `${bob.core.id.slice(0, 63)}${bob.core.id.endsWith("0") ? "1" : "0"}` as NodeId;
    alice.feed({ type: "trace", id: "t", to: nearBob });
    expect(world.runUntil(() => of(alice, "traced").length === 1, 20_000)).toBe(true);
    const asked = of(alice, "traced")[0]?.steps[1];
    expect(asked).toMatchObject({ node: bob.core.id, asked: "link to the recipient", answer: "none" });
  });

  test("that is full: what wants it and nothing else does not go over the session instead", () => {
    const { world, alice, bob } = scene(7);
    alice.feed({ type: "connect", id: "c", peer: bob.core.id });
    const haveBoth = () => hasChannel(alice, bob) && alice.core.session(bob.core.id) !== undefined;
    expect(world.runUntil(haveBoth, 60_000)).toBe(true);
    world.rtc.isCut = true;
    const content = new Uint8Array(10_000);
    for (let i = 0; i < 500; i += 1) {
      alice.feed({
        type: "submit",
        id: `m${i}`,
        to: bob.core.id,
        content,
        topic: `t${i}`,
        via: "channel",
        timeoutMs: 20_000,
      });
    }
    world.run(3000);
    expect(hasChannel(alice, bob)).toBe(true);
    expect([of(alice, "receipt"), texts(bob)]).toEqual([[], []]);
  });

  test("glare: both ask at once, one channel comes of it", () => {
    const { world, alice, bob } = scene(5);
    alice.feed({ type: "connect", id: "a", peer: bob.core.id });
    bob.feed({ type: "connect", id: "b", peer: alice.core.id });
    world.run(10_000);
    expect([hasChannel(alice, bob), hasChannel(bob, alice)]).toEqual([true, true]);
    expect(world.rtc.liveCount).toBe(2);
    expect([of(alice, "connected").length, of(bob, "connected").length]).toEqual([1, 1]);
  });

  test.each([41, 42])(
    "seed %i: one comes of talk that goes on while the other end has not spoken on it yet",
    (seed) => {
      const { world, alice, bob } = scene(seed, { latencyMs: [80, 120], loss: 0, duplication: 0 });
      for (let i = 0; i < 150; i += 1) {
        submit(alice, bob, `a${i}`);
        submit(bob, alice, `b${i}`);
        world.run(20);
      }
      world.run(5000);
      for (const node of [alice, bob]) {
        expect(of(node, "link-opened").filter(({ link }) => link === "channel")).toHaveLength(1);
        expect(of(node, "link-closed").filter(({ link }) => link === "channel")).toEqual([]);
      }
    },
  );

  test("where there is no direct path the asker is told, nothing is left, and messages go over the relay", () => {
    const { world, alice, bob } = scene(6);
    world.rtc.hasPath = false;
    alice.feed({ type: "connect", id: "c", peer: bob.core.id });
    world.run(20_000);
    expect(of(alice, "failed")).toMatchObject([{ id: "c", code: "E_NO_CHANNEL" }]);
    world.run(20_000);
    expect(world.rtc.liveCount).toBe(0);
    submit(alice, bob, "relayed all the same");
    expect(world.runUntil(() => of(alice, "receipt").length === 1, 5000)).toBe(true);
    expect(of(alice, "receipt")[0]?.receipt.path).not.toBe("channel");
  });

  test("one that carries nothing from its opening on: who asked is told within 25 s of it, or at once when it gives up", () => {
    const { world, alice, bob } = scene(9);
    world.rtc.isCut = true;
    alice.feed({ type: "connect", id: "c", peer: bob.core.id });
    expect(world.runUntil(() => world.rtc.liveCount === 2, 5000)).toBe(true);
    expect(world.runUntil(() => of(alice, "failed").length > 0, 26_000)).toBe(true);
    expect(of(alice, "failed")).toMatchObject([{ id: "c", code: "E_NO_CHANNEL" }]);
    world.run(2000);
    expect([world.rtc.liveCount, of(alice, "link-closed"), of(alice, "connected")]).toEqual([0, [], []]);
    alice.feed({ type: "connect", id: "again", peer: bob.core.id });
    world.run(5000);
    expect(of(alice, "failed")).toHaveLength(1);
    alice.feed({ type: "disconnect", peer: bob.core.id });
    expect(of(alice, "failed")).toMatchObject([{ id: "c" }, { id: "again", code: "E_NO_CHANNEL" }]);
  });

  test("each of many that are asked for at once is answered, though not all may be open", () => {
    const world = new World({ ...LOSSLESS, seed: 10 });
    const bootstrap = [world.addRelay().contact];
    const alice = world.addNode({ bootstrap, maxChannels: 2 });
    const others = Array.from({ length: 5 }, () => world.addNode({ bootstrap }));
    world.run(10_000);
    for (const [i, { core }] of others.entries()) alice.feed({ type: "connect", id: `c${i}`, peer: core.id });
    for (const [i, other] of others.entries()) other.feed({ type: "connect", id: `o${i}`, peer: alice.core.id });
    world.run(26_000);
    expect([of(alice, "connected").length, of(alice, "failed").length]).toEqual([2, 3]);
    expect(of(alice, "failed").map(({ code }) => code)).toEqual(["E_NO_CHANNEL", "E_NO_CHANNEL", "E_NO_CHANNEL"]);
    for (const other of others) expect(of(other, "connected").length + of(other, "failed").length).toBe(1);
    expect(world.rtc.liveCount).toBe(4);
  });

  test("a node that is not there: no channel, and a typed error within the dial's time", () => {
    const { world, alice } = scene(7);
    const nobody = world.addNode();
    alice.feed({ type: "connect", id: "c", peer: nobody.core.id });
    world.run(16_000);
    expect(of(alice, "failed")).toMatchObject([{ id: "c", code: "E_NO_CHANNEL" }]);
    alice.feed({ type: "connect", id: "again", peer: nobody.core.id });
    expect(of(alice, "failed")[1]).toMatchObject({ id: "again", code: "E_NO_CHANNEL" });
  });

  test("what is handed to it faster than it takes waits for its turn, and all of it arrives once", () => {
    const { world, alice, bob } = scene(9, LOSSLESS, "sym");
    alice.feed({ type: "connect", id: "c", peer: bob.core.id });
    expect(world.runUntil(() => of(alice, "connected").length === 1, 15_000)).toBe(true);
    // 4.5 MB at one moment: the queue of a link holds 4 MiB, and no session is there to take the rest.
    expect(alice.core.session(bob.core.id)).toBeUndefined();
    const content = new Uint8Array(60_000);
    const toBob = { to: bob.core.id, content, topic: "t", via: "channel" as const, timeoutMs: 120_000 };
    for (let i = 0; i < 75; i += 1) alice.feed({ type: "submit", id: `${i}`, ...toBob });
    const waiting = alice.core.openMessages(world.queue.nowMs).filter(({ phase }) => phase === "backing-off");
    expect(waiting.length).toBeGreaterThan(0);
    expect(world.runUntil(() => of(alice, "receipt").length === 75, 120_000)).toBe(true);
    expect([of(bob, "deliver").length, of(alice, "failed")]).toEqual([75, []]);
  });

  test("closing it ends both ends, and the next message is relayed", () => {
    const { world, alice, bob } = scene(8);
    alice.feed({ type: "connect", id: "c", peer: bob.core.id });
    world.run(5000);
    bob.feed({ type: "disconnect", peer: alice.core.id });
    world.run(1000);
    expect([hasChannel(alice, bob), hasChannel(bob, alice), world.rtc.liveCount]).toEqual([false, false, 0]);
    submit(alice, bob, "after it");
    expect(world.runUntil(() => of(alice, "receipt").length === 1, 5000)).toBe(true);
    expect(of(alice, "receipt")[0]?.receipt.path).not.toBe("channel");
  });
});

describe("channels that stay and channels that go", () => {
  const MINUTE = 60_000;
  const count = ({ core }: SimNode, name: string) => core.counts()[name] ?? 0;

  test("one that is idle for ten minutes is closed at both ends, and opens again when there is something to say", () => {
    const { world, alice, bob } = scene(31);
    alice.feed({ type: "connect", id: "c", peer: bob.core.id });
    world.run(5 * MINUTE);
    submit(alice, bob, "halfway", "channel");
    world.run(9 * MINUTE);
    expect([hasChannel(alice, bob), hasChannel(bob, alice)]).toEqual([true, true]);
    world.run(2 * MINUTE);
    expect([hasChannel(alice, bob), hasChannel(bob, alice), world.rtc.liveCount]).toEqual([false, false, 0]);
    expect(count(alice, "channels.idle") + count(bob, "channels.idle")).toBeGreaterThanOrEqual(1);
    submit(bob, alice, "later", "channel");
    expect(world.runUntil(() => of(bob, "receipt").length === 1, 20_000)).toBe(true);
    expect(of(bob, "receipt")[0]?.receipt.path).toBe("channel");
  });

  test("one that is used stays, with new keys each two minutes", () => {
    const { world, alice, bob } = scene(32);
    alice.feed({ type: "connect", id: "c", peer: bob.core.id });
    for (let i = 0; i < 12; i += 1) {
      world.run(2 * MINUTE);
      submit(i % 2 === 0 ? alice : bob, i % 2 === 0 ? bob : alice, `m${i}`);
    }
    world.run(5000);
    const receipts = [...of(alice, "receipt"), ...of(bob, "receipt")];
    expect(receipts.map(({ receipt }) => receipt.path)).toEqual(Array.from({ length: 12 }, () => "channel"));
    expect(of(alice, "link-opened").filter(({ link }) => link === "channel")).toHaveLength(1);
    for (const node of [alice, bob]) expect(count(node, "channel.links.rekeyed")).toBeGreaterThanOrEqual(11);
    expect(alice.core.channel(bob.core.id)?.keysSinceMono).toBeGreaterThan(20 * MINUTE);
  });

  test("where all are taken, one of a minute or more gives way to one that is asked for", () => {
    const world = new World({ ...LOSSLESS, seed: 33 });
    const bootstrap = [world.addRelay().contact];
    const alice = world.addNode({ bootstrap, maxChannels: 2 });
    const others = [1, 2, 3].map(() => world.addNode({ bootstrap }));
    const [bob, carol, dave] = others as [SimNode, SimNode, SimNode];
    world.run(10_000);
    for (const peer of [bob, carol]) alice.feed({ type: "connect", id: peer.core.id, peer: peer.core.id });
    world.run(10_000);
    expect(others.map((peer) => hasChannel(alice, peer))).toEqual([true, true, false]);
    alice.feed({ type: "connect", id: "young", peer: dave.core.id });
    expect(of(alice, "failed")).toMatchObject([{ id: "young", code: "E_NO_CHANNEL" }]);
    world.run(MINUTE);
    submit(alice, bob, "still needed", "channel");
    world.run(1000);
    alice.feed({ type: "connect", id: "d", peer: dave.core.id });
    world.run(10_000);
    expect(others.map((peer) => hasChannel(alice, peer))).toEqual([true, false, true]);
    expect(hasChannel(carol, alice)).toBe(false);
    expect(count(alice, "channels.gave-way")).toBe(1);
    expect(world.rtc.liveCount).toBe(4);
  });
});

describe("a conversation keeps going, once and in order", () => {
  test.each([11, 12, 13])("seed %i: through the upgrade from relayed to direct, and the channel's death", (seed) => {
    const { world, alice, bob } = scene(seed, LOSSY);
    const sent: string[] = [];
    const say = (count: number, everyMs: number) => {
      for (let i = 0; i < count; i += 1) {
        const id = `m${sent.length}`;
        sent.push(id);
        submit(alice, bob, id);
        world.run(everyMs);
      }
    };
    // Three messages within 30 s make the channel wanted; it opens while more are under way.
    say(30, 100);
    expect(world.runUntil(() => hasChannel(alice, bob), 20_000)).toBe(true);
    say(10, 100);
    expect(of(alice, "receipt").some(({ receipt }) => receipt.path === "channel")).toBe(true);
    world.rtc.isCut = true;
    const cutAtMs = world.queue.nowMs;
    say(20, 50);
    const isDone = () => of(alice, "receipt").length === sent.length;
    expect(world.runUntil(isDone, 20_000)).toBe(true);
    // By the attempt timer, not by liveness (25 s).
    expect(world.queue.nowMs - cutAtMs).toBeLessThan(10_000);
    world.run(5000);
    expect(texts(bob)).toEqual(sent);
    expect(of(alice, "failed")).toEqual([]);
  });
});

describe("a node that sixteen strangers dial, whose channels never open", () => {
  test.each([61, 62])("seed %i: whom its programs wrote to, or who wrote to them, gets through at once", (seed) => {
    const { world, alice, bob } = scene(seed);
    const [relay] = bob.core.neighbours();
    if (relay?.address === undefined) throw new Error("no relay");
    const bootstrap = [{ id: relay.id, address: relay.address }];
    const carol = world.addNode({ bootstrap });
    const strangers = Array.from({ length: 16 }, () => world.addNode({ bootstrap }));
    for (const { index } of strangers) world.rtc.mute.add(index);
    world.run(5000);
    submit(alice, bob, "a letter", "relay");
    submit(bob, carol, "another", "relay");
    expect(world.runUntil(() => of(alice, "receipt").length + of(bob, "receipt").length === 2, 5000)).toBe(true);
    for (const stranger of strangers) {
      stranger.feed({ type: "connect", id: "c", peer: bob.core.id });
      world.run(30);
    }
    for (const caller of [alice, carol]) {
      caller.feed({ type: "connect", id: "c", peer: bob.core.id });
      expect(world.runUntil(() => hasChannel(caller, bob) && hasChannel(bob, caller), 2500)).toBe(true);
    }
  });
});

describe("trace", () => {
  test("says who has a link to the recipient, or which step fails", () => {
    const { world, alice, bob } = scene(31);
    // The relay holds a link to be open once Data has come over it.
    world.run(200);
    const nobody = world.addNode();
    const trace = (id: string, to: SimNode) => {
      alice.feed({ type: "trace", id, to: to.core.id });
      world.run(3000);
      return of(alice, "traced")
        .find((traced) => traced.id === id)
        ?.steps.map(({ asked, answer }) => [asked, answer]);
    };
    expect(trace("over the relay", bob)).toEqual([
      ["own link", "none"],
      ["link to the recipient", "yes"],
    ]);
    expect(trace("nobody", nobody)).toEqual([
      ["own link", "none"],
      ["link to the recipient", "none"],
    ]);
    alice.feed({ type: "connect", id: "c", peer: bob.core.id });
    world.run(5000);
    expect(trace("directly", bob)).toEqual([["own link", "channel"]]);
    nobody.feed({ type: "trace", id: "lonely", to: bob.core.id });
    expect(of(nobody, "traced")[0]?.steps.at(-1)).toMatchObject({
      asked: "neighbours that carry messages",
      answer: "none",
    });
  });
});

describe("requests", () => {
  test("a reply comes back to the one who asked, over the relay and over a channel", () => {
    const { world, alice, bob } = scene(21);
    const ask = (id: string) =>
      alice.feed({
        type: "request",
        id,
        to: bob.core.id,
        content: Uint8Array.of(1),
        topic: "q",
        via: "any",
        timeoutMs: 5000,
      });
    let answered = 0;
    const answerAll = () => {
      for (const { message } of of(bob, "deliver").slice(answered)) {
        expect(message.kind).toBe("request");
        bob.feed({ type: "reply", id: `r${answered}`, requestId: message.messageId, content: Uint8Array.of(2, 3) });
        answered += 1;
      }
      return of(alice, "answered").length === answered && answered > 0;
    };
    ask("relayed");
    expect(world.runUntil(answerAll, 5000)).toBe(true);
    expect(of(alice, "answered")[0]).toMatchObject({
      id: "relayed",
      content: Uint8Array.of(2, 3),
      receipt: { path: "relayed" },
    });
    alice.feed({ type: "connect", id: "c", peer: bob.core.id });
    world.runUntil(() => hasChannel(alice, bob), 5000);
    ask("direct");
    expect(world.runUntil(() => answerAll() && answered === 2, 5000)).toBe(true);
    expect(of(alice, "answered")[1]).toMatchObject({ id: "direct", receipt: { path: "channel" } });
    world.run(1000);
    expect(of(bob, "receipt")).toHaveLength(2);
    // One that nobody has asked cannot be answered.
    bob.feed({ type: "reply", id: "none", requestId: "00".repeat(16), content: Uint8Array.of(1) });
    expect(of(bob, "failed")).toMatchObject([{ id: "none", code: "E_NO_REQUEST" }]);
  });
});

describe("a second channel to a peer", () => {
  test.each([41, 42])("seed %i: of a peer that forgot the first replaces it, and is told as that", (seed) => {
    const { world, alice, bob } = scene(seed);
    alice.feed({ type: "connect", id: "c", peer: bob.core.id });
    expect(world.runUntil(() => hasChannel(alice, bob) && hasChannel(bob, alice), 5000)).toBe(true);
    world.run(5000);
    const [forgets, keeps] = seed % 2 === 0 ? [alice, bob] : [bob, alice];
    forgets.kill();
    forgets.start();
    const { length: before } = keeps.outputs;
    expect(world.runUntil(() => forgets.core.neighbours().length === 1, 5000)).toBe(true);
    world.run(200);
    forgets.feed({ type: "connect", id: "anew", peer: keeps.core.id });
    submit(keeps, forgets, "on its way");
    expect(world.runUntil(() => hasChannel(forgets, keeps), 5000)).toBe(true);
    world.run(2000);
    const changes = keeps.outputs
      .slice(before)
      .flatMap((output) =>
        (output.type === "link-closed" || output.type === "link-opened") && output.link === "channel"
          ? [output.type === "link-closed" ? output.reason : "opened"]
          : [],
      );
    expect(changes).toEqual(["replaced", "opened"]);
    forgets.feed({ type: "listening", on: true });
    world.run(1000);
    expect(texts(forgets)).toEqual(["on its way"]);
    expect(world.rtc.liveCount).toBe(2);
  });
});

describe("a node that is relayed only", () => {
  /** It, and two strangers that dial it at its address: two Welcomes, by which another node believes that it can be reached. */
  function dialled(icePolicy: "all" | "relayed-only") {
    const world = new World({ ...LOSSLESS, seed: 51 });
    const bootstrap = [world.addRelay().contact];
    const hidden = world.addNode({ bootstrap, icePolicy });
    const others = [world.addNode(), world.addNode()] as const;
    world.run(5000);
    for (const other of others) {
      other.feed({ type: "connect", id: "c", peer: hidden.core.id, address: hidden.place.address });
    }
    world.run(60_000);
    const told = others.map((other) => other.core.neighbours().find(({ id }) => id === hidden.core.id)?.record);
    return { hidden, told, isReachable: hidden.core.isReachable(world.queue.nowMs) };
  }

  test("tells nobody its address, where another node in its place does", () => {
    const open = dialled("all");
    expect(open.isReachable).toBe(true);
    expect(open.told.map((record) => record?.addresses)).toEqual([
      [open.hidden.place.address],
      [open.hidden.place.address],
    ]);
    const closed = dialled("relayed-only");
    expect(closed.isReachable).toBe(false);
    expect(closed.told.flatMap((record) => record?.addresses ?? [])).toEqual([]);
  });

  test("gives and takes messages, and opens no channel, whoever asks", () => {
    const world = new World({ ...LOSSLESS, seed: 52 });
    const bootstrap = [world.addRelay().contact];
    const hidden = world.addNode({ bootstrap, icePolicy: "relayed-only" });
    const other = world.addNode({ bootstrap });
    world.run(5000);
    for (const node of [other, hidden]) node.feed({ type: "listening", on: true });
    hidden.feed({ type: "connect", id: "asks", peer: other.core.id });
    expect(of(hidden, "failed")).toMatchObject([{ id: "asks", code: "E_NO_CHANNEL" }]);
    expect(of(hidden, "failed")[0]?.message).toContain("relayed-only");
    other.feed({ type: "connect", id: "is asked", peer: hidden.core.id });
    for (let i = 0; i < 5; i += 1) submit(hidden, other, `out ${i}`);
    for (let i = 0; i < 5; i += 1) submit(other, hidden, `in ${i}`);
    world.run(20_000);
    expect(texts(other)).toHaveLength(5);
    expect(texts(hidden)).toHaveLength(5);
    expect(of(other, "failed")).toMatchObject([{ id: "is asked", code: "E_NO_CHANNEL" }]);
    expect(hidden.outputs.filter(({ type }) => type.startsWith("rtc-"))).toEqual([]);
  });
});
