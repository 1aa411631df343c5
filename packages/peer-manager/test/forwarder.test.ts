import { beforeEach, describe, expect, test } from "@jest/globals";
import type { NodeId } from "@starling/crypto-identity";
import { identityFromSeed } from "@starling/crypto-identity";
import type { Send, SendFail, SendFailReason } from "@starling/wire-protocol";
import { decodeMessage, encodeEnvelope, lockOf } from "@starling/wire-protocol";
import type { ForwarderOutput } from "../src/index.ts";
import { Forwarder, sortByDistance } from "../src/index.ts";

// Ids in the order of their distance to the recipient: [0] is the recipient, the last is the farthest.
const RECIPIENT = identityFromSeed(new Uint8Array(32).fill(200)).id;
const BY_DISTANCE = sortByDistance(
  RECIPIENT,
  Array.from({ length: 8 }, (_, i) => ({ id: identityFromSeed(new Uint8Array(32).fill(i + 1)).id })),
).map(({ id }) => id);
const [NEAR, NEARER2, NEARER3, NEARER4, SELF, UPSTREAM, UPSTREAM2, FAR] = BY_DISTANCE as [
  NodeId,
  NodeId,
  NodeId,
  NodeId,
  NodeId,
  NodeId,
  NodeId,
  NodeId,
];
const T = new Uint8Array(16).fill(7);

function sendOf(changes: Partial<Send> = {}, t: Uint8Array = T): Send {
  const envelope = {
    recipient: RECIPIENT,
    lock: lockOf(t),
    timestampMs: 1,
    effort: 1,
    nonce: new Uint8Array(8),
    sealedBody: new Uint8Array(256),
  };
  const encodedEnvelope = encodeEnvelope(envelope);
  return { type: "send", hops: 0, last: false, nonImproving: 0, envelope, encodedEnvelope, ...changes };
}

const lockedWith = (i: number) => new Uint8Array(16).fill(i);

function original(i: number, more = {}) {
  const { envelope, encodedEnvelope } = sendOf({}, lockedWith(i));
  const { lock, recipient } = envelope;
  return { id: `${i}`, lock, recipient, encodedEnvelope, avoidRecipient: false, ...more };
}

let linked: Set<NodeId>;
let reachable: NodeId[];
let anchors: NodeId[];
let doubtful: Set<NodeId>;
let forwarder: Forwarder;

beforeEach(() => {
  linked = new Set([UPSTREAM, UPSTREAM2]);
  reachable = [];
  anchors = [];
  doubtful = new Set();
  forwarder = new Forwarder(SELF, {
    has: (id) => linked.has(id),
    reachable: () => reachable,
    anchors: () => anchors,
    isDoubtful: (id) => doubtful.has(id),
    isSelfReachable: () => true,
  });
});

function link(...ids: NodeId[]): void {
  for (const id of ids) linked.add(id);
  reachable.push(...ids);
}

/** What went to whom, in words. */
function say(outputs: readonly ForwarderOutput[]): unknown[] {
  return outputs.map((output) => {
    if (output.type !== "send") return output;
    const message = decodeMessage(output.frame);
    if (!message.ok) throw new Error(message.reason);
    const { value } = message;
    switch (value.type) {
      case "send":
        return ["send", output.peer, { hops: value.hops, last: value.last, nonImproving: value.nonImproving }];
      case "send-ack":
        return ["send-ack", output.peer, { hops: value.hops }];
      case "send-fail":
        return ["send-fail", output.peer, { reason: value.reason }];
      default:
        throw new Error(`unexpected ${value.type}`);
    }
  });
}

const fail = (reason: SendFailReason, t?: Uint8Array): SendFail => ({
  type: "send-fail",
  lock: lockOf(T),
  reason,
  detail: 0,
  t,
});
const plain = { last: false, nonImproving: 0 };

