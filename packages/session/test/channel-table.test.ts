import { beforeEach, describe, expect, test } from "@jest/globals";
import { identityFromSeed } from "@starling/crypto-identity";
import { FRAME_KIND } from "@starling/wire-protocol";
import { type ChannelEvent, ChannelTable, createSessionCrypto, type SessionLimits } from "../src/index.ts";

// Two ends of channels that lose nothing and keep the order, in virtual time.

const ALICE = identityFromSeed(new Uint8Array(32).fill(1));
const BOB = identityFromSeed(new Uint8Array(32).fill(2));
const LATENCY_MS = 10;

let counter = 0;
const random = (sizeBytes: number) => {
  counter += 1;
  return Uint8Array.from({ length: sizeBytes }, (_, i) => (counter * 29 + i * 13 + (counter >> 8)) & 0xff);
};

type End = { readonly table: ChannelTable; readonly events: ChannelEvent[] };
let ends: { alice: End; bob: End };
let cut: Set<string>;
/** How much longer than a Ping everything else takes. */
let queueMs: number;
let wire: { readonly atMs: number; readonly to: End; readonly channel: string; readonly datagram: Uint8Array }[];
let nowMs: number;

const cryptoOf = (identity: typeof ALICE) =>
  createSessionCrypto({ identity, network: "test", random, purpose: "channel" });

function end(identity: typeof ALICE, limits: Partial<SessionLimits> = {}): End {
  return { table: new ChannelTable({ crypto: cryptoOf(identity), random, limits }), events: [] };
}
const at = (mono: number) => ({ mono, wall: mono });

/** Runs both ends, with each other's datagrams after a while, until nothing is due before `untilMs`. */
function run(untilMs: number): void {
  for (;;) {
    for (const [from, to] of [[ends.alice, ends.bob] as const, [ends.bob, ends.alice] as const]) {
      for (const { channel, datagram, isControl } of from.table.flush(at(nowMs))) {
        const atMs = nowMs + LATENCY_MS + (isControl ? 0 : queueMs);
        if (!cut.has(channel)) wire.push({ atMs, to, channel, datagram });
      }
    }
    wire.sort((a, b) => a.atMs - b.atMs);
    const due = [wire[0]?.atMs, ends.alice.table.nextDeadline(), ends.bob.table.nextDeadline()];
    const next = Math.min(...due.map((each) => each ?? Number.POSITIVE_INFINITY));
    if (next > untilMs) break;
    nowMs = Math.max(nowMs, next);
    const arrived = wire[0]?.atMs === next ? wire.shift() : undefined;
    if (arrived !== undefined) {
      arrived.to.events.push(...arrived.to.table.receive(arrived.channel, arrived.datagram, at(nowMs)));
    } else {
      for (const each of [ends.alice, ends.bob]) each.events.push(...each.table.tick(at(nowMs)));
    }
  }
  nowMs = untilMs;
}

function agree(channel: string): (string | undefined)[] {
  const initiation = cryptoOf(ALICE).initiate(BOB.id, new Uint8Array(1));
  const response = cryptoOf(BOB).respond(initiation.message)?.respond(new Uint8Array(1));
  const finished = response && initiation.finish(response.message);
  if (response === undefined || finished === undefined) throw new Error("no handshake");
  const [a, b] = [counter * 2, counter * 2 + 1];
  return [
    ends.alice.table.adopt(
      { channel, peer: BOB.id, keys: finished.keys, isInitiator: true, localIndex: a, remoteIndex: b },
      at(nowMs),
    ),
    ends.bob.table.adopt(
      { channel, peer: ALICE.id, keys: response.keys, isInitiator: false, localIndex: b, remoteIndex: a },
      at(nowMs),
    ),
  ];
}

const frames = ({ events }: End) =>
  events.flatMap((event) =>
    event.type === "frame" && event.frame.kind === FRAME_KIND.direct ? [event.frame.body] : [],
  );
