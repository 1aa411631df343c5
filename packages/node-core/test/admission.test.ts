import { beforeEach, describe, expect, test } from "@jest/globals";
import { MAX_EFFORT } from "@starling/hashcash";
import type { Now } from "@starling/peer-manager";
import { decodePublication, envelopeDigest, type Send } from "@starling/wire-protocol";
import { Admission, type AdmissionOptions, type Decision } from "../src/admission.ts";
import { DEFAULT_FORWARD_LIMITS } from "../src/forward-quota.ts";
import { Freshness } from "../src/freshness.ts";
import { effortAt } from "../src/ingress.ts";
import { at, attempt, counterRandom, FLOOR, identity, publishOf, sendOf, WALL } from "./support.ts";

const ALICE = identity(1);
const BOB = identity(2);
const LINK = identity(3).id;
const OTHER = identity(4).id;
const PUBLISH_FLOOR = 4 * FLOOR;

let admission: Admission;
let options: AdmissionOptions;
let pending: Set<string>;
let room: boolean;

beforeEach(() => {
  pending = new Set();
  room = true;
  options = {
    network: "test",
    quota: { ...DEFAULT_FORWARD_LIMITS, link: { messagesPerSecond: 10, bytesPerSecond: 10_000 } },
    random: counterRandom(),
    floor: () => FLOOR,
    publishFloor: () => PUBLISH_FLOOR,
    freshness: new Freshness(WALL),
    seenMax: 4000,
    isPending: (id) => pending.has(id),
    hasRoomFor: () => room,
  };
  admission = new Admission(options, at(0));
});

/** What becomes of a Send where nothing waits. */
function judge(to: Admission, from: typeof LINK, one: Send, now: Now): Decision["verdict"] {
  const [first, ...others] = to.send(from, one, now);
  expect(others).toEqual([]);
  return first?.verdict as Decision["verdict"];
}

const random = counterRandom();
const send = (timestampMs = WALL, effort = FLOOR) =>
  sendOf(attempt({ from: ALICE, to: BOB, timestampMs, effort, random }));

describe("the ladder", () => {
  test("a fresh stamped Send is admitted once; again it is seen, or pending while it is carried", () => {
    const one = send();
    const first = judge(admission, LINK, one, at(0));
    expect(first).toMatchObject({ type: "admitted" });
    expect(judge(admission, LINK, one, at(1))).toMatchObject({ type: "seen" });
    if (first.type === "admitted") pending.add(first.id);
    expect(judge(admission, LINK, one, at(2))).toMatchObject({ type: "pending" });
  });

  test("nothing of what is refused is committed: afterwards the same Send is still new", () => {
    const one = send();
    const forged = { ...one, envelope: { ...one.envelope, nonce: new Uint8Array(8).fill(0xee) } };
    expect(judge(admission, LINK, forged, at(0))).toEqual({ type: "refused", reason: "bad-stamp", detail: 0 });
    expect(judge(new Admission({ ...options, floor: () => FLOOR + 1 }, at(0)), LINK, one, at(0))).toEqual({
      type: "refused",
      reason: "price",
      detail: FLOOR + 1,
    });
    room = false;
    expect(judge(admission, LINK, one, at(0))).toMatchObject({ type: "refused", reason: "shed" });
    room = true;
    expect(judge(admission, LINK, one, at(0))).toMatchObject({ type: "admitted" });
  });

  test("a changed envelope has another digest: its stamp is no longer one", () => {
    let refused = 0;
    for (let byte = 0; byte < 40; byte += 1) {
      const one = send();
      const encodedEnvelope = one.encodedEnvelope.slice();
      encodedEnvelope[90 + byte] = (encodedEnvelope[90 + byte] ?? 0) ^ 1;
      const verdict = judge(admission, LINK, { ...one, encodedEnvelope }, at(0));
      if (verdict.type === "refused" && verdict.reason === "bad-stamp") refused += 1;
    }
    // One in FLOOR random digests satisfies the stamp by luck.
    expect(refused).toBeGreaterThan(40 * (1 - 4 / FLOOR));
  });

  test("a filter at its hard cap sheds and forgets nothing", () => {
    const tiny = new Admission({ ...options, quota: DEFAULT_FORWARD_LIMITS, seenMax: 16 }, at(0));
    const sends = Array.from({ length: 24 }, () => send());
    const verdicts = sends.map((one) => judge(tiny, LINK, one, at(0)));
    const admitted = sends.filter((_, i) => verdicts[i]?.type === "admitted");
    expect(admitted.length).toBeLessThan(24);
    for (const one of admitted) expect(judge(tiny, LINK, one, at(1)).type).toBe("seen");
  });
});