describe("the way there", () => {
  test("an own link to the recipient, whatever the hop count", () => {
    link(NEAR);
    linked.add(RECIPIENT);
    expect(say(forwarder.forward(UPSTREAM, "a", sendOf({ hops: 24 }), 0))).toEqual([
      ["send", RECIPIENT, { hops: 24, ...plain }],
    ]);
  });

  test("else the closest reachable neighbour, closer than oneself", () => {
    link(FAR, NEARER2, NEAR);
    expect(say(forwarder.forward(UPSTREAM, "a", sendOf(), 0))).toEqual([["send", NEAR, { hops: 1, ...plain }]]);
  });

  test("both links that an envelope went over are in use for the three seconds that its ack may take", () => {
    link(NEAR, FAR);
    forwarder.forward(UPSTREAM, "a", sendOf(), 1000);
    const inUse = (nowMono: number) =>
      [UPSTREAM, NEAR, UPSTREAM2, FAR].filter((peer) => forwarder.isInUse(peer, nowMono));
    expect([inUse(1000), inUse(3999), inUse(4000)]).toEqual([[UPSTREAM, NEAR], [UPSTREAM, NEAR], []]);
  });

  test("the hop limit holds for everybody but the recipient", () => {
    link(NEAR);
    expect(say(forwarder.forward(UPSTREAM, "a", sendOf({ hops: 24 }), 0))).toEqual([
      ["send-fail", UPSTREAM, { reason: "hop-limit" }],
    ]);
  });

  test("nobody closer: anchors with the flag last; at a node that got it so: absent", () => {
    link(FAR);
    anchors = [FAR];
    expect(say(forwarder.forward(UPSTREAM, "a", sendOf(), 0))).toEqual([
      ["send", FAR, { hops: 1, last: true, nonImproving: 0 }],
    ]);
    expect(say(forwarder.forward(UPSTREAM, "b", sendOf({ last: true }, new Uint8Array(16)), 0))).toEqual([
      ["send-fail", UPSTREAM, { reason: "absent" }],
    ]);
  });

  test("never back to where it came from", () => {
    link(NEAR);
    expect(say(forwarder.forward(NEAR, "a", sendOf(), 0))).toEqual([["send-fail", NEAR, { reason: "absent" }]]);
  });

  test("the author's first step may lead away from the recipient; via relay does not use the own link", () => {
    link(FAR);
    linked.add(RECIPIENT);
    const { envelope, encodedEnvelope } = sendOf();
    const outputs = forwarder.originate(
      { id: "a", lock: envelope.lock, recipient: RECIPIENT, encodedEnvelope, avoidRecipient: true },
      0,
    );
    expect(say(outputs)).toEqual([["send", FAR, { hops: 0, ...plain }]]);
    expect(outputs[0]).toMatchObject({ own: true });
  });

  test("no neighbour at all: the author learns it at once", () => {
    const { envelope, encodedEnvelope } = sendOf();
    expect(
      forwarder.originate(
        { id: "a", lock: envelope.lock, recipient: RECIPIENT, encodedEnvelope, avoidRecipient: false },
        0,
      ),
    ).toEqual([{ type: "settled", id: "a", outcome: { type: "failed", reason: "no-route", detail: 0 } }]);
  });
});

