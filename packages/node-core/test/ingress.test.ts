import { beforeEach, describe, expect, test } from "@jest/globals";
import { RotatingFilter } from "@starling/bloom";
import { envelopeDigest } from "@starling/wire-protocol";
import { DEFAULT_FORWARD_LIMITS, ForwardQuota } from "../src/forward-quota.ts";
import { Freshness } from "../src/freshness.ts";
import { type IngressState, judge } from "../src/ingress.ts";
import { at, attempt, counterRandom, FLOOR, identity, sendOf, WALL } from "./support.ts";

const ALICE = identity(1);
const BOB = identity(2);
const LINK = identity(3).id;
const ROTATION_MS = 180_000;

let state: IngressState;
let pending: Set<string>;
let room: boolean;

beforeEach(() => {
  pending = new Set();
  room = true;
  state = {
    network: "test",
    freshness: new Freshness(WALL),
    seen: new RotatingFilter({
      rotationMs: ROTATION_MS,
      initialCapacity: 1000,
      maxCapacity: 4000,
      errorRate: 1e-9,
      key: new Uint8Array(16).fill(9),
      nowMs: 0,
    }),
    quota: new ForwardQuota({ ...DEFAULT_FORWARD_LIMITS, link: { messagesPerSecond: 10, bytesPerSecond: 10_000 } }, 0),
    floor: () => FLOOR,
    isPending: (id) => pending.has(id),
    hasRoomFor: () => room,
  };
});

const random = counterRandom();
const send = (timestampMs = WALL, effort = FLOOR) =>
  sendOf(attempt({ from: ALICE, to: BOB, timestampMs, effort, random }));

describe("the ladder", () => {
  test("a fresh stamped Send is admitted once; again it is seen, or pending while it is carried", () => {
    const one = send();
    const first = judge(state, LINK, one, at(0));
    expect(first).toMatchObject({ type: "admitted" });
    expect(judge(state, LINK, one, at(1))).toMatchObject({ type: "seen" });
    if (first.type === "admitted") pending.add(first.id);
    expect(judge(state, LINK, one, at(2))).toMatchObject({ type: "pending" });
  });

  test("nothing of what is refused is committed: afterwards the same Send is still new", () => {
    const one = send();
    const forged = { ...one, envelope: { ...one.envelope, nonce: new Uint8Array(8).fill(0xee) } };
    expect(judge(state, LINK, forged, at(0))).toEqual({ type: "refused", reason: "bad-stamp", detail: 0 });
    expect(judge({ ...state, floor: () => FLOOR + 1 }, LINK, one, at(0))).toEqual({
      type: "refused",
      reason: "price",
      detail: FLOOR + 1,
    });
    room = false;
    expect(judge(state, LINK, one, at(0))).toMatchObject({ type: "refused", reason: "shed" });
    room = true;
    expect(judge(state, LINK, one, at(0))).toMatchObject({ type: "admitted" });
  });

  test("a changed envelope has another digest: its stamp is no longer one", () => {
    let refused = 0;
    for (let byte = 0; byte < 40; byte += 1) {
      const one = send();
      const encodedEnvelope = one.encodedEnvelope.slice();
      encodedEnvelope[90 + byte] = (encodedEnvelope[90 + byte] ?? 0) ^ 1;
      const verdict = judge(state, LINK, { ...one, encodedEnvelope }, at(0));
      if (verdict.type === "refused" && verdict.reason === "bad-stamp") refused += 1;
    }
    // One in FLOOR random digests satisfies the stamp by luck.
    expect(refused).toBeGreaterThan(40 * (1 - 4 / FLOOR));
  });

  test("a link's quota sheds what is over it, and only that link's", () => {
    const verdicts = Array.from({ length: 30 }, () => judge(state, LINK, send(), at(0)).type);
    expect(verdicts.filter((type) => type === "admitted")).toHaveLength(20);
    expect(judge(state, identity(4).id, send(), at(0)).type).toBe("admitted");
    expect(judge(state, LINK, send(), at(100)).type).toBe("admitted");
    expect(judge(state, LINK, send(), at(100)).type).toBe("refused");
  });

  test("a filter at its hard cap sheds and forgets nothing", () => {
    const open = {
      ...state,
      quota: new ForwardQuota({ ...DEFAULT_FORWARD_LIMITS, link: { messagesPerSecond: 1e6, bytesPerSecond: 1e9 } }, 0),
    };
    const tiny = {
      ...open,
      seen: new RotatingFilter({
        rotationMs: ROTATION_MS,
        initialCapacity: 8,
        maxCapacity: 16,
        errorRate: 1e-9,
        key: new Uint8Array(16),
        nowMs: 0,
      }),
    };
    const sends = Array.from({ length: 24 }, () => send());
    const verdicts = sends.map((one) => judge(tiny, LINK, one, at(0)));
    const admitted = sends.filter((_, i) => verdicts[i]?.type === "admitted");
    expect(admitted.length).toBeLessThan(24);
    for (const one of admitted) expect(judge(tiny, LINK, one, at(1)).type).toBe("seen");
  });
});

describe("freshness", () => {
  test("90 s behind and 30 s ahead, never before the process's start", () => {
    expect(judge(state, LINK, send(WALL - 1), at(0))).toEqual({ type: "refused", reason: "stale", detail: WALL });
    expect(judge(state, LINK, send(WALL + 30_001), at(0))).toMatchObject({ type: "refused", reason: "stale" });
    expect(judge(state, LINK, send(WALL + 30_000), at(0)).type).toBe("admitted");
    expect(judge(state, LINK, send(WALL + 9_999), at(100_000))).toEqual({
      type: "refused",
      reason: "stale",
      detail: WALL + 10_000,
    });
    expect(judge(state, LINK, send(WALL + 10_000), at(100_000)).type).toBe("admitted");
  });

  test("whatever is still fresh is still remembered, across every rotation", () => {
    const sent: ReturnType<typeof send>[] = [];
    for (let ms = 0; ms <= 900_000; ms += 15_000) {
      state.seen.advance(ms);
      const one = send(WALL + ms + 30_000);
      expect(judge(state, LINK, one, at(ms)).type).toBe("admitted");
      sent.push(one);
      for (const old of sent) {
        const verdict = judge(state, LINK, old, at(ms));
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
    expect(freshness.boundMs(WALL)).toBe(WALL);
    expect(freshness.clockSteps).toBe(1);
  });

  test("a persisted bound of a life before this one holds", () => {
    expect(new Freshness(WALL + 20_000).judge(WALL + 10_000, WALL)).toBe("stale");
  });
});

test("the digest under the stamp is bound to the network", () => {
  const one = send();
  expect(judge({ ...state, network: "another" }, LINK, one, at(0))).toMatchObject({ reason: "bad-stamp" });
  expect(envelopeDigest("another", one.encodedEnvelope)).not.toEqual(envelopeDigest("test", one.encodedEnvelope));
});