describe("freshness", () => {
  test("90 s behind and 30 s ahead, never before the process's start", () => {
    expect(judge(admission, LINK, send(WALL - 1), at(0))).toEqual({ type: "refused", reason: "stale", detail: WALL });
    expect(judge(admission, LINK, send(WALL + 30_001), at(0))).toMatchObject({ type: "refused", reason: "stale" });
    expect(judge(admission, LINK, send(WALL + 30_000), at(0)).type).toBe("admitted");
    expect(judge(admission, LINK, send(WALL + 9_999), at(100_000))).toEqual({
      type: "refused",
      reason: "stale",
      detail: WALL + 10_000,
    });
    expect(judge(admission, LINK, send(WALL + 10_000), at(100_000)).type).toBe("admitted");
  });

  test("whatever is still fresh is still remembered, across every rotation", () => {
    const sent: ReturnType<typeof send>[] = [];
    for (let ms = 0; ms <= 900_000; ms += 15_000) {
      admission.tick(at(ms));
      const one = send(WALL + ms + 30_000);
      expect(judge(admission, LINK, one, at(ms)).type).toBe("admitted");
      sent.push(one);
      for (const old of sent) {
        const verdict = judge(admission, LINK, old, at(ms));
        expect(["seen", "refused"]).toContain(verdict.type);
        if (verdict.type === "refused") expect(verdict.reason).toBe("stale");
      }
    }
  });

  test("the bound does not move back with the clock, and one far ahead is reset and counted", () => {
    const freshness = new Freshness(WALL);
    expect(freshness.boundMs(WALL + 200_000)).toBe(WALL + 110_000);
    expect(freshness.boundMs(WALL + 150_000)).toBe(WALL + 110_000);
    expect(freshness.clockSteps).toBe(0);
    expect(freshness.boundMs(WALL - 40_000)).toBe(WALL + 110_000);
    expect(freshness.clockSteps).toBe(0);
    expect(freshness.boundMs(WALL - 40_001)).toBe(WALL - 40_001);
    expect(freshness.clockSteps).toBe(1);
  });

  test("what is saved for the next start is the latest time seen; it moves back only where the bound is reset", () => {
    const freshness = new Freshness(WALL);
    expect(freshness.toSaveMs(WALL + 10_000)).toBe(WALL + 10_000);
    expect(freshness.toSaveMs(WALL + 500)).toBe(WALL + 10_000);
    expect(freshness.toSaveMs(WALL + 100_000)).toBe(WALL + 100_000);
    expect(freshness.toSaveMs(WALL - 140_000)).toBe(WALL + 100_000);
    expect(freshness.clockSteps).toBe(0);
    expect(freshness.toSaveMs(WALL - 140_001)).toBe(WALL - 140_001);
    expect(freshness.clockSteps).toBe(1);
  });

  test("a persisted bound of a life before this one holds", () => {
    expect(new Freshness(WALL + 20_000).judge(WALL + 10_000, WALL)).toBe("stale");
  });
});

test("the digest under the stamp is bound to the network", () => {
  const another = new Admission({ ...options, network: "another", quota: DEFAULT_FORWARD_LIMITS }, at(0));
  const sends = Array.from({ length: 40 }, () => send());
  const admitted = sends.filter((one) => judge(another, LINK, one, at(0)).type === "admitted");
  // One in FLOOR random digests satisfies the stamp by luck.
  expect(admitted.length).toBeLessThan(40 / 4);
  for (const { encodedEnvelope } of sends) {
    expect(envelopeDigest("another", encodedEnvelope)).not.toEqual(envelopeDigest("test", encodedEnvelope));
  }
});