describe("the way back", () => {
  test("an ack that opens the lock walks back to every in-link, once, and teaches a route", () => {
    link(NEAR, NEARER2);
    forwarder.forward(UPSTREAM, "a", sendOf(), 0);
    expect(say(forwarder.repeated(UPSTREAM2, "a"))).toEqual([{ type: "dropped", reason: "send-repeat" }]);
    expect(say(forwarder.acknowledged(NEAR, { type: "send-ack", t: T, hops: 3 }, 1))).toEqual([
      ["send-ack", UPSTREAM, { hops: 3 }],
      ["send-ack", UPSTREAM2, { hops: 3 }],
    ]);
    expect(say(forwarder.acknowledged(NEAR, { type: "send-ack", t: T, hops: 3 }, 2))).toEqual([
      { type: "dropped", reason: "ack-repeat" },
    ]);
    // A repeat after the ack is acknowledged again: the first ack may have been lost.
    expect(say(forwarder.repeated(UPSTREAM, "a"))).toEqual([["send-ack", UPSTREAM, { hops: 3 }]]);
  });

  test("a learned route is used while it is fresh", () => {
    link(NEAR, NEARER2);
    forwarder.forward(UPSTREAM, "a", sendOf(), 0);
    forwarder.failed(NEAR, fail("no-route"), 1);
    forwarder.acknowledged(NEARER2, { type: "send-ack", t: T, hops: 3 }, 2);
    const again = (id: string, byte: number, now: number) =>
      say(forwarder.forward(UPSTREAM, id, sendOf({}, new Uint8Array(16).fill(byte)), now));
    expect(again("b", 1, 100_000)).toEqual([["send", NEARER2, { hops: 1, ...plain }]]);
    expect(again("c", 2, 120_003)).toEqual([["send", NEAR, { hops: 1, ...plain }]]);
  });

  test("an ack from a link the Send never went out on, or for a lock nobody knows, changes nothing", () => {
    link(NEAR, NEARER2);
    forwarder.forward(UPSTREAM, "a", sendOf(), 0);
    expect(say(forwarder.acknowledged(NEARER2, { type: "send-ack", t: T, hops: 1 }, 1))).toEqual([
      { type: "dropped", reason: "ack-wrong-link" },
    ]);
    expect(say(forwarder.acknowledged(NEAR, { type: "send-ack", t: new Uint8Array(16), hops: 1 }, 1))).toEqual([
      { type: "dropped", reason: "ack-unknown" },
    ]);
    expect(say(forwarder.acknowledged(NEAR, { type: "send-ack", t: T, hops: 1 }, 1))).toHaveLength(1);
  });

  test("what ends here is acknowledged to all it came from", () => {
    forwarder.keep(UPSTREAM, "a", sendOf({ hops: 1 }), 0);
    forwarder.repeated(UPSTREAM2, "a");
    expect(say(forwarder.delivered("a", T))).toEqual([
      ["send-ack", UPSTREAM, { hops: 2 }],
      ["send-ack", UPSTREAM2, { hops: 2 }],
    ]);
    expect(forwarder.delivered("a", T)).toEqual([]);
  });
});