const named = ({ events }: End, type: ChannelEvent["type"]) => events.filter((event) => event.type === type);

beforeEach(() => {
  ends = { alice: end(ALICE), bob: end(BOB) };
  cut = new Set();
  queueMs = 0;
  wire = [];
  nowMs = 0;
});

describe("a link over a channel", () => {
  test("opens when Data has come, carries frames of any size once, and acknowledges them", () => {
    expect(agree("c1")).toEqual([undefined, undefined]);
    expect(ends.alice.table.get(BOB.id)).toBeUndefined();
    expect(ends.alice.table.send(BOB.id, { kind: FRAME_KIND.direct, body: new Uint8Array(1) }, at(0))).toBe(
      "no-session",
    );
    run(100);
    expect(named(ends.alice, "opened")).toHaveLength(1);
    expect(named(ends.bob, "opened")).toHaveLength(1);
    const bodies = [1, 100, 5000, 60_000].map((size, i) => new Uint8Array(size).fill(i + 1));
    for (const [token, body] of bodies.entries()) {
      expect(ends.alice.table.send(BOB.id, { kind: FRAME_KIND.direct, body }, at(nowMs), token)).toBe("queued");
    }
    run(1000);
    expect(
      frames(ends.bob)
        .map((body) => body.length)
        .toSorted((a, b) => a - b),
    ).toEqual([1, 100, 5000, 60_000]);
    expect(named(ends.alice, "acknowledged")).toHaveLength(4);
    expect(ends.alice.table.counters.get("frames.resent") ?? 0).toBe(0);
    expect(ends.alice.table.get(BOB.id)?.rttMs).toBeGreaterThanOrEqual(2 * LATENCY_MS);
    // However long it takes: nothing is lost on the way.
    queueMs = 20_000;
    for (const [i, kind] of [FRAME_KIND.direct, FRAME_KIND.send, FRAME_KIND.publish].entries()) {
      ends.alice.table.send(BOB.id, { kind, body: new Uint8Array(100) }, at(nowMs), 10 + i);
    }
    ends.alice.table.send(BOB.id, { kind: FRAME_KIND.send, body: new Uint8Array(5000) }, at(nowMs), 13);
    run(40_000);
    expect(named(ends.alice, "acknowledged").map((event) => "token" in event && event.token)).toEqual(
      expect.arrayContaining([10, 11, 12, 13]),
    );
    expect(named(ends.alice, "undelivered")).toEqual([]);
    expect(ends.alice.table.counters.get("frames.resent") ?? 0).toBe(0);
  });

  test("a large frame that stood still for so long that its beginning was dropped arrives once others go on", () => {
    agree("c1");
    run(100);
    ends.alice.table.send(BOB.id, { kind: FRAME_KIND.direct, body: new Uint8Array(60_000).fill(7) }, at(nowMs), 1);
    run(nowMs);
    // The first datagram of it arrives, the rest 11 s later.
    wire = wire.map((each, i) => (i === 0 || each.to !== ends.bob ? each : { ...each, atMs: each.atMs + 11_000 }));
    run(11_500);
    expect(ends.bob.table.counters.get("dropped.fragment-expired")).toBe(1);
    expect(frames(ends.bob)).toEqual([]);
    for (let byte = 0; byte < 40; byte += 1) {
      ends.alice.table.send(BOB.id, { kind: FRAME_KIND.direct, body: Uint8Array.of(byte) }, at(nowMs), 100 + byte);
      run(nowMs + 500);
    }
    expect(frames(ends.bob).filter(({ length }) => length === 60_000)).toEqual([new Uint8Array(60_000).fill(7)]);
    expect(named(ends.alice, "acknowledged")).toHaveLength(41);
    expect(frames(ends.bob)).toHaveLength(41);
  });

  test("what says only how the link is may go ahead of what is on its way, and a Bye may not", () => {
    agree("c1");
    run(100);
    const flushed = ({ table }: End) => table.flush(at(nowMs)).map(({ isControl }) => isControl);
    // The Ping rides with frames where there are some.
    nowMs = 20_000;
    ends.alice.table.tick(at(nowMs));
    expect(flushed(ends.alice)).toEqual([true]);
    nowMs = 40_000;
    ends.bob.table.tick(at(nowMs));
    ends.bob.table.send(ALICE.id, { kind: FRAME_KIND.direct, body: new Uint8Array(100) }, at(nowMs));
    expect(flushed(ends.bob)).toEqual([false]);
    ends.alice.table.close(BOB.id, new Uint8Array(1), at(nowMs));
    expect(flushed(ends.alice)).toEqual([false]);
  });

  test("a channel that carries nothing any more: dead within 25 s, or 5 s once it is suspected", () => {
    agree("c1");
    run(100);
    cut.add("c1");
    ends.alice.table.send(BOB.id, { kind: FRAME_KIND.direct, body: new Uint8Array(1) }, at(nowMs), 7);
    ends.alice.table.suspect(BOB.id, at(nowMs));
    run(5100);
    expect(named(ends.alice, "closed")).toMatchObject([{ reason: "timeout" }]);
    expect(named(ends.alice, "undelivered")).toMatchObject([{ token: 7 }]);
    expect(named(ends.bob, "closed")).toEqual([]);
    run(25_200);
    expect(named(ends.bob, "closed")).toMatchObject([{ reason: "timeout" }]);
    expect([ends.alice.table.nextDeadline(), ends.bob.table.nextDeadline()]).toEqual([null, null]);
  });

  test("one on which the peer never speaks was no link: its end is told as that, whatever ends it", () => {
    cut.add("c1");
    agree("c1");
    run(24_400);
    expect([ends.alice.events, ends.bob.events]).toEqual([[], []]);
    run(25_000);
    expect([ends.alice.events, ends.bob.events]).toEqual([
      [{ type: "unopened", peer: BOB.id, reason: "timeout" }],
      [{ type: "unopened", peer: ALICE.id, reason: "timeout" }],
    ]);
    agree("c2");
    expect(ends.alice.table.close(BOB.id, new Uint8Array(1), at(nowMs))).toEqual([
      { type: "unopened", peer: BOB.id, reason: "local" },
    ]);
    expect(ends.bob.table.lost("c2", at(nowMs))).toEqual([{ type: "unopened", peer: ALICE.id, reason: "timeout" }]);
    expect(ends.bob.table.lost("c2", at(nowMs))).toEqual([]);
  });

  test("a second channel takes over what the first did not deliver, once each end has heard the other on it", () => {
    agree("c1");
    run(100);
    cut.add("c1");
    ends.alice.table.send(BOB.id, { kind: FRAME_KIND.direct, body: Uint8Array.of(1) }, at(nowMs), 1);
    run(200);
    expect(agree("c2")).toEqual([undefined, undefined]);
    expect(ends.alice.table.channelsOf(BOB.id)).toEqual(["c1", "c2"]);
    run(500);
    expect(frames(ends.bob)).toEqual([Uint8Array.of(1)]);
    expect(named(ends.alice, "acknowledged")).toMatchObject([{ token: 1 }]);
    for (const each of [ends.alice, ends.bob]) {
      expect(each.events.filter(({ type }) => type === "replaced" || type === "closed")).toMatchObject([
        { type: "replaced", channel: "c1" },
      ]);
      expect(each.table.peers()).toHaveLength(1);
    }
    expect(ends.alice.table.channelsOf(BOB.id)).toEqual(["c2"]);
    // The old carrier's end is no news any more.
    expect(ends.alice.table.lost("c1", at(nowMs))).toEqual([]);
    ends.bob.table.send(ALICE.id, { kind: FRAME_KIND.direct, body: Uint8Array.of(2) }, at(nowMs), 2);
    run(1000);
    expect(frames(ends.alice)).toEqual([Uint8Array.of(2)]);
  });

  test("a first channel that ends before a second one has spoken leaves its place to it", () => {
    agree("c1");
    run(100);
    agree("c2");
    cut.add("c2");
    ends.alice.table.send(BOB.id, { kind: FRAME_KIND.direct, body: Uint8Array.of(1) }, at(nowMs), 1);
    expect(ends.alice.table.lost("c1", at(nowMs))).toMatchObject([{ type: "replaced", peer: BOB.id, channel: "c1" }]);
    expect(ends.bob.table.lost("c1", at(nowMs))).toMatchObject([{ type: "replaced", peer: ALICE.id, channel: "c1" }]);
    cut.delete("c2");
    run(500);
    expect(frames(ends.bob)).toEqual([Uint8Array.of(1)]);
    expect(named(ends.alice, "closed")).toEqual([]);
  });

  test("a second channel that fails leaves the first as it is, and a third takes the second's turn", () => {
    agree("c1");
    run(100);
    cut.add("c2");
    agree("c2");
    run(200);
    expect([ends.alice.table.lost("c2", at(nowMs)), ends.bob.table.lost("c2", at(nowMs))]).toEqual([[], []]);
    cut.add("c3");
    agree("c3");
    expect(agree("c4")).toEqual(["c3", "c3"]);
    run(500);
    expect(named(ends.alice, "replaced")).toMatchObject([{ channel: "c1" }]);
    cut.add("c5");
    agree("c5");
    ends.alice.table.close(BOB.id, new Uint8Array(1), at(nowMs));
    run(600);
    expect(named(ends.bob, "closed")).toMatchObject([{ reason: "bye" }]);
    expect([ends.alice.table.lost("c5", at(nowMs)), ends.bob.table.lost("c5", at(nowMs))]).toEqual([[], []]);
    expect([ends.alice.table.nextDeadline(), ends.bob.table.nextDeadline()]).toEqual([null, null]);
  });

  test("Bye ends both; a lost channel ends one; garbage and another channel's Data change nothing", () => {
    agree("c1");
    run(100);
    for (const bytes of [new Uint8Array(0), new Uint8Array(100).fill(0x53), new Uint8Array(20_000).fill(0x53)]) {
      expect(ends.bob.table.receive("c1", bytes, at(nowMs))).toEqual([]);
    }
    ends.alice.table.send(BOB.id, { kind: FRAME_KIND.direct, body: Uint8Array.of(1) }, at(nowMs));
    const [transmit] = ends.alice.table.flush(at(nowMs));
    expect(transmit && ends.bob.table.receive("other", transmit.datagram, at(nowMs))).toEqual([]);
    expect(ends.alice.table.close(BOB.id, new Uint8Array(1), at(nowMs))).toMatchObject([
      { type: "closed", reason: "local" },
    ]);
    run(200);
    expect(named(ends.bob, "closed")).toMatchObject([{ reason: "bye" }]);
    agree("c2");
    run(300);
    expect(ends.bob.table.lost("c2", at(nowMs))).toMatchObject([{ type: "closed", reason: "timeout" }]);
    expect(ends.bob.table.lost("c2", at(nowMs))).toEqual([]);
    expect(ends.bob.table.peers()).toEqual([]);
  });
});

