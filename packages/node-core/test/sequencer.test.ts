import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import type { InboxEntry } from "../src/output.ts";
import { Sequencer } from "../src/sequencer.ts";
import { at, identity, WALL } from "./support.ts";

const ALICE = identity(1).id;

function entry(seq: number, changes: Partial<InboxEntry> = {}): InboxEntry {
  return {
    key: `${ALICE}:${seq}`,
    kind: "message",
    from: ALICE,
    messageId: `${seq}`,
    topic: "",
    content: new Uint8Array(0),
    path: "relayed",
    receivedAtMs: WALL,
    expiresMs: WALL + 1000,
    stream: "s",
    seq,
    lowestUnsettledSeq: 0,
    ...changes,
  };
}
const seqs = (entries: readonly InboxEntry[]) => entries.map(({ seq }) => seq);

describe("sequencer", () => {
  test("a message waits for its predecessor", () => {
    const sequencer = new Sequencer();
    expect(seqs(sequencer.offer(entry(1), at(0)))).toEqual([]);
    expect(seqs(sequencer.offer(entry(2), at(0)))).toEqual([]);
    expect(seqs(sequencer.offer(entry(0), at(0)))).toEqual([0, 1, 2]);
    expect(seqs(sequencer.offer(entry(3), at(0)))).toEqual([3]);
  });

  test("a gap is passed when a later message says that it is settled", () => {
    const sequencer = new Sequencer();
    expect(seqs(sequencer.offer(entry(0), at(0)))).toEqual([0]);
    expect(seqs(sequencer.offer(entry(2), at(0)))).toEqual([]);
    expect(seqs(sequencer.offer(entry(4, { lowestUnsettledSeq: 2 }), at(0)))).toEqual([2]);
    expect(seqs(sequencer.offer(entry(3), at(0)))).toEqual([3, 4]);
    // The one that was given up came after all.
    expect(seqs(sequencer.offer(entry(1), at(0)))).toEqual([1]);
  });

  test("a gap is passed when what waits behind it expires", () => {
    const sequencer = new Sequencer();
    expect(seqs(sequencer.offer(entry(1), at(0)))).toEqual([]);
    expect(seqs(sequencer.offer(entry(3, { expiresMs: WALL + 5000 }), at(0)))).toEqual([]);
    expect(sequencer.nextDeadline()).toBe(1000);
    expect(seqs(sequencer.expire(999))).toEqual([]);
    expect(seqs(sequencer.expire(1000))).toEqual([1]);
    expect(seqs(sequencer.expire(5000))).toEqual([3]);
    expect(sequencer.nextDeadline()).toBeNull();
  });

  test("streams do not wait for each other, and one begins at its lowest open number", () => {
    const sequencer = new Sequencer();
    expect(seqs(sequencer.offer(entry(1), at(0)))).toEqual([]);
    expect(seqs(sequencer.offer(entry(7, { stream: "t", lowestUnsettledSeq: 7 }), at(0)))).toEqual([7]);
    expect(seqs(sequencer.offer(entry(5, { from: identity(2).id, lowestUnsettledSeq: 5 }), at(0)))).toEqual([5]);
  });

  test("at most 256 are held in a stream, and no stream is kept for ever", () => {
    const sequencer = new Sequencer();
    const released: number[] = [];
    for (let seq = 1; seq <= 300; seq += 1) released.push(...seqs(sequencer.offer(entry(seq), at(0))));
    expect(released).toEqual(Array.from({ length: 300 }, (_, i) => i + 1));
    const other = new Sequencer();
    other.offer(entry(1, { stream: "first" }), at(0));
    const evicted: number[] = [];
    for (let i = 0; i < 4096; i += 1) evicted.push(...seqs(other.offer(entry(1, { stream: `${i}` }), at(0))));
    expect(evicted).toEqual([1]);
  });

  test("any order of arrival: all are handed out once, and in order unless a gap was passed", () => {
    fc.assert(
      fc.property(
        fc.shuffledSubarray(
          Array.from({ length: 40 }, (_, i) => i),
          { minLength: 40 },
        ),
        (order) => {
          const sequencer = new Sequencer();
          const handed = order.flatMap((seq) => seqs(sequencer.offer(entry(seq), at(0))));
          expect(handed).toEqual(Array.from({ length: 40 }, (_, i) => i));
        },
      ),
      { seed: 5, numRuns: 100 },
    );
  });
});