describe("scores", () => {
  const firstHop = (i: number, ms: number) => {
    const [sent] = forwarder.originate(original(i), ms);
    return sent?.type === "send" ? sent.peer : undefined;
  };

  test("who does not deliver to a recipient that others reach falls behind them, and comes back in time", () => {
    link(NEAR, NEARER2);
    const before = forwarder.scoreOf(NEAR, 0);
    for (let i = 0; i < 4; i += 1) {
      const recipient = identityFromSeed(new Uint8Array(32).fill(100 + i)).id;
      forwarder.originate(original(2 * i, { recipient, firstHop: NEAR }), 10 * i);
      forwarder.originate(original(2 * i + 1, { recipient, firstHop: NEARER2 }), 10 * i);
      forwarder.acknowledged(NEARER2, { type: "send-ack", t: lockedWith(2 * i + 1), hops: 2 }, 10 * i + 1);
    }
    forwarder.tick(3100);
    expect(forwarder.scoreOf(NEAR, 3100)).toBeLessThan(0.5);
    expect(forwarder.scoreOf(NEARER2, 3100)).toBeGreaterThan(before);
    expect(firstHop(50, 3100)).toBe(NEARER2);
    expect(forwarder.scoreOf(NEAR, 3_000_000)).toBeCloseTo(before, 2);
  });

  const strangerTo = (i: number) => ({ recipient: identityFromSeed(new Uint8Array(32).fill(100 + i)).id });

  test("a neighbour that has delivered is not blamed where nobody has reached the recipient; one that has not is", () => {
    link(NEAR, NEARER2);
    forwarder.originate(original(1, { ...strangerTo(1), firstHop: NEAR }), 0);
    forwarder.acknowledged(NEAR, { type: "send-ack", t: lockedWith(1), hops: 2 }, 100);
    const good = forwarder.scoreOf(NEAR, 100);
    const unknown = forwarder.scoreOf(NEARER2, 100);
    forwarder.originate(original(2, { ...strangerTo(2), firstHop: NEAR }), 100);
    forwarder.originate(original(3, { ...strangerTo(3), firstHop: NEARER2 }), 100);
    forwarder.originate(original(4, { ...strangerTo(4), firstHop: NEARER2 }), 100);
    forwarder.tick(3100);
    expect(forwarder.scoreOf(NEAR, 3100)).toBeCloseTo(good, 2);
    expect(forwarder.scoreOf(NEARER2, 3100)).toBeCloseTo(unknown * 0.85 ** 2, 5);
  });

  test("a SendFail is no silence", () => {
    link(NEAR, NEARER2);
    const before = forwarder.scoreOf(NEAR, 40_000);
    firstHop(2, 40_000);
    forwarder.failed(
      NEAR,
      { type: "send-fail", lock: lockOf(lockedWith(2)), reason: "loop", detail: 0, t: undefined },
      40_001,
    );
    forwarder.acknowledged(NEARER2, { type: "send-ack", t: lockedWith(2), hops: 2 }, 40_002);
    forwarder.tick(43_001);
    expect(forwarder.scoreOf(NEAR, 43_001)).toBe(before);
  });

  test("a silence is held against its neighbour once a minute and recipient, also when the answer comes later", () => {
    link(NEAR);
    forwarder.originate(original(20, strangerTo(20)), 0);
    forwarder.acknowledged(NEAR, { type: "send-ack", t: lockedWith(20), hops: 2 }, 0);
    for (let i = 0; i < 5; i += 1) firstHop(i, i);
    forwarder.tick(3010);
    const before = forwarder.scoreOf(NEAR, 4100);
    link(NEARER2);
    forwarder.originate(original(9, { firstHop: NEARER2 }), 4000);
    forwarder.acknowledged(NEARER2, { type: "send-ack", t: lockedWith(9), hops: 2 }, 4100);
    expect(forwarder.scoreOf(NEAR, 4100)).toBeCloseTo(before * 0.85, 5);
  });

  test("a neighbour that does not answer its link stands last", () => {
    link(NEAR, NEARER2);
    doubtful.add(NEAR);
    expect(firstHop(1, 0)).toBe(NEARER2);
    doubtful.add(NEARER2);
    expect(firstHop(2, 0)).toBe(NEAR);
  });

  test("a further attempt takes first hops that were not taken; both are credited, the program is told once", () => {
    link(NEAR, NEARER2, NEARER3);
    forwarder.originate(original(1), 0);
    const again = forwarder.originate(original(2, { earlierIds: ["1"], isPair: true }), 1200);
    expect(say(again)).toMatchObject([["send", NEARER2, {}]]);
    expect(forwarder.tick(1999)).toEqual([]);
    expect(say(forwarder.tick(2000))).toMatchObject([["send", NEARER3, {}]]);
    const ack = { type: "send-ack", t: lockedWith(2), hops: 3 } as const;
    expect(forwarder.acknowledged(NEARER3, ack, 2100)).toMatchObject([{ type: "settled", id: "2" }]);
    expect(forwarder.acknowledged(NEARER2, ack, 2101)).toEqual([{ type: "dropped", reason: "ack-repeat" }]);
    expect(forwarder.scoreOf(NEARER2, 2101)).toBeCloseTo(forwarder.scoreOf(NEARER3, 2101), 5);
  });

  test("an earlier attempt tries nobody else once a further one is under way, and may still be answered", () => {
    link(NEAR, NEARER2, NEARER3);
    const [first] = forwarder.originate(original(1), 0);
    if (first?.type !== "send" || first.token === undefined) throw new Error("nothing was sent");
    forwarder.originate(original(2, { earlierIds: ["1"] }), 1200);
    const gone = { type: "failed", reason: "no-route", detail: 0 };
    expect(forwarder.undelivered(first.token, 1300)).toEqual([{ type: "settled", id: "1", outcome: gone }]);
    expect(forwarder.acknowledged(NEAR, { type: "send-ack", t: lockedWith(1), hops: 3 }, 1400)).toMatchObject([
      { type: "settled", id: "1", outcome: { type: "acknowledged" } },
    ]);
  });

  test("the second first hop is not taken once the first has brought the ack", () => {
    link(NEAR, NEARER2);
    forwarder.originate(original(1, { isPair: true }), 0);
    forwarder.acknowledged(NEAR, { type: "send-ack", t: lockedWith(1), hops: 3 }, 500);
    expect(forwarder.tick(800)).toEqual([]);
  });
});

