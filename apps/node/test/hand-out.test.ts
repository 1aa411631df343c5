import { describe, expect, test } from "@jest/globals";
import { identityFromSeed } from "@starling/crypto-identity";
import type { LocalEvent } from "@starling/local-client/server";
import type { InboxEntry } from "@starling/node-core";
import { HandOut } from "../src/inbox/hand-out.ts";

const from = identityFromSeed(new Uint8Array(32).fill(1)).id;

function entry(i: number, topic: string, sizeBytes = 0): InboxEntry {
  return {
    key: `${from}:${i}`,
    kind: "message",
    from,
    messageId: `${i}`,
    topic,
    content: new Uint8Array(sizeBytes),
    path: "relayed",
    receivedAtMs: 0,
    expiresMs: 0,
    stream: "00",
    seq: i,
    lowestUnsettledSeq: 0,
  };
}

/** Programs that want these topics, of which some are behind with reading; and what was done, in its order. */
function programs(topics: string[] = [], congested: string[] = []) {
  const done: string[] = [];
  const topicOf = (event: LocalEvent) => ("topic" in event ? event.topic : "");
  const state = { topics, congested, onPublish: () => {}, acknowledges: false };
  const handOut = new HandOut({
    server: {
      demand: (event) => {
        const topic = topicOf(event);
        if (!state.topics.includes(topic)) return "nobody";
        return state.congested.includes(topic) ? "congested" : "ready";
      },
      publish: (event) => {
        done.push(`publish ${"messageId" in event ? event.messageId : ""}`);
        state.onPublish();
      },
      hasSubscriber: (type) => type === "message" && state.topics.length > 0,
      acknowledges: () => state.acknowledges,
    },
    note: ({ out = [] }) => done.push(...out.map((key) => `out ${key.slice(from.length + 1)}`)),
    setListening: (on, except) => done.push([on ? "listening" : "not listening", ...except].join(" but ")),
    given: new Set(),
    age: { sweep: (waiting) => waiting.filter(({ topic }) => topic === "old") },
  });
  const published = () => done.filter((step) => step.startsWith("publish")).map((step) => Number(step.slice(8)));
  return { handOut, state, done, published };
}

describe("handing messages out", () => {
  test("each is noted on disk before it goes to a program", () => {
    const { handOut, done } = programs(["a"]);
    handOut.take([entry(1, "a")]);
    expect(done).toEqual(["out 1", "publish 1", "listening"]);
  });

  test("those that come together are noted together", () => {
    const { handOut, done } = programs(["a"]);
    handOut.take([0, 1, 2].map((i) => entry(i, i === 1 ? "b" : "a")));
    expect(done).toEqual(["out 0", "out 2", "publish 0", "publish 2", "listening"]);
    expect(handOut.heldCount).toBe(1);
  });

  test("a hundred large ones go until the program is behind, and no further", () => {
    const { handOut, state, published } = programs(["a"]);
    state.onPublish = () => {
      if (published().length >= 10) state.congested = ["a"];
    };
    handOut.take(Array.from({ length: 100 }, (_, i) => entry(i, "a", 8000)));
    expect(published()).toEqual(Array.from({ length: published().length }, (_, i) => i));
    expect(published().length).toBeLessThan(20);
    expect(handOut.heldCount).toBe(100 - published().length);
  });

  test("a topic that nobody listens to holds up no other, and goes in order to who comes for it", () => {
    const { handOut, state, published } = programs(["a"]);
    for (const [i, topic] of [..."ababba"].entries()) handOut.take([entry(i, topic)]);
    expect(published()).toEqual([0, 2, 5]);
    expect(handOut.heldCount).toBe(3);
    state.topics = ["b"];
    handOut.onInterest();
    expect(published()).toEqual([0, 2, 5, 1, 3, 4]);
    expect(handOut.heldCount).toBe(0);
  });

  test("what waits too long is done with and counted, the rest goes on in order", () => {
    const { handOut, state, done, published } = programs(["a"]);
    handOut.take([entry(1, "old")]);
    handOut.take([entry(2, "b")]);
    handOut.dropOld({ mono: 0, wall: 0 });
    expect(done).toContain("out 1");
    expect([handOut.heldCount, handOut.droppedCount]).toEqual([1, 1]);
    state.topics = ["b", "old"];
    handOut.onInterest();
    expect(published()).toEqual([2]);
  });

  test("what is kept from a program that reads slowly goes out before what comes later", () => {
    const { handOut, state, published } = programs(["a"], ["a"]);
    handOut.take([entry(1, "a")]);
    state.congested = [];
    // It has room again, but nobody has said so yet: the second must not overtake the first.
    handOut.take([entry(2, "a")]);
    expect(published()).toEqual([]);
    handOut.onInterest();
    expect(published()).toEqual([1, 2]);
  });

  test("a program that is dropped while it is given messages is given no more", () => {
    const { handOut, state, published } = programs(["a"], ["a"]);
    for (let i = 0; i < 3; i += 1) handOut.take([entry(i, "a", 40_000)]);
    state.congested = [];
    state.onPublish = () => {
      state.topics = [];
      handOut.onInterest();
    };
    handOut.onInterest();
    expect(published()).toEqual([0]);
    expect(handOut.heldCount).toBe(2);
  });

  test("one that is dropped by what has just come, while another reads: what comes with it is kept for whoever wants it", () => {
    const { handOut, state, done, published } = programs(["a"]);
    state.onPublish = () => handOut.onInterest();
    handOut.take([entry(1, "a"), entry(2, "b"), entry(3, "b")]);
    expect(published()).toEqual([1]);
    expect(handOut.heldCount).toBe(2);
    state.topics = ["a", "b"];
    handOut.onInterest();
    expect(published()).toEqual([1, 2, 3]);
    expect(handOut.heldCount).toBe(0);
    expect(done.at(-1)).toBe("publish 3");
  });

  test("the only one that acknowledges is dropped by what it is given: others get that at once", () => {
    const { handOut, state, published } = programs(["a"]);
    state.acknowledges = true;
    state.onPublish = () => {
      state.acknowledges = false;
      handOut.onInterest();
    };
    handOut.take([entry(1, "a")]);
    expect(published()).toEqual([1, 1]);
    expect(handOut.heldCount).toBe(0);
  });

  test("a topic that nobody reads is not asked for once it holds as much as is free; the others are", () => {
    const { handOut, state, done, published } = programs(["b"]);
    for (let i = 0; i < 500; i += 1) handOut.take([entry(i, "a")]);
    expect(done.at(-1)).toBe("listening but message a");
    handOut.take([entry(500, "b")]);
    for (let i = 501; i < 751; i += 1) handOut.take([entry(i, "c")]);
    expect(published()).toEqual([500]);
    expect(done.at(-1)).toBe("listening but message a but message c");
    state.topics = ["a", "b"];
    handOut.onInterest();
    expect(published()).toHaveLength(501);
    expect(done.at(-1)).toBe("listening");
    expect(handOut.heldCount).toBe(250);
  });

  test("the core is asked for messages while a program is there and few are held", () => {
    const { handOut, state, done } = programs(["b"]);
    handOut.onInterest();
    for (let i = 0; i < 1000; i += 1) handOut.take([entry(i, "a")]);
    expect(done).toEqual(["listening", "listening but message a", "not listening"]);
    state.topics = ["a"];
    handOut.onInterest();
    expect(handOut.heldCount).toBe(0);
    expect(done.at(-1)).toBe("listening");
    state.topics = [];
    handOut.onInterest();
    expect(done.at(-1)).toBe("not listening");
  });
});
