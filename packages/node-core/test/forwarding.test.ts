// What a node does with what its neighbours hand it to carry, and what it tells them and counts, on links that are only written down.
import { beforeEach, describe, expect, test } from "@jest/globals";
import type { NodeId } from "@starling/crypto-identity";
import type { Frame } from "@starling/wire-protocol";
import { decodeMessage, envelopeDigest, type Message } from "@starling/wire-protocol";
import { Counters } from "../src/counters.ts";
import { DEFAULT_FORWARD_LIMITS } from "../src/forward-quota.ts";
import { Forwarding, type ForwardingOptions } from "../src/forwarding.ts";
import type { Links } from "../src/links.ts";
import { at, attempt, counterRandom, FLOOR, identity, publishOf, sendOf } from "./support.ts";

const ALICE = identity(1);
const SELF = identity(2);
const CAROL = identity(3);
const [LINK, NEXT] = [identity(4).id, identity(5).id];

let sent: { readonly peer: NodeId; readonly message: Message; readonly token: number | undefined }[];
let taken: "queued" | "full";
let counters: Counters;
let options: ForwardingOptions;

beforeEach(() => {
  [sent, taken, counters] = [[], "queued", new Counters()];
  const links = {
    peers: () => [LINK, NEXT],
    suspect: () => {},
    send: (peer: NodeId, frame: Frame, _now: unknown, token?: number) => {
      const message = decodeMessage(frame);
      if (!message.ok) throw new Error(message.reason);
      sent.push({ peer, message: message.value, token });
      return taken;
    },
  } as unknown as Links;
  options = {
    ...{ self: SELF.id, network: "test", links, counters, quota: DEFAULT_FORWARD_LIMITS, random: counterRandom() },
    ...{ floor: () => FLOOR, publishFloor: () => FLOOR, freshnessBoundMs: 0, pendingMax: undefined, seenMax: 4_000 },
    routing: {
      has: (peer) => peer === LINK || peer === NEXT,
      reachable: () => [NEXT],
      anchors: () => [NEXT],
      isDoubtful: () => false,
      isSelfReachable: () => false,
    },
  };
});

const random = counterRandom();
const sendTo = (to: typeof ALICE, effort = FLOOR) => sendOf(attempt({ from: ALICE, to, effort, random }));
const told = () => sent.map(({ peer, message }) => [peer, message.type]);
const slow = () => ({
  ...options,
  quota: { ...DEFAULT_FORWARD_LIMITS, total: { messagesPerSecond: 10, bytesPerSecond: 1e9 } },
});

describe("a Send", () => {
  test("for another goes on, one for us arrives, and one that is refused is told why and counted", () => {
    const forwarding = new Forwarding(options, at(0));
    expect(forwarding.send(LINK, sendTo(CAROL), at(0))).toEqual([]);
    expect(told()).toEqual([[NEXT, "send"]]);
    expect(forwarding.send(LINK, sendTo(SELF), at(0))).toMatchObject([{ type: "arrived" }]);
    sent = [];
    expect(forwarding.send(LINK, sendTo(CAROL, FLOOR - 1), at(0))).toEqual([]);
    expect(sent).toMatchObject([{ peer: LINK, message: { type: "send-fail", reason: "price", detail: FLOOR } }]);
    expect([counters.get("dropped.send-price"), counters.get("forwarded.send")]).toEqual([1, 1]);
  });

  test("that was seen and is no longer carried is told so, but to its recipient it is handed again, within a quota", () => {
    const forwarding = new Forwarding(options, at(0));
    const [mine, other] = [sendTo(SELF), sendTo(CAROL)];
    for (const each of [mine, other]) forwarding.send(LINK, each, at(0));
    // What is carried is forgotten after a while; the filter remembers for longer.
    for (let ms = 0; ms <= 60_000; ms += 500) forwarding.tick(at(ms), 0);
    const again = (ms: number) => forwarding.send(LINK, mine, at(ms)).map(({ type }) => type);
    sent = [];
    expect(again(60_000)).toEqual(["arrived"]);
    forwarding.send(LINK, other, at(60_000));
    expect(sent).toMatchObject([{ peer: LINK, message: { type: "send-fail", reason: "seen" } }]);
    expect(counters.get("dropped.send-seen")).toBe(1);
  });

  test("that waits and comes again is dropped; one that is shed is counted with its limit", () => {
    const forwarding = new Forwarding(slow(), at(0));
    forwarding.send(LINK, sendTo(CAROL), at(0));
    const waiting = sendTo(CAROL);
    for (let i = 0; i < 2; i += 1) expect(forwarding.send(LINK, waiting, at(0))).toEqual([]);
    expect([forwarding.waitingCount, counters.get("dropped.send-repeat")]).toEqual([1, 1]);
    for (let i = 0; i < 60; i += 1) forwarding.send(LINK, sendTo(CAROL, 2 * FLOOR), at(0));
    expect(counters.get("shed.total")).toBeGreaterThan(0);
  });

  test("that a link does not take, or gives back, goes no further where there is no other, and its sender is told", () => {
    const forwarding = new Forwarding(options, at(0));
    taken = "full";
    forwarding.send(LINK, sendTo(CAROL), at(0));
    expect(told()).toContainEqual([LINK, "send-fail"]);
    taken = "queued";
    sent = [];
    forwarding.send(LINK, sendTo(CAROL), at(0));
    const token = sent.find(({ message }) => message.type === "send")?.token;
    sent = [];
    forwarding.undelivered(token ?? 0, at(0));
    expect(told()).toContainEqual([LINK, "send-fail"]);
    expect(counters.get("forwarded.send")).toBe(1);
  });

  test("of our own that comes back is known", () => {
    const forwarding = new Forwarding(options, at(0));
    const own = sendTo(CAROL);
    const digest = envelopeDigest("test", own.encodedEnvelope);
    const origination = {
      id: "own",
      lock: own.envelope.lock,
      recipient: CAROL.id,
      encodedEnvelope: own.encodedEnvelope,
    };
    forwarding.originate({ ...origination, avoidRecipient: false }, digest, at(0));
    forwarding.send(LINK, own, at(1));
    expect(counters.get("dropped.send-seen")).toBe(1);
    expect([forwarding.pendingCount, forwarding.openCount]).toEqual([1, 1]);
  });
});

describe("a Publish", () => {
  const publish = (text: string, effort = FLOOR) => publishOf({ from: ALICE, effort, text, random });

  test("goes on and is handed up once; too cheap, or a second time, it is counted", () => {
    const forwarding = new Forwarding(options, at(0));
    const one = publish("one");
    expect(forwarding.published(LINK, one, at(0))).toMatchObject([{ type: "published" }]);
    expect(forwarding.published(LINK, one, at(0))).toEqual([]);
    expect(forwarding.published(LINK, publish("cheap", FLOOR - 1), at(0))).toEqual([]);
    expect(
      ["received.publish", "received.publish-again", "dropped.publish-price"].map((name) => counters.get(name)),
    ).toEqual([1, 1, 1]);
  });

  test("that no link takes is counted, and one that waits and comes again as well", () => {
    taken = "full";
    const forwarding = new Forwarding(slow(), at(0));
    for (const peer of [LINK, NEXT]) forwarding.opened(peer, at(0));
    expect(forwarding.published(LINK, publish("one"), at(0))).toHaveLength(1);
    expect(counters.get("dropped.publish-unsent")).toBeGreaterThan(0);
    const two = publish("two");
    for (let i = 0; i < 2; i += 1) expect(forwarding.published(LINK, two, at(0))).toEqual([]);
    expect(counters.get("dropped.publish-repeat")).toBe(1);
  });
});