describe("when a link does not work", () => {
  test("a SendFail or a frame that was not taken in: the next out-link, three in all, then upstream", () => {
    link(NEAR, NEARER2, NEARER3, NEARER4);
    const [first] = forwarder.forward(UPSTREAM, "a", sendOf(), 0);
    if (first?.type !== "send" || first.token === undefined) throw new Error("nothing was sent");
    expect(say(forwarder.undelivered(first.token, 10))).toEqual([["send", NEARER2, { hops: 1, ...plain }]]);
    expect(forwarder.undelivered(first.token, 11)).toEqual([]);
    expect(say(forwarder.failed(NEARER2, fail("loop"), 20))).toEqual([["send", NEARER3, { hops: 1, ...plain }]]);
    expect(say(forwarder.failed(NEARER3, fail("shed"), 30))).toEqual([["send-fail", UPSTREAM, { reason: "shed" }]]);
    // A late ack of the first link still counts.
    expect(say(forwarder.acknowledged(NEAR, { type: "send-ack", t: T, hops: 2 }, 40))).toEqual([
      ["send-ack", UPSTREAM, { hops: 2 }],
    ]);
  });

  test("a link that does not even take the frame in within half a second gets company, and may answer all the same", () => {
    link(NEAR, NEARER2, NEARER3);
    forwarder.forward(UPSTREAM, "a", sendOf(), 0);
    expect(forwarder.tick(499)).toEqual([]);
    doubtful.add(NEAR);
    expect(say(forwarder.tick(500))).toMatchObject([["send", NEARER2, { hops: 1 }]]);
    forwarder.handedOver(2);
    doubtful.add(NEARER2);
    expect(forwarder.tick(1000)).toEqual([]);
    expect(say(forwarder.acknowledged(NEAR, { type: "send-ack", t: T, hops: 2 }, 1100))).toEqual([
      ["send-ack", UPSTREAM, { hops: 2 }],
    ]);
  });

  test("no further try after 3 s", () => {
    link(NEAR, NEARER2);
    forwarder.forward(UPSTREAM, "a", sendOf(), 0);
    expect(say(forwarder.failed(NEAR, fail("no-route"), 3001))).toEqual([
      ["send-fail", UPSTREAM, { reason: "no-route" }],
    ]);
  });

  test.each(["absent", "no-inbox", "stale", "bad-stamp", "hop-limit"] as const)("%s goes straight back", (reason) => {
    link(NEAR, NEARER2);
    forwarder.forward(UPSTREAM, "a", sendOf(), 0);
    expect(say(forwarder.failed(NEAR, fail(reason), 1))).toEqual([["send-fail", UPSTREAM, { reason }]]);
    // And to whoever brings the same envelope by another way: else it would look for ways around a recipient that is not there.
    expect(say(forwarder.repeated(UPSTREAM2, "a"))).toEqual([["send-fail", UPSTREAM2, { reason }]]);
  });

  test("an author that is told absent leaves this envelope alone, unless its other first hop is still on the way", () => {
    link(NEAR, NEARER2, NEARER3);
    const failOf = (byte: number): SendFail => ({ ...fail("absent"), lock: lockOf(lockedWith(byte)) });
    const absent = { type: "failed", reason: "absent", detail: 0 };
    forwarder.originate(original(1), 0);
    expect(forwarder.failed(NEAR, failOf(1), 1)).toEqual([{ type: "settled", id: "1", outcome: absent }]);
    forwarder.originate(original(2, { isPair: true }), 10);
    forwarder.tick(810);
    expect(forwarder.failed(NEAR, failOf(2), 811)).toEqual([]);
    expect(forwarder.failed(NEARER2, failOf(2), 812)).toEqual([{ type: "settled", id: "2", outcome: absent }]);
  });

  test("full counts only with the secret that opens the lock", () => {
    link(NEAR, NEARER2);
    forwarder.forward(UPSTREAM, "a", sendOf(), 0);
    expect(say(forwarder.failed(NEAR, fail("full", new Uint8Array(16)), 1))).toEqual([
      { type: "dropped", reason: "fail-forged" },
      ["send", NEARER2, { hops: 1, ...plain }],
    ]);
    expect(say(forwarder.failed(NEARER2, fail("full", T), 2))).toEqual([["send-fail", UPSTREAM, { reason: "full" }]]);
  });

  test("a SendFail from a link that was not asked changes nothing", () => {
    link(NEAR, NEARER2);
    forwarder.forward(UPSTREAM, "a", sendOf(), 0);
    expect(say(forwarder.failed(NEARER2, fail("absent"), 1))).toEqual([{ type: "dropped", reason: "fail-wrong-link" }]);
    expect(say(forwarder.failed(UPSTREAM, fail("absent"), 1))).toEqual([
      { type: "dropped", reason: "fail-wrong-link" },
    ]);
  });

  test("an absent recipient is remembered for 10 s, unless it links up", () => {
    link(NEAR);
    forwarder.forward(UPSTREAM, "a", sendOf(), 0);
    forwarder.failed(NEAR, fail("absent"), 1);
    const other = (byte: number) => sendOf({}, new Uint8Array(16).fill(byte));
    expect(say(forwarder.forward(UPSTREAM, "b", other(1), 5000))).toEqual([
      ["send-fail", UPSTREAM, { reason: "absent" }],
    ]);
    linked.add(RECIPIENT);
    expect(say(forwarder.forward(UPSTREAM, "c", other(2), 5001))).toEqual([["send", RECIPIENT, { hops: 1, ...plain }]]);
    linked.delete(RECIPIENT);
    expect(say(forwarder.forward(UPSTREAM, "d", other(3), 10_002))).toEqual([["send", NEAR, { hops: 1, ...plain }]]);
  });

  test("a copy from a link it went out on is a loop", () => {
    link(NEAR);
    forwarder.forward(UPSTREAM, "a", sendOf(), 0);
    expect(say(forwarder.repeated(NEAR, "a"))).toEqual([["send-fail", NEAR, { reason: "loop" }]]);
  });
});

