import { beforeEach, describe, expect, test } from "@jest/globals";
import type { NodeId } from "@starling/crypto-identity";
import { ChannelUses } from "../src/channel-uses.ts";
import { identity } from "./support.ts";

const PEERS: readonly NodeId[] = Array.from({ length: 12 }, (_, i) => identity(i + 1).id);
const [A, B, C, D] = PEERS as [NodeId, NodeId, NodeId, NodeId];
const SECOND = 1000;
const MINUTE = 60 * SECOND;

let there: Set<NodeId>;
let rtts: Map<NodeId, number>;

beforeEach(() => {
  there = new Set(PEERS);
  rtts = new Map();
});

function uses(max: number): ChannelUses {
  return new ChannelUses({ max, isThere: (peer) => there.has(peer), rttMs: (peer) => rtts.get(peer) });
}

describe("an idle channel", () => {
  test("is found ten minutes after its last use, and time alone asks for the look", () => {
    const channels = uses(8);
    expect(channels.nextDeadline()).toBe(Number.POSITIVE_INFINITY);
    channels.begun(A, true, 0);
    channels.begun(B, false, 0);
    channels.used(B, 5 * MINUTE);
    expect(channels.idle(() => 3, 10 * MINUTE - 1)).toEqual([]);
    expect(channels.nextDeadline()).toBe(10 * MINUTE);
    expect(channels.idle(() => 3, 10 * MINUTE)).toEqual([A]);
    there.delete(A);
    // What was just found should be gone when it looks again, in a minute.
    expect(channels.idle(() => 3, channels.nextDeadline())).toEqual([]);
    expect(channels.nextDeadline()).toBe(15 * MINUTE);
    expect(channels.idle(() => 3, 15 * MINUTE)).toEqual([B]);
    there.delete(B);
    expect(channels.idle(() => 3, channels.nextDeadline())).toEqual([]);
    expect(channels.nextDeadline()).toBe(Number.POSITIVE_INFINITY);
  });

  test("stays in a network of more than 16 nodes while it is among the eight with the shortest round trips", () => {
    const channels = uses(16);
    PEERS.forEach((peer, i) => {
      channels.begun(peer, true, 0);
      rtts.set(peer, 100 - i);
    });
    expect(channels.idle(() => 16, 10 * MINUTE)).toEqual(PEERS.slice(0, 4));
    for (const peer of PEERS.slice(0, 4)) there.delete(peer);
    // Looked at again in a minute, and not all the time.
    expect(channels.nextDeadline()).toBe(11 * MINUTE);
    expect(channels.idle(() => 16, 11 * MINUTE)).toEqual([]);
    // The network has shrunk.
    expect(channels.idle(() => 15, 12 * MINUTE)).toEqual(PEERS.slice(4));
  });
});

describe("room for one more", () => {
  test("a quarter is kept for others' wish, and a quarter for our own", () => {
    for (const isOwn of [true, false]) {
      const channels = uses(4);
      for (const peer of [A, B, C]) {
        expect(channels.hasRoom(isOwn, 0)).toBe(true);
        channels.begun(peer, isOwn, 0);
      }
      expect([channels.hasRoom(isOwn, 0), channels.hasRoom(!isOwn, 0)]).toEqual([false, true]);
      channels.begun(D, !isOwn, 0);
      expect([channels.hasRoom(isOwn, 0), channels.hasRoom(!isOwn, 0)]).toEqual([false, false]);
    }
  });

  test("one of a minute or more gives way to our own wish: others' first, then what was not used for longest", () => {
    const channels = uses(4);
    for (const peer of [A, B, C]) channels.begun(peer, false, 0);
    channels.begun(D, true, 0);
    for (const peer of [D, B, A, C]) channels.used(peer, 59 * SECOND + PEERS.indexOf(peer));
    expect(channels.givesWay(true, MINUTE - 1)).toBeUndefined();
    expect(channels.givesWay(true, MINUTE)).toBe(A);
    there.delete(A);
    expect(channels.givesWay(true, MINUTE)).toBeUndefined();
    expect(channels.hasRoom(true, MINUTE)).toBe(true);
  });

  test("what takes our own share gives way to our own only", () => {
    const channels = uses(4);
    for (const peer of [A, B, C]) channels.begun(peer, true, 0);
    channels.begun(D, false, 0);
    expect(channels.givesWay(true, MINUTE)).toBe(A);
    expect(channels.givesWay(false, MINUTE)).toBe(D);
  });

  test("others' wish closes none of our own, and none that was used within a minute", () => {
    const channels = uses(2);
    channels.begun(A, true, 0);
    channels.begun(B, false, 0);
    channels.used(B, 30 * SECOND);
    expect(channels.hasRoom(false, 89 * SECOND)).toBe(false);
    expect(channels.givesWay(false, 90 * SECOND)).toBe(B);
    expect(channels.hasRoom(false, 90 * SECOND)).toBe(true);
  });

  test("a second channel to the same peer makes it no younger, and takes no room", () => {
    const channels = uses(2);
    channels.begun(A, true, 0);
    channels.begun(A, true, 50 * SECOND);
    expect(channels.hasRoom(true, MINUTE)).toBe(true);
    channels.begun(B, true, MINUTE);
    expect(channels.givesWay(true, MINUTE)).toBe(A);
  });
});
