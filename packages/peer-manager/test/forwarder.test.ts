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

let linked: Set<NodeId>;
let reachable: NodeId[];
let anchors: NodeId[];
let forwarder: Forwarder;

beforeEach(() => {
  linked = new Set([UPSTREAM, UPSTREAM2]);
  reachable = [];
  anchors = [];
  forwarder = new Forwarder(SELF, {
    has: (id) => linked.has(id),
    reachable: () => reachable,
    anchors: () => anchors,
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

describe("bounds", () => {
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
    expect(forwarder.nextDeadline()).toBe(30_000);
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
    let taken = 0;
    while (forwarder.hasRoomFor(61_525) && taken < 2000) {
      forwarder.forward(UPSTREAM, `${taken}`, big(taken), 0);
      taken += 1;
    }
    expect(taken).toBe(Math.floor((64 * 1024 * 1024) / 61_525));
  });
});