describe("nobody there", () => {
  test("a local minimum asks three anchors, then it is absent; absent by a closer node goes straight back", () => {
    anchors = [FAR, UPSTREAM2, NEARER4];
    for (const id of anchors) linked.add(id);
    reachable.push(FAR);
    expect(say(forwarder.forward(UPSTREAM, "a", sendOf(), 0))).toHaveLength(1);
    let last: unknown[] = [];
    for (const id of [NEARER4, UPSTREAM2, FAR]) last = say(forwarder.failed(id, fail("absent"), 1));
    expect(last).toEqual([["send-fail", UPSTREAM, { reason: "absent" }]]);

    link(NEAR, NEARER2);
    const t = new Uint8Array(16).fill(9);
    const other = { ...sendOf({}, t) };
    forwarder.forward(UPSTREAM, "b", { ...other, envelope: { ...other.envelope, recipient: UPSTREAM2 } }, 20_000);
    forwarder.forward(UPSTREAM, "c", sendOf({}, new Uint8Array(16).fill(10)), 20_000);
    const absent = { ...fail("absent"), lock: lockOf(new Uint8Array(16).fill(10)) };
    expect(say(forwarder.failed(NEAR, absent, 20_001))).toEqual([["send-fail", UPSTREAM, { reason: "absent" }]]);
  });

  test("a learned route that leads to nobody gives way to distance", () => {
    link(NEAR, NEARER2);
    forwarder.forward(UPSTREAM, "a", sendOf({}, new Uint8Array(16).fill(1)), 0);
    forwarder.undelivered(1, 1);
    forwarder.acknowledged(NEARER2, { type: "send-ack", t: new Uint8Array(16).fill(1), hops: 2 }, 2);
    expect(say(forwarder.forward(UPSTREAM, "b", sendOf(), 10))).toEqual([["send", NEARER2, { hops: 1, ...plain }]]);
    expect(say(forwarder.failed(NEARER2, fail("absent"), 11))).toEqual([["send", NEAR, { hops: 1, ...plain }]]);
  });
});

