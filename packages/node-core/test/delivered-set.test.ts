import { expect, test } from "@jest/globals";
import type { Now } from "@starling/peer-manager";
import { DeliveredSet } from "../src/delivered-set.ts";
import { WALL } from "./support.ts";

const MONO = 5_000;
const now = (mono: number, wall = mono): Now => ({ mono: MONO + mono, wall: WALL + wall });
const DAY = 86_400_000;

test("a key is kept for 11 minutes of monotonic time, whatever the wall clock says, and then forgotten", () => {
  const set = new DeliveredSet([], now(0));
  set.add("a", WALL, now(0));
  set.purge(now(659_999, DAY));
  expect(set.has("a")).toBe(true);
  set.purge(now(669_998, DAY));
  // The purge before it was less than 10 s ago.
  expect(set.has("a")).toBe(true);
  set.purge(now(669_999, DAY));
  expect(set.has("a")).toBe(false);
});

test("at 11 minutes exactly it is forgotten", () => {
  const set = new DeliveredSet([], now(0));
  set.add("a", WALL, now(0));
  set.purge(now(660_000, DAY));
  expect(set.has("a")).toBe(false);
});

test("a key is kept until wall time is more than 60 s past its expiry, however long it was here", () => {
  const set = new DeliveredSet([], now(0));
  set.add("a", WALL + 1_000, now(0));
  set.purge(now(DAY, 61_000));
  expect(set.has("a")).toBe(true);
  set.purge(now(DAY + 10_000, 61_001));
  expect(set.has("a")).toBe(false);
});

test("it asks to be called each 10 s while it holds anything, and not otherwise", () => {
  const set = new DeliveredSet([], now(0));
  expect(set.nextDeadline()).toBeNull();
  set.add("a", WALL, now(0));
  expect(set.nextDeadline()).toBe(MONO + 10_000);
  set.purge(now(9_999));
  expect(set.nextDeadline()).toBe(MONO + 10_000);
  set.purge(now(12_000));
  expect(set.nextDeadline()).toBe(MONO + 22_000);
});

test("what was restored is had, and as long as what came since; one that must stay keeps nothing else", () => {
  const restored = [
    { key: "long", expiresMs: WALL + DAY },
    { key: "short", expiresMs: WALL },
  ];
  const set = new DeliveredSet(restored, now(0));
  set.add("young", WALL, now(300_000));
  expect([set.has("long"), set.has("short"), set.has("young"), set.has("other")]).toEqual([true, true, true, false]);
  set.purge(now(700_000));
  expect([set.has("long"), set.has("short"), set.has("young")]).toEqual([true, false, true]);
  set.purge(now(960_000));
  expect([set.has("long"), set.has("young")]).toEqual([true, false]);
});

test("262,144 keys, and what is being written counts as one of them", () => {
  const restored = Array.from({ length: 262_142 }, (_, index) => ({ key: String(index), expiresMs: WALL }));
  const set = new DeliveredSet(restored, now(0));
  const hasRoom = (reserved: number) => set.hasRoom("new:1", reserved);
  expect([hasRoom(0), hasRoom(1), hasRoom(2)]).toEqual([true, true, false]);
  set.add("next", WALL, now(0));
  expect([hasRoom(0), hasRoom(1)]).toEqual([true, false]);
  set.add("last", WALL, now(0));
  expect(hasRoom(0)).toBe(false);
});

test("a sender may have as many as are left free, each key counted once and while it is there", () => {
  const restored = Array.from({ length: 131_071 }, (_, index) => ({ key: `a:${index}`, expiresMs: WALL }));
  const set = new DeliveredSet(restored, now(0));
  set.add("a:0", WALL, now(0));
  expect([set.hasRoom("a:new", 1), set.hasRoom("a:new", 2)]).toEqual([true, false]);
  set.add("a:new", WALL, now(0));
  expect([set.hasRoom("a:more", 0), set.hasRoom("b:1", 0)]).toEqual([false, true]);
  set.purge(now(660_000, DAY));
  expect(set.hasRoom("a:more", 262_143)).toBe(true);
});