describe("the keys of an open channel", () => {
  const rekeys = ({ table }: End) => table.counters.get("links.rekeyed") ?? 0;
  const dropped = ({ table }: End) => [...table.counters].filter(([name]) => name.startsWith("dropped."));
  const say = (from: End, to: typeof ALICE, byte: number) =>
    from.table.send(to.id, { kind: FRAME_KIND.direct, body: Uint8Array.of(byte) }, at(nowMs), byte);
  /** The only datagram of this kind among what leaves now. */
  const leaving = (from: End, kind: number) => {
    const found = from.table.flush(at(nowMs)).filter(({ datagram }) => datagram[0] === kind);
    expect(found).toHaveLength(1);
    return found[0]?.datagram ?? new Uint8Array(0);
  };

  test("are renewed each 120 s by whoever initiated them, and neither end notices", () => {
    agree("c1");
    run(119_000);
    expect([rekeys(ends.alice), rekeys(ends.bob)]).toEqual([0, 0]);
    run(121_000);
    expect([rekeys(ends.alice), rekeys(ends.bob)]).toEqual([1, 1]);
    expect(ends.alice.table.counters.get("hellos.sent")).toBe(1);
    run(1_000_000);
    expect([rekeys(ends.alice), rekeys(ends.bob)]).toEqual([8, 8]);
    expect(ends.bob.table.counters.get("hellos.sent")).toBeUndefined();
    for (const [from, to] of [
      [ends.alice, BOB],
      [ends.bob, ALICE],
    ] as const) {
      say(from, to, 1);
    }
    run(1_001_000);
    expect([frames(ends.alice), frames(ends.bob)]).toEqual([[Uint8Array.of(1)], [Uint8Array.of(1)]]);
    for (const each of [ends.alice, ends.bob]) {
      expect(named(each, "opened")).toHaveLength(1);
      expect(named(each, "closed")).toEqual([]);
      expect(dropped(each)).toEqual([]);
    }
  });

  test("are renewed after so many messages, and what is on its way meanwhile arrives once", () => {
    ends = { alice: end(ALICE, { rekeyAfterMessages: 20 }), bob: end(BOB) };
    agree("c1");
    run(100);
    for (let byte = 0; byte < 100; byte += 1) {
      say(ends.alice, BOB, byte);
      say(ends.bob, ALICE, byte);
      run(nowMs + 123);
    }
    run(nowMs + 1000);
    expect(rekeys(ends.alice)).toBeGreaterThan(1);
    const all = Array.from({ length: 100 }, (_, byte) => Uint8Array.of(byte));
    expect([frames(ends.alice), frames(ends.bob)]).toEqual([all, all]);
    for (const each of [ends.alice, ends.bob]) {
      expect(named(each, "acknowledged")).toHaveLength(100);
      expect(dropped(each)).toEqual([]);
    }
  });

  test("are renewed by the responder where the initiator's Hello does nothing, and by both at once", () => {
    agree("c1");
    run(100);
    // Both slept: at 140 s each finds that its own time is over.
    nowMs = 119_900;
    for (const each of [ends.alice, ends.bob]) {
      each.table.tick(at(nowMs));
      each.table.flush(at(nowMs));
    }
    nowMs = 136_000;
    run(137_000);
    expect([...ends.alice.table.counters].filter(([name]) => name === "hellos.sent")).toEqual([["hellos.sent", 1]]);
    expect(ends.bob.table.counters.get("hellos.sent")).toBe(1);
    expect([rekeys(ends.alice), rekeys(ends.bob)]).toEqual([2, 2]);
    say(ends.alice, BOB, 1);
    say(ends.bob, ALICE, 2);
    run(140_000);
    expect([frames(ends.alice), frames(ends.bob)]).toEqual([[Uint8Array.of(2)], [Uint8Array.of(1)]]);
    for (const each of [ends.alice, ends.bob]) expect(dropped(each)).toEqual([]);
  });

  test("may outlast their 30 s in a slow channel's queue: what nobody can open any more is sent again", () => {
    agree("c1");
    run(119_950);
    queueMs = 45_000;
    for (let byte = 0; byte < 50; byte += 1) {
      say(ends.alice, BOB, byte);
      run(nowMs + 1);
    }
    // Pings go ahead, so the new keys are there long before the last of the old ones.
    queueMs = 0;
    run(164_000);
    const resent = () => ends.alice.table.counters.get("frames.resent") ?? 0;
    expect(resent()).toBe(0);
    say(ends.alice, BOB, 50);
    run(200_000);
    expect(rekeys(ends.bob)).toBe(1);
    expect(frames(ends.bob)).toHaveLength(51);
    expect(named(ends.alice, "acknowledged")).toHaveLength(51);
    expect(dropped(ends.bob)).toEqual([["dropped.unknown-index", 50]]);
    // Each once, and not before something else had overtaken it.
    expect(resent()).toBe(50);
  });

  test("are no older for a Hello that was replayed, bent, another's, or not for this channel", () => {
    agree("c1");
    run(121_000);
    nowMs = 240_100;
    for (const each of [ends.alice, ends.bob]) each.table.tick(at(nowMs));
    const hello = leaving(ends.alice, 0x50);
    ends.bob.table.receive("other", hello, at(nowMs));
    const bent = hello.slice();
    bent[50] = (bent[50] ?? 0) ^ 1;
    ends.bob.table.receive("c1", bent, at(nowMs));
    const another = hello.slice();
    another.set(cryptoOf(identityFromSeed(new Uint8Array(32).fill(3))).initiate(BOB.id, new Uint8Array(0)).message, 5);
    ends.bob.table.receive("c1", another, at(nowMs));
    // Its two turns are used up.
    ends.bob.table.receive("c1", hello, at(nowMs));
    expect(Object.fromEntries(dropped(ends.bob))).toEqual({
      "dropped.unknown-index": 1,
      "dropped.handshake": 2,
      "dropped.rate-limited": 1,
    });
    nowMs = 246_000;
    ends.bob.table.receive("c1", hello, at(nowMs));
    const welcome = leaving(ends.bob, 0x51);
    const wrong = welcome.slice();
    wrong[30] = (wrong[30] ?? 0) ^ 1;
    ends.alice.table.receive("c1", wrong, at(nowMs));
    ends.alice.table.receive("c1", welcome, at(nowMs));
    ends.alice.table.receive("c1", welcome, at(nowMs));
    expect(Object.fromEntries(dropped(ends.alice))).toEqual({ "dropped.handshake": 1, "dropped.welcome-unasked": 1 });
    expect([rekeys(ends.alice), rekeys(ends.bob)]).toEqual([2, 1]);
    run(247_000);
    // A replay makes a session that nobody confirms.
    nowMs = 253_000;
    ends.bob.table.receive("c1", hello, at(nowMs));
    run(260_000);
    expect([rekeys(ends.alice), rekeys(ends.bob)]).toEqual([2, 2]);
    say(ends.bob, ALICE, 1);
    say(ends.alice, BOB, 2);
    run(600_000);
    expect([frames(ends.alice), frames(ends.bob)]).toEqual([[Uint8Array.of(1)], [Uint8Array.of(2)]]);
    expect(rekeys(ends.bob)).toBeGreaterThan(3);
  });

  test("a renewal under way ends with its channel, and the next one has its own", () => {
    agree("c1");
    run(100);
    nowMs = 120_100;
    ends.alice.table.tick(at(nowMs));
    const hello = leaving(ends.alice, 0x50);
    ends.bob.table.receive("c1", hello, at(nowMs));
    const welcome = leaving(ends.bob, 0x51);
    agree("c2");
    run(121_000);
    expect(ends.alice.table.receive("c1", welcome, at(nowMs))).toEqual([]);
    expect(ends.alice.table.receive("c2", welcome, at(nowMs))).toEqual([]);
    expect(rekeys(ends.alice)).toBe(0);
    run(250_000);
    expect([rekeys(ends.alice), rekeys(ends.bob)]).toEqual([1, 1]);
    ends.alice.table.close(BOB.id, new Uint8Array(1), at(nowMs));
    run(251_000);
    expect([ends.alice.table.nextDeadline(), ends.bob.table.nextDeadline()]).toEqual([null, null]);
  });
});