describe("bounds", () => {
  test("what failed is told again in its own bytes, whatever becomes of those that it came in", () => {
    link(NEAR);
    forwarder.forward(UPSTREAM, "a", sendOf(), 0);
    const datagram = new Uint8Array(1200).fill(7);
    forwarder.failed(NEAR, fail("full", datagram.subarray(100, 116)), 1);
    datagram.fill(0);
    const [again] = forwarder.repeated(UPSTREAM2, "a");
    if (again?.type !== "send") throw new Error("nothing was told");
    expect(decodeMessage(again.frame)).toMatchObject({ ok: true, value: { type: "send-fail", reason: "full", t: T } });
  });

  test("an envelope of our own that comes back counts for no link, neither while it is open nor when it ends", () => {
    const isDoubtful = () => false;
    const known = { has: (id: NodeId) => linked.has(id), reachable: () => reachable, anchors: () => anchors };
    const bounded = new Forwarder(SELF, { ...known, isDoubtful, isSelfReachable: () => true }, 8);
    link(NEAR);
    bounded.originate(original(50), 0);
    bounded.repeated(UPSTREAM, "50");
    for (let i = 100; bounded.hasRoomFor(UPSTREAM, 300); i += 1)
      bounded.forward(UPSTREAM, `${i}`, sendOf({}, lockedWith(i)), 0);
    expect(bounded.openCount).toBe(5);
    bounded.acknowledged(NEAR, { type: "send-ack", t: lockedWith(50), hops: 1 }, 1);
    // Four of its own are open, and four are free.
    expect([bounded.openCount, bounded.hasRoomFor(UPSTREAM, 300)]).toEqual([4, false]);
  });

  test("at most four in-links an envelope", () => {
    link(NEAR);
    forwarder.forward(UPSTREAM, "a", sendOf(), 0);
    for (const id of [UPSTREAM2, FAR, NEARER2]) forwarder.repeated(id, "a");
    expect(say(forwarder.repeated(NEARER3, "a"))).toEqual([{ type: "dropped", reason: "send-in-links" }]);
    expect(forwarder.acknowledged(NEAR, { type: "send-ack", t: T, hops: 1 }, 1)).toHaveLength(4);
  });

  test("entries end after 30 s and nothing is left", () => {
    link(NEAR);
    for (let i = 0; i < 50; i += 1) forwarder.forward(UPSTREAM, `${i}`, sendOf({}, new Uint8Array(16).fill(i)), i);
    expect(forwarder.nextDeadline()).toBe(500);
    forwarder.tick(30_010);
    expect(forwarder.pendingCount).toBe(39);
    forwarder.tick(30_049);
    expect(forwarder.pendingCount).toBe(0);
    expect(forwarder.nextDeadline()).toBeNull();
    expect(forwarder.isPending("0")).toBe(false);
  });

  test("the bytes held are bounded: what does not fit is not taken", () => {
    link(NEAR);
    const big = (i: number) => ({
      ...sendOf(
        {},
        Uint8Array.from({ length: 16 }, (_, at) => (at === 0 ? i & 255 : i >> 8)),
      ),
      encodedEnvelope: new Uint8Array(61_525),
    });
    const takeFrom = (from: NodeId): number => {
      let taken = 0;
      for (; forwarder.hasRoomFor(from, 61_525) && taken < 2000; taken += 1) {
        forwarder.forward(from, `${forwarder.pendingCount}`, big(forwarder.pendingCount), 0);
      }
      return taken;
    };
    // As much as there is room left: one link cannot fill the table against the next.
    const fitting = (64 * 1024 * 1024) / 61_525;
    const first = takeFrom(UPSTREAM);
    expect(first).toBe(Math.floor((fitting + 1) / 2));
    expect(takeFrom(UPSTREAM2)).toBe(Math.floor((fitting - first + 1) / 2));
  });

  test("a full table makes room by what is settled, never by what is open", () => {
    forwarder = new Forwarder(
      SELF,
      {
        has: (id) => linked.has(id),
        reachable: () => reachable,
        anchors: () => anchors,
        isDoubtful: () => false,
        isSelfReachable: () => true,
      },
      8,
    );
    link(NEAR);
    const t = (i: number) => new Uint8Array(16).fill(i + 1);
    for (let i = 0; i < 100; i += 1) {
      expect(forwarder.hasRoomFor(UPSTREAM, 300)).toBe(true);
      forwarder.forward(UPSTREAM, `${i}`, sendOf({}, t(i)), i);
      if (i > 0) forwarder.acknowledged(NEAR, { type: "send-ack", t: t(i), hops: 1 }, i);
    }
    expect(forwarder.pendingCount).toBe(8);
    // The first was never acknowledged: its ack still finds its way back.
    expect(forwarder.acknowledged(NEAR, { type: "send-ack", t: t(0), hops: 1 }, 101)).toMatchObject([
      { peer: UPSTREAM },
    ]);
    for (let i = 100; forwarder.hasRoomFor(UPSTREAM, 300); i += 1)
      forwarder.forward(UPSTREAM, `${i}`, sendOf({}, t(i)), 102);
    expect(forwarder.openCount).toBe(4);
    expect(forwarder.hasRoomFor(UPSTREAM2, 300)).toBe(true);
  });
});
