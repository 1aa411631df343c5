// Small machines of the core by themselves, and the bounds of what strangers and programs can make them hold.
import { describe, expect, test } from "@jest/globals";
import type { NodeId } from "@starling/crypto-identity";
import { RouteTimes } from "../src/attempt-plan.ts";
import { ChannelDemand } from "../src/channel-demand.ts";
import { ConnectRequests } from "../src/connect-requests.ts";
import { Counters } from "../src/counters.ts";
import { type Driver, startDriver } from "../src/driver.ts";
import { type DatedBroadcast, EarlyBroadcasts } from "../src/early-broadcasts.ts";
import { Finder } from "../src/finder.ts";
import { IncomingOffers } from "../src/incoming-offers.ts";
import { OpenRequests } from "../src/open-requests.ts";
import type { BroadcastMessage, InboxEntry } from "../src/output.ts";
import { SharedBucket } from "../src/shared-bucket.ts";
import { Streams } from "../src/streams.ts";
import { ToldPrices } from "../src/told-prices.ts";
import { TopicShare } from "../src/topic-share.ts";
import { at, counterRandom, identity, WALL } from "./support.ts";

const ALICE = identity(1).id;
const BOB = identity(2).id;
const CAROL = identity(3).id;
const idOf = (index: number) => index.toString(16).padStart(64, "0") as NodeId;

describe("broadcasts that are dated ahead", () => {
  const broadcast = (topic: string, timestampMs: number): DatedBroadcast => ({
    message: { topic, receivedAtMs: 0 } as unknown as BroadcastMessage,
    timestampMs,
  });
  const topics = (broadcasts: readonly DatedBroadcast[]) => broadcasts.map(({ message }) => message.topic);

  test("are held until their time has passed, each for itself, and told when they were handed out", () => {
    const early = new EarlyBroadcasts();
    expect(early.nextDeadline()).toBeNull();
    expect(early.hold(broadcast("late", WALL + 200), at(0))).toBe(true);
    expect(early.hold(broadcast("soon", WALL + 100), at(0))).toBe(true);
    expect(early.nextDeadline()).toBe(100);
    expect(early.take(at(99))).toEqual([]);
    const taken = early.take(at(100));
    expect(taken).toEqual([{ message: { topic: "soon", receivedAtMs: WALL + 100 }, timestampMs: WALL + 100 }]);
    expect(early.nextDeadline()).toBe(200);
    // The wall clock was set back: the same one waits longer.
    expect(early.take({ mono: 200, wall: WALL + 150 })).toEqual([]);
    expect(early.nextDeadline()).toBe(250);
    expect(topics(early.take({ mono: 250, wall: WALL + 200 }))).toEqual(["late"]);
    expect(early.nextDeadline()).toBeNull();
  });

  test("are 256 at most", () => {
    const early = new EarlyBroadcasts();
    for (let i = 0; i < 256; i += 1) expect(early.hold(broadcast("", WALL + 1), at(0))).toBe(true);
    expect(early.hold(broadcast("", WALL + 1), at(0))).toBe(false);
  });
});

describe("programs that wait for a link", () => {
  test("hear of it together, once, and of its failure", () => {
    const requests = new ConnectRequests();
    for (const id of ["1", "2"]) expect(requests.add(BOB, id)).toBe(true);
    expect([requests.isWaitedFor(BOB), requests.isWaitedFor(CAROL)]).toEqual([true, false]);
    expect(requests.opened(BOB)).toEqual(["1", "2"].map((id) => ({ type: "connected", id, peer: BOB })));
    expect(requests.opened(BOB)).toEqual([]);
    requests.add(BOB, "3");
    expect(requests.failed(BOB, "E_NO_ROUTE", "gone")).toEqual([
      { type: "failed", id: "3", code: "E_NO_ROUTE", message: "gone" },
    ]);
  });

  test("are 256 at most, until some have heard", () => {
    const requests = new ConnectRequests();
    for (let i = 0; i < 256; i += 1) expect(requests.add(idOf(i >> 1), String(i))).toBe(true);
    expect(requests.add(BOB, "more")).toBe(false);
    expect(requests.opened(idOf(0))).toHaveLength(2);
    expect([requests.add(BOB, "a"), requests.add(BOB, "b"), requests.add(BOB, "c")]).toEqual([true, true, false]);
  });
});