describe("where more comes than is carried", () => {
  const PER_SECOND = 10;
  const congested = () =>
    new Admission(
      {
        ...options,
        quota: { ...DEFAULT_FORWARD_LIMITS, total: { messagesPerSecond: PER_SECOND, bytesPerSecond: 1e9 } },
      },
      at(0),
    );
  const verdicts = (decisions: readonly Decision[]) => decisions.map(({ verdict }) => verdict.type);
  const bid = (multiple: number) => send(WALL, FLOOR * multiple);

  test("what fits is carried in the same step; what does not waits for its turn, the dearest of a link first", () => {
    admission = congested();
    expect(judge(admission, LINK, bid(1), at(0)).type).toBe("admitted");
    expect(admission.nextDeadline()).toBeNull();
    for (const multiple of [2, 4, 3]) expect(admission.send(LINK, bid(multiple), at(1))).toEqual([]);
    expect(admission.send(OTHER, bid(1), at(1))).toEqual([]);
    expect(admission.waitingCount).toBe(4);
    const efforts: number[] = [];
    for (let due = admission.nextDeadline(); due !== null; due = admission.nextDeadline()) {
      for (const decision of admission.tick(at(Math.ceil(due)))) {
        expect(decision.verdict.type).toBe("admitted");
        if (decision.kind === "send") efforts.push(decision.send.envelope.effort / FLOOR);
      }
    }
    expect(efforts).toEqual([4, 1, 3, 2]);
  });

  test("what is shed is not committed, and is told what to pay", () => {
    admission = congested();
    judge(admission, LINK, bid(1), at(0));
    const cheapest = bid(1);
    expect(admission.send(LINK, cheapest, at(0))).toEqual([]);
    for (let i = 0; i < 15; i += 1) expect(admission.send(LINK, bid(2), at(0))).toEqual([]);
    const [shed, ...more] = admission.send(LINK, bid(2), at(0));
    expect(more).toEqual([]);
    expect(shed).toMatchObject({
      kind: "send",
      from: LINK,
      verdict: { reason: "shed", limit: "total", detail: FLOOR },
    });
    if (shed?.kind === "send") expect(shed.send.encodedEnvelope).toEqual(cheapest.encodedEnvelope);
    // Those that waited too long go as well; then the same Send is as new as ever.
    expect(verdicts(admission.tick(at(5000))).filter((type) => type === "refused")).toHaveLength(16);
    expect(judge(admission, LINK, cheapest, at(6000)).type).toBe("admitted");
  });

  test("the price of the congested link rises, is asked before anything is hashed, and falls again", () => {
    admission = congested();
    const dear = 50;
    for (let ms = 0; ms < 8000; ms += 40) {
      admission.send(LINK, bid(dear), at(ms));
      admission.tick(at(ms));
    }
    const price = admission.price(LINK, 8000);
    expect(price).toBeGreaterThan(dear / 2);
    expect(price).toBeLessThanOrEqual(dear);
    expect(admission.highestPrice(8000)).toBe(price);
    expect(admission.price(OTHER, 8000)).toBe(1);
    const cheap = bid(2);
    const unstamped = { ...cheap, envelope: { ...cheap.envelope, nonce: new Uint8Array(8) } };
    for (const one of [cheap, unstamped]) {
      expect(admission.send(LINK, one, at(8000))).toMatchObject([
        { verdict: { type: "refused", reason: "price", detail: Math.ceil(FLOOR * price) } },
      ]);
    }
    admission.tick(at(9000));
    expect(admission.price(LINK, 60_000)).toBe(1);
    expect(judge(admission, LINK, send(WALL + 60_000), at(60_000)).type).toBe("admitted");
  });

  test("no effort that can be claimed makes a price that cannot be written down", () => {
    expect(effortAt(1e14, FLOOR)).toBe(MAX_EFFORT);
  });

  test("a copy of what waits is a repeat on its link; over another one it joins the first", () => {
    admission = congested();
    judge(admission, LINK, bid(1), at(0));
    const one = bid(3);
    expect(admission.send(LINK, one, at(0))).toEqual([]);
    expect(verdicts(admission.send(LINK, one, at(0)))).toEqual(["waiting"]);
    expect(admission.send(OTHER, one, at(0))).toEqual([]);
    const [first] = admission.tick(at(100));
    expect(first).toMatchObject({ from: LINK, verdict: { type: "admitted" } });
    if (first?.verdict.type === "admitted") pending.add(first.verdict.id);
    expect(admission.tick(at(200))).toMatchObject([{ from: OTHER, verdict: { type: "pending" } }]);
  });

  test("what waits is its own: the bytes it came in may change, and a link that is gone takes it along", () => {
    admission = congested();
    judge(admission, LINK, bid(1), at(0));
    const one = bid(2);
    const before = one.encodedEnvelope.slice();
    admission.send(LINK, one, at(0));
    const { buffer, byteOffset, byteLength } = one.encodedEnvelope;
    new Uint8Array(buffer, byteOffset, byteLength).fill(0);
    const [served] = admission.tick(at(100));
    if (served?.kind !== "send") throw new Error("nothing was served");
    expect(served.send.encodedEnvelope).toEqual(before);
    admission.send(LINK, bid(2), at(100));
    admission.closed(LINK);
    expect([admission.waitingCount, admission.nextDeadline()]).toEqual([0, null]);
  });

  test("a Publish waits in the same queue, and is signed before it does", () => {
    admission = congested();
    const publish = (text: string) => publishOf({ from: ALICE, effort: PUBLISH_FLOOR, text, random });
    expect(verdicts(admission.publish(LINK, publish("first"), at(0)))).toEqual(["admitted"]);
    const forged = publish("forged");
    const encoded = forged.publication.encoded.slice();
    encoded[60] = (encoded[60] ?? 0) ^ 1;
    const read = decodePublication(encoded);
    if (!read.ok) throw new Error(read.reason);
    expect(admission.publish(LINK, { ...forged, publication: read.value }, at(0))).toMatchObject([
      { verdict: { reason: "signature" } },
    ]);
    const second = publish("second");
    expect(admission.publish(LINK, second, at(0))).toEqual([]);
    expect(admission.publish(OTHER, second, at(0))).toEqual([]);
    expect(admission.tick(at(100))).toMatchObject([{ kind: "publish", from: LINK, verdict: { type: "admitted" } }]);
    expect(admission.tick(at(200))).toMatchObject([{ from: OTHER, verdict: { type: "repeated" } }]);
  });
});

describe("the quota of a link", () => {
  test("what is over it waits for it, and only what comes over that link", () => {
    const { kind } = admission.send(LINK, send(), at(0))[0] as Decision;
    expect(kind).toBe("send");
    for (let i = 0; i < 19; i += 1) expect(judge(admission, LINK, send(), at(0)).type).toBe("admitted");
    expect(admission.send(LINK, send(), at(0))).toEqual([]);
    expect(admission.send(OTHER, send(), at(0)).map(({ verdict }) => verdict.type)).toEqual(["admitted"]);
    expect(admission.tick(at(50))).toEqual([]);
    expect(admission.tick(at(100))).toHaveLength(1);
  });
});

describe("the last rungs", () => {
  const total = { ...DEFAULT_FORWARD_LIMITS, link: { messagesPerSecond: 10, bytesPerSecond: 10_000 } };
  const shed = (limit: string, detail: number) => ({ type: "refused", reason: "shed", limit, detail });
  const publish = (text: string) => publishOf({ from: ALICE, effort: PUBLISH_FLOOR, text, random });

  test("no room in the table sheds a Send, and asks neither link nor quota; a Publish needs none", () => {
    const asked: [string, number][] = [];
    admission = new Admission(
      {
        ...options,
        hasRoomFor: (from, sizeBytes) => {
          asked.push([from, sizeBytes]);
          return false;
        },
      },
      at(0),
    );
    const one = send();
    expect(judge(admission, LINK, one, at(0))).toEqual(shed("table", FLOOR));
    expect(asked).toEqual([[LINK, one.encodedEnvelope.length]]);
    expect(admission.recipientCount).toBe(0);
    expect(admission.publish(LINK, publish("news"), at(0))).toMatchObject([{ verdict: { type: "admitted" } }]);
  });

  test("a recipient who is sent too much is said to be the limit; other recipients have their own", () => {
    const recipient = { messagesPerSecond: 1, bytesPerSecond: 10_000 };
    admission = new Admission({ ...options, quota: { ...total, recipient } }, at(0));
    const verdicts = Array.from({ length: 4 }, () => judge(admission, LINK, send(), at(0)));
    expect(verdicts.at(-1)).toEqual(shed("recipient", FLOOR));
    expect(admission.recipientCount).toBe(1);
    const toCarol = sendOf(attempt({ from: ALICE, to: identity(9), random }));
    expect(judge(admission, LINK, toCarol, at(0)).type).toBe("admitted");
    expect(admission.recipientCount).toBe(2);
  });

  test("what a filter at its cap sheds is told the floor of its own kind, and told what it is", () => {
    admission = new Admission({ ...options, quota: DEFAULT_FORWARD_LIMITS, seenMax: 16 }, at(0));
    let verdict: unknown;
    for (let i = 0; i < 40; i += 1) [{ verdict }] = admission.publish(LINK, publish(`news ${i}`), at(0)) as [Decision];
    expect(verdict).toEqual(shed("seen", PUBLISH_FLOOR));
    expect(admission.send(LINK, send(), at(0))).toMatchObject([{ kind: "send", verdict: shed("seen", FLOOR) }]);
  });

  test("the filter starts with room for what it may hold at most, and grows beyond what it starts with", () => {
    const bytesFor = (seenMax: number | undefined) => {
      const filled = new Admission({ ...options, seenMax }, at(0));
      filled.note(new Uint8Array(32), at(0));
      return filled.seenFilterBytes;
    };
    expect(bytesFor(8_000)).toBeGreaterThan(bytesFor(4_000));
    expect(bytesFor(8_192)).toBeGreaterThan(bytesFor(8_100));
    // A larger filter later costs some bits of each message from the first on, but no room is taken for it yet.
    for (const more of [1_000_000, undefined]) expect(bytesFor(more)).toBeLessThan(1.1 * bytesFor(8_192));
  });

  test("a message of our own is known when it comes back", () => {
    const one = send();
    admission.note(envelopeDigest("test", one.encodedEnvelope), at(0));
    expect(judge(admission, LINK, one, at(0)).type).toBe("seen");
  });

  test("repeats that are answered: five a second and link, and a link that is gone begins anew", () => {
    const admitted = (link: typeof LINK, nowMono: number) => admission.admitRepeat(link, nowMono);
    expect(Array.from({ length: 6 }, () => admitted(LINK, 0))).toEqual([true, true, true, true, true, false]);
    expect(admitted(OTHER, 0)).toBe(true);
    expect(admitted(LINK, 200)).toBe(true);
    expect(admitted(LINK, 200)).toBe(false);
    admission.closed(LINK);
    expect(admitted(LINK, 200)).toBe(true);
  });

  test("what is seen after three minutes is still seen after three more, and then no longer", () => {
    const one = send();
    const digest = envelopeDigest("test", one.encodedEnvelope);
    const isSeenAt = (ms: number) => {
      const later = new Freshness(0);
      const standing = new Admission({ ...options, freshness: later }, at(0));
      standing.note(digest, at(0));
      for (let now = 0; now <= ms; now += 1000) standing.tick(at(now));
      return judge(standing, LINK, one, { mono: ms, wall: WALL }).type;
    };
    expect([isSeenAt(180_000), isSeenAt(359_000), isSeenAt(360_000)]).toEqual(["seen", "seen", "admitted"]);
  });

  test("one that waited and was carried meanwhile is seen when its turn comes, or a repeat", () => {
    const quota = { ...DEFAULT_FORWARD_LIMITS, total: { messagesPerSecond: 10, bytesPerSecond: 1e9 } };
    admission = new Admission({ ...options, quota }, at(0));
    judge(admission, LINK, send(), at(0));
    const one = send();
    expect(admission.send(LINK, one, at(0))).toEqual([]);
    admission.note(envelopeDigest("test", one.encodedEnvelope), at(1));
    expect(admission.tick(at(100))).toMatchObject([{ kind: "send", from: LINK, verdict: { type: "seen" } }]);
  });

  test("a Publish that waits is its own: the bytes that it came in may change", () => {
    const quota = { ...DEFAULT_FORWARD_LIMITS, total: { messagesPerSecond: 10, bytesPerSecond: 1e9 } };
    admission = new Admission({ ...options, quota }, at(0));
    judge(admission, LINK, send(), at(0));
    const one = publish("news");
    const before = one.publication.encoded.slice();
    expect(admission.publish(LINK, one, at(0))).toEqual([]);
    expect(admission.publish(LINK, one, at(0))).toMatchObject([{ kind: "publish", verdict: { type: "waiting" } }]);
    one.publication.encoded.fill(0);
    const [served] = admission.tick(at(100));
    if (served?.kind !== "publish") throw new Error("nothing was served");
    expect(served.publish.publication.encoded).toEqual(before);
    expect(new TextDecoder().decode(served.publish.publication.content)).toBe("news");
  });
});