test("a request is answered once, before its end; the 4,097th makes the first forgotten", () => {
  const requests = new OpenRequests();
  const add = (messageId: string) =>
    requests.add({ messageId, from: BOB, topic: "t", expiresMs: WALL } as unknown as InboxEntry);
  add("a");
  expect(requests.take("a", WALL - 1)).toEqual({ from: BOB, topic: "t", expiresMs: WALL });
  expect(requests.take("a", WALL - 1)).toBeUndefined();
  add("a");
  expect(requests.take("a", WALL)).toBeUndefined();
  for (let i = 0; i <= 4_096; i += 1) add(String(i));
  expect([requests.take("0", 0), requests.take("1", 0)?.from]).toEqual([undefined, BOB]);
});

test("counters are told in the order of their names, and one that never was is none", () => {
  const counters = new Counters();
  for (const name of ["b", "a", "c", "b"]) counters.add(name);
  counters.add("a", 5);
  expect(Object.entries(counters.snapshot())).toEqual([
    ["a", 6],
    ["b", 2],
    ["c", 1],
  ]);
  expect(counters.get("d")).toBe(0);
});

describe("streams", () => {
  test("number messages to one recipient and topic; the lowest without an outcome holds back the 257th", () => {
    const streams = new Streams(counterRandom());
    const positions = Array.from({ length: 257 }, () => streams.next(BOB, "t"));
    expect(positions.map(({ seq }) => seq)).toEqual([...Array(257).keys()]);
    expect([positions[255]?.hasTurn(), positions[256]?.hasTurn()]).toEqual([true, false]);
    expect(streams.lowestUnsettled(BOB, "t", 9)).toBe(0);
    positions[0]?.settle();
    expect([positions[256]?.hasTurn(), streams.lowestUnsettled(BOB, "t", 9)]).toEqual([true, 1]);
    for (const { settle } of positions) settle();
    expect(streams.lowestUnsettled(BOB, "t", 9)).toBe(9);
    // What is settled already is not held up by anything.
    expect(positions[256]?.hasTurn()).toBe(true);
    expect(streams.lowestUnsettled(BOB, "other", 7)).toBe(7);
    expect(streams.next(BOB, "other").stream).not.toEqual(positions[0]?.stream);
  });

  test("the one used longest ago makes room for the 4,097th, and begins anew", () => {
    const streams = new Streams(counterRandom());
    const first = streams.next(idOf(0), "");
    const kept = streams.next(idOf(1), "");
    for (let i = 2; i < 4_096; i += 1) streams.next(idOf(i), "");
    expect(streams.next(idOf(0), "").seq).toBe(1);
    streams.next(idOf(4_096), "");
    expect(streams.next(idOf(0), "").stream).toEqual(first.stream);
    const anew = streams.next(idOf(1), "");
    expect(anew.seq).toBe(0);
    expect(anew.stream).not.toEqual(kept.stream);
  });

  test("a message in no order waits for none", () => {
    const single = new Streams(counterRandom()).single();
    single.settle();
    expect([single.seq, single.isOrdered, single.hasTurn()]).toEqual([0, false, true]);
  });
});

describe("prices that neighbours told", () => {
  const told = new ToldPrices({ send: 10, publish: 20 });
  test("the least of some of them, half of all of them, and the floor where nothing was told", () => {
    expect(told.median()).toEqual({ send: 1, publish: 1 });
    expect(told.leastSend([])).toBe(1);
    told.heard(ALICE, { sendPrice: 50, publishPrice: 40 });
    told.heard(BOB, { sendPrice: 30, publishPrice: 400 });
    told.heard(CAROL, { sendPrice: 1, publishPrice: 200 });
    expect([told.leastSend([ALICE, BOB]), told.leastSend([ALICE, idOf(9)])]).toEqual([3, 1]);
    expect(told.median()).toEqual({ send: 3, publish: 10 });
    told.closed(CAROL);
    // Of two, the lesser: one that asks for more cannot make an author pay.
    expect(told.median()).toEqual({ send: 3, publish: 2 });
  });
});

describe("a search for a node that a recipient is attached to", () => {
  const address = { ip: "192.0.2.1", port: 1 };
  const finder = (starts: readonly NodeId[]) =>
    new Finder(ALICE, counterRandom(), () => starts.map((id) => ({ id, address })));
  const nodes = (query: number, attached: boolean) => ({ type: "nodes", query, attached, contacts: [] }) as const;
  const asked = (outputs: ReturnType<Finder["find"]>) =>
    outputs.flatMap((output) => (output.type === "ask" ? [output] : []));

  test("asks, finds, and is asked for once at a time", () => {
    const searching = finder([CAROL]);
    expect(searching.nextDeadline()).toBeNull();
    const [ask] = asked(searching.find(BOB, [], at(0)));
    if (ask === undefined) throw new Error("nobody was asked");
    expect(ask).toMatchObject({ contact: { id: CAROL }, target: BOB });
    expect(searching.find(BOB, [], at(0))).toEqual([]);
    expect(searching.answered(CAROL, nodes(ask.query ^ 1, true), at(1))).toEqual([]);
    expect(searching.tick(at(1))).toEqual([]);
    expect(searching.answered(CAROL, nodes(ask.query, true), at(2))).toEqual([
      { type: "found", target: BOB, peer: CAROL },
    ]);
    expect(searching.nextDeadline()).toBeNull();
  });

  test("takes nobody who was of no use before, and ends where nobody is left to ask", () => {
    const searching = finder([CAROL]);
    const [ask] = asked(searching.find(BOB, [CAROL], at(0)));
    expect(searching.answered(CAROL, nodes(ask?.query ?? 0, true), at(1))).toEqual([
      { type: "not-found", target: BOB },
    ]);
    expect(finder([]).find(BOB, [], at(0))).toEqual([{ type: "not-found", target: BOB }]);
  });

  test("ends without an answer, after 5 s at the latest; 64 at once at most", () => {
    const searching = finder([CAROL]);
    for (let i = 10; i < 74; i += 1) expect(asked(searching.find(idOf(i), [], at(0)))).toHaveLength(1);
    expect(searching.find(BOB, [], at(0))).toEqual([{ type: "not-found", target: BOB }]);
    const ended = new Set<string>();
    let last = 0;
    for (let due = searching.nextDeadline(); due !== null; due = searching.nextDeadline()) {
      expect(due).toBeGreaterThanOrEqual(last);
      last = due;
      for (const output of searching.tick(at(due))) if (output.type === "not-found") ended.add(output.target);
    }
    expect([ended.size, last <= 5_000]).toEqual([64, true]);
  });
});

test("round trips to 1,024 recipients are remembered; the one written to longest ago makes room", () => {
  const routes = new RouteTimes();
  for (let i = 0; i < 1_024; i += 1) routes.measured(idOf(i), 100);
  // A slower one counts at once, a quicker one by and by.
  routes.measured(idOf(0), 60);
  expect(routes.of(idOf(0))).toBe(90);
  routes.measured(idOf(0), 200);
  expect(routes.of(idOf(0))).toBe(200);
  routes.measured(BOB, 100);
  expect([routes.of(idOf(0)), routes.of(idOf(1)), routes.of(idOf(2))]).toEqual([200, routes.of(CAROL), 100]);
});

test("the round trip to somebody new is what it is to others of late: 800 ms before any is known", () => {
  const routes = new RouteTimes();
  expect(routes.of(BOB)).toBe(800);
  routes.measured(CAROL, 400);
  expect([routes.of(BOB), routes.of(CAROL)]).toEqual([750, 400]);
  for (let i = 0; i < 100; i += 1) routes.measured(idOf(i), 1_500);
  expect(Math.round(routes.of(BOB))).toBe(1_500);
});

test("talk is worth a channel: three messages or 16 KiB in 30 s, of 1,024 peers at once", () => {
  const demand = new ChannelDemand();
  expect([0, 15_000, 30_000].map((nowMono) => demand.note(BOB, 1, nowMono))).toEqual([false, false, true]);
  expect([0, 1, 30_001, 30_002].map((nowMono) => demand.note(CAROL, 1, nowMono))).toEqual([false, false, false, false]);
  expect([demand.note(ALICE, 16_383, 0), demand.note(ALICE, 1, 0)]).toEqual([false, true]);
  const busy = new ChannelDemand();
  for (const peer of [BOB, CAROL]) for (let i = 0; i < 2; i += 1) busy.note(peer, 1, 0);
  for (let i = 0; i < 1_023; i += 1) busy.note(idOf(i), 1, 0);
  // Bob made room, Carol is remembered.
  expect([busy.note(CAROL, 1, 0), busy.note(BOB, 1, 0)]).toEqual([true, false]);
});

describe("offers that come in", () => {
  const response = { respond: () => ({ message: new Uint8Array(1), keys: {} }) } as never;

  test("are pending until they are answered, once; what is not known has no answer", () => {
    const offers = new IncomingOffers();
    expect([offers.answerTo(BOB, "tag"), offers.nextDeadline(), offers.respond(BOB, "tag", new Uint8Array(1))]).toEqual(
      [undefined, null, undefined],
    );
    offers.remember(BOB, "tag", new Uint8Array(1));
    expect(offers.answerTo(BOB, "tag")).toBeUndefined();
    offers.pending(BOB, "tag", response, 5, 0);
    expect(offers.answerTo(BOB, "tag")).toBe("pending");
    expect(offers.respond(BOB, "tag", new Uint8Array(1))).toMatchObject({ remoteIndex: 5 });
    offers.remember(BOB, "tag", Uint8Array.of(9));
    expect([offers.answerTo(BOB, "tag"), offers.answerTo(CAROL, "tag")]).toEqual([Uint8Array.of(9), undefined]);
    const due = offers.nextDeadline() ?? 0;
    offers.expire(due - 1);
    expect(offers.nextDeadline()).toBe(due);
    offers.expire(due);
    expect([offers.nextDeadline(), offers.answerTo(BOB, "tag")]).toEqual([null, undefined]);
  });

  test("are remembered within bounds, and so are those who asked, were asked and had a channel: the oldest are forgotten", () => {
    const offers = new IncomingOffers();
    expect([offers.hasOpenedLately(BOB, 0), offers.isAsked(BOB, 0)]).toEqual([false, false]);
    for (let i = 0; i < 10_000; i += 1) {
      offers.pending(idOf(i), "tag", response, i, 0);
      offers.ask(idOf(i), 0);
      offers.opened(idOf(i + 20_000), 0);
    }
    const last = idOf(9_999);
    expect([offers.answerTo(idOf(0), "tag"), offers.answerTo(last, "tag")]).toEqual([undefined, "pending"]);
    expect([offers.isAsked(idOf(0), 0), offers.isAsked(last, 0)]).toEqual([false, true]);
    expect([offers.hasOpenedLately(idOf(20_000), 0), offers.hasOpenedLately(idOf(29_999), 0)]).toEqual([false, true]);
  });
});

test("what several links share is given to whoever comes until it runs low, and to nobody once it is empty", () => {
  const bucket = new SharedBucket({ messagesPerSecond: 10, bytesPerSecond: 1_000 }, 0);
  let served = 0;
  while (bucket.has(BOB, 10, 0)) {
    bucket.take(BOB, 10);
    served += 1;
  }
  expect(served).toBeGreaterThan(0);
  expect(bucket.has(CAROL, 10, 0)).toBe(true);
  expect(bucket.has(CAROL, 1_000_000, 0)).toBe(false);
});

test("what no lane holds cannot be given back", () => {
  const share = new TopicShare({ messages: 2, bytes: 10 });
  share.release("none", 5);
  share.take("a", 5);
  expect([share.hasRoomFor("a", 5), share.hasRoomFor("a", 6)]).toEqual([false, false]);
  share.release("a", 5);
  expect([share.hasRoomFor("a", 10), share.full()]).toEqual([true, []]);
});

describe("the driver", () => {
  const core = (handled: string[]) => ({
    handle: (input: string) => {
      handled.push(input);
      return [];
    },
    tick: () => [],
    nextDeadline: () => null,
    close: () => ["bye"],
  });

  test("leaves a timer that is early enough as it is", () => {
    const driver = startDriver<string, string>({
      core: { ...core([]), nextDeadline: () => 50_000 },
      perform: () => {},
      now: () => at(0),
    });
    for (const input of ["a", "b"]) driver.feed(input);
    driver.close();
    expect(() => driver.close()).not.toThrow();
  });

  test("hands several inputs one by one to a core that takes no several, and none once it is closed", () => {
    const handled: string[] = [];
    const performed: string[] = [];
    const driver: Driver<string> = startDriver<string, string>({
      core: core(handled),
      perform: (output) => performed.push(output),
      now: () => at(0),
    });
    driver.feedAll(["a", "b"]);
    driver.close();
    driver.feedAll(["c"]);
    driver.later("d");
    driver.feed("e");
    expect([handled, performed]).toEqual([["a", "b"], ["bye"]]);
  });
});
