import { beforeEach, describe, expect, test } from "@jest/globals";
import type { MessageBody } from "@starling/wire-protocol";
import { Counters } from "../src/counters.ts";
import { Delivery, type DeliveryOutput } from "../src/delivery.ts";
import type { InboxEntry } from "../src/output.ts";
import { at, attempt, counterRandom, identity, messageBody, sendOf, WALL } from "./support.ts";

const ALICE = identity(1);
const BOB = identity(2);
const RELAY = identity(3).id;
const random = counterRandom();
const AGE_MS = 86_400_000;

let counters: Counters;
let bob: Delivery;

beforeEach(() => {
  counters = new Counters();
  bob = delivery();
});

function delivery(
  restored: { waiting?: InboxEntry[]; delivered?: { key: string; expiresMs: number }[] } = {},
): Delivery {
  const { waiting = [], delivered = [] } = restored;
  return new Delivery({ identity: BOB, network: "test", counters, waiting, delivered, inboxAgeMs: AGE_MS }, at(0));
}

/** Every call is a new attempt (another envelope) around the same body. */
const send = (body: MessageBody = messageBody(), from = ALICE) => sendOf(attempt({ from, to: BOB, body, random }));
const types = (outputs: readonly DeliveryOutput[]) => outputs.map(({ type }) => type);
const keyOf = (outputs: readonly DeliveryOutput[]) => {
  const [store] = outputs;
  if (store?.type !== "store") throw new Error("nothing to store");
  return store.entry.key;
};

describe("a message that arrives", () => {
  test("is acknowledged only when it is written, and handed out only to a program that listens", () => {
    const key = keyOf(bob.arrived("e1", send(), RELAY, at(0)));
    expect(bob.waitingCount).toBe(0);
    expect(types(bob.stored(key, true, at(1)))).toEqual(["acknowledge"]);
    expect(bob.waitingCount).toBe(1);
    const handed = bob.listening(true);
    expect(types(handed)).toEqual(["handed-out", "deliver"]);
    expect(handed[1]).toMatchObject({
      message: { from: ALICE.id, topic: "", content: new TextEncoder().encode("hello") },
    });
    expect(bob.waitingCount).toBe(0);
  });

  test("goes to a program once it is written, and is acknowledged once it is stored", () => {
    bob.listening(true);
    const key = keyOf(bob.arrived("e1", send(), RELAY, at(0)));
    expect(types(bob.written(key, at(1)))).toEqual(["handed-out", "deliver"]);
    expect(bob.written(key, at(1))).toEqual([]);
    expect(bob.arrived("e2", send(), RELAY, at(2))).toEqual([]);
    expect(types(bob.stored(key, true, at(3)))).toEqual(["acknowledge", "acknowledge"]);
    expect(bob.waitingCount).toBe(0);
  });

  test("that was handed out and could not be stored has no receipt until it is, and is not handed out again", () => {
    bob.listening(true);
    const key = keyOf(bob.arrived("e1", send(), RELAY, at(0)));
    bob.written(key, at(1));
    expect(types(bob.stored(key, false, at(2)))).toEqual(["refuse"]);
    expect(keyOf(bob.arrived("e2", send(), RELAY, at(3)))).toBe(key);
    expect(bob.written(key, at(4))).toEqual([]);
    expect(types(bob.stored(key, true, at(5)))).toEqual(["acknowledge"]);
    expect(types(bob.arrived("e3", send(), RELAY, at(6)))).toEqual(["acknowledge"]);
    expect(bob.waitingCount).toBe(0);
  });

  test("that waits too long for a program is dropped and counted, but not because the clock was wrong for an hour", () => {
    const key = keyOf(bob.arrived("e1", send(), RELAY, at(0)));
    bob.stored(key, true, at(0));
    const hour = 3_600_000;
    expect(bob.nextDeadline()).toBeLessThanOrEqual(at(hour).mono);
    const jumped = (hours: number) => ({ mono: at(hours * hour).mono, wall: at(hours * hour).wall + 2 * AGE_MS });
    expect(bob.tick(jumped(1))).toEqual([]);
    expect(bob.tick(at(2 * hour))).toEqual([]);
    expect(bob.tick(jumped(3))).toEqual([]);
    expect(bob.waitingCount).toBe(1);
    expect(bob.tick(jumped(4))).toEqual([{ type: "discarded", key }]);
    expect(bob.waitingCount).toBe(0);
    expect(counters.snapshot()).toMatchObject({ "dropped.inbox-age": 1 });
  });

  test("again, in other envelopes: acknowledged each time, delivered once", () => {
    bob.listening(true);
    const key = keyOf(bob.arrived("e1", send(), RELAY, at(0)));
    expect(bob.arrived("e2", send(), RELAY, at(1))).toEqual([]);
    const outputs = bob.stored(key, true, at(2));
    expect(types(outputs)).toEqual(["acknowledge", "acknowledge", "handed-out", "deliver"]);
    expect(outputs.slice(0, 2)).toMatchObject([{ to: { id: "e1" } }, { to: { id: "e2" } }]);
    expect(types(bob.arrived("e3", send(), RELAY, at(3)))).toEqual(["acknowledge"]);
    // A restart that read the key back does not deliver it either.
    const restarted = delivery({ delivered: [{ key, expiresMs: WALL + 60_000 }] });
    restarted.listening(true);
    expect(types(restarted.arrived("e4", send(), RELAY, at(4)))).toEqual(["acknowledge"]);
  });

  test("is not acknowledged where it could not be written, and a later attempt may still succeed", () => {
    const key = keyOf(bob.arrived("e1", send(), RELAY, at(0)));
    expect(bob.stored(key, false, at(1))).toMatchObject([{ type: "refuse", to: { id: "e1" }, reason: "shed" }]);
    expect(keyOf(bob.arrived("e2", send(), RELAY, at(2)))).toBe(key);
  });

  test("the same message id from another author is another message", () => {
    const first = keyOf(bob.arrived("e1", send(), RELAY, at(0)));
    expect(keyOf(bob.arrived("e2", send(messageBody(), identity(5)), RELAY, at(0)))).not.toBe(first);
  });

  test("entries of an earlier life are handed out first", () => {
    const key = keyOf(bob.arrived("e1", send(), RELAY, at(0)));
    const entry: InboxEntry = {
      key,
      kind: "message",
      stream: "02".repeat(8),
      seq: 0,
      lowestUnsettledSeq: 0,
      from: ALICE.id,
      messageId: "01".repeat(16),
      topic: "",
      content: new Uint8Array(1),
      path: "relayed",
      receivedAtMs: WALL,
      expiresMs: WALL + 60_000,
    };
    const restarted = delivery({ waiting: [entry], delivered: [{ key, expiresMs: entry.expiresMs }] });
    expect(restarted.waitingCount).toBe(1);
    expect(restarted.listening(true)).toMatchObject([
      { type: "handed-out", key },
      { type: "deliver", message: { key } },
    ]);
  });
});

describe("order, and what is for this process alone", () => {
  const id = (byte: number) => new Uint8Array(16).fill(byte);

  test("messages of a stream are acknowledged as they are written and handed out as they were numbered", () => {
    bob.listening(true);
    const second = keyOf(bob.arrived("e2", send(messageBody({ messageId: id(2), seq: 1 })), RELAY, at(0)));
    expect(types(bob.stored(second, true, at(1)))).toEqual(["acknowledge"]);
    const first = keyOf(bob.arrived("e1", send(messageBody({ messageId: id(1), seq: 0 })), RELAY, at(2)));
    const outputs = bob.stored(first, true, at(3));
    expect(types(outputs)).toEqual(["acknowledge", "handed-out", "deliver", "handed-out", "deliver"]);
    expect(outputs.filter(({ type }) => type === "deliver")).toMatchObject([
      { message: { key: first } },
      { message: { key: second } },
    ]);
  });

  test("one whose predecessor never comes is handed out when it expires", () => {
    bob.listening(true);
    const body = messageBody({ messageId: id(2), seq: 1, expiresMs: WALL + 5000 });
    bob.stored(keyOf(bob.arrived("e", send(body), RELAY, at(0))), true, at(1));
    expect(bob.nextDeadline()).toBe(5000);
    expect(types(bob.tick(at(4999)))).toEqual([]);
    expect(types(bob.tick(at(5000)))).toEqual(["handed-out", "deliver"]);
  });

  test("a Direct is answered on its link, and is the same message as a Send with its id", () => {
    bob.listening(true);
    const outputs = bob.arrivedDirect(ALICE.id, "session", messageBody(), at(0));
    const key = keyOf(outputs);
    expect(bob.stored(key, true, at(1))[0]).toEqual({
      type: "acknowledge",
      to: { type: "direct", peer: ALICE.id, messageId: messageBody().messageId },
    });
    expect(types(bob.arrived("e", send(), RELAY, at(2)))).toEqual(["acknowledge"]);
    expect(counters.get("delivered.message")).toBe(1);
  });

  test("a reply and a signal are acknowledged and passed on each time, and not written", () => {
    const reply = messageBody({ kind: "reply", requestId: id(7) });
    const outputs = bob.arrived("e1", send(reply), RELAY, at(0));
    expect(types(outputs)).toEqual(["acknowledge", "reply"]);
    expect(outputs[1]).toMatchObject({ from: ALICE.id, requestId: "07".repeat(16) });
    // Whether a request is still open that it answers is the outbox's to know.
    expect(types(bob.arrived("e2", send(reply), RELAY, at(1)))).toEqual(["acknowledge", "reply"]);
    const signal = messageBody({ kind: "signal", messageId: id(9) });
    const relayed = bob.arrived("e3", send(signal), RELAY, at(2));
    expect(relayed).toMatchObject([{ type: "acknowledge" }, { type: "signal", from: ALICE.id, via: RELAY }]);
    expect(types(bob.arrived("e4", send(signal), RELAY, at(3)))).toEqual(["acknowledge", "signal"]);
    const [, direct] = bob.arrivedDirect(ALICE.id, "session", signal, at(4));
    expect(direct).toMatchObject({ type: "signal", from: ALICE.id, via: ALICE.id });
  });
});

describe("what is not delivered is a counted drop", () => {
  const dropped = (name: string) => counters.get(`dropped.${name}`);

  test("a box for another, or changed on the way", () => {
    expect(bob.arrived("e1", sendOf(attempt({ from: ALICE, to: identity(9), random })), RELAY, at(0))).toEqual([]);
    const one = send();
    const sealedBody = one.envelope.sealedBody.slice();
    sealedBody[100] = (sealedBody[100] ?? 0) ^ 1;
    expect(bob.arrived("e2", { ...one, envelope: { ...one.envelope, sealedBody } }, RELAY, at(0))).toEqual([]);
    expect(dropped("unseal")).toBe(2);
  });

  test("a lock that its t does not open", () => {
    const one = send();
    const lock = new Uint8Array(32).fill(1);
    expect(bob.arrived("e1", { ...one, envelope: { ...one.envelope, lock } }, RELAY, at(0))).toEqual([]);
    expect(dropped("lock")).toBe(1);
  });

  test("expired, or from the future", () => {
    const expired = messageBody({ createdMs: WALL - 2000, expiresMs: WALL - 1000 });
    expect(bob.arrived("e1", send(expired), RELAY, at(0))).toEqual([]);
    const future = messageBody({ createdMs: WALL + 30_001, expiresMs: WALL + 40_000 });
    expect(bob.arrived("e2", send(future), RELAY, at(0))).toEqual([]);
    expect([dropped("expired"), dropped("from-the-future")]).toEqual([1, 1]);
  });
});

test("one that was handed out and never stored is forgotten once it has expired; an answer for nothing says nothing", () => {
  expect([bob.written("unknown", at(0)), bob.stored("unknown", true, at(0))]).toEqual([[], []]);
  bob.listening(true);
  const key = keyOf(bob.arrived("e1", send(), RELAY, at(0)));
  bob.written(key, at(0));
  expect(types(bob.stored(key, false, at(0)))).toEqual(["refuse"]);
  for (const ms of [1, 60_001]) bob.tick(at(ms));
  expect(bob.waitingCount).toBe(0);
});

describe("bounds", () => {
  test("1,000 messages wait, one more is refused with the proof that we said so", () => {
    const id = (i: number) => Uint8Array.from({ length: 16 }, (_, at) => (at === 0 ? i & 0xff : at === 1 ? i >> 8 : 0));
    for (let i = 0; i < 1000; i += 1) {
      const key = keyOf(bob.arrived(`e${i}`, send(messageBody({ messageId: id(i) })), RELAY, at(i)));
      bob.stored(key, true, at(i));
    }
    const refused = bob.arrived("full", send(messageBody({ messageId: id(1000) })), RELAY, at(1000));
    expect(refused).toMatchObject([{ type: "refuse", reason: "full", to: { id: "full", t: expect.any(Uint8Array) } }]);
    bob.listening(true);
    expect(types(bob.arrived("room", send(messageBody({ messageId: id(1000) })), RELAY, at(1001)))).toEqual(["store"]);
  });

  test("a topic that nobody takes leaves room for the others, and holds them up nowhere", () => {
    const arrive = (topic: string, i: number) => {
      const messageId = Uint8Array.from({ length: 16 }, (_, at) => (at === 0 ? i & 0xff : i >> 8));
      const outputs = bob.arrived(
        `${topic}${i}`,
        send(messageBody({ messageId, topic, stream: streamOf(topic) })),
        RELAY,
        at(i),
      );
      const [first] = outputs;
      if (first?.type !== "store") return types(outputs);
      return types(bob.stored(first.entry.key, true, at(i)));
    };
    const streamOf = (topic: string) => new Uint8Array(8).fill(topic.charCodeAt(0));
    bob.listening(true, ["message a"]);
    for (let i = 0; i < 1000; i += 1) expect(arrive("a", i)).toEqual(["acknowledge"]);
    expect(arrive("a", 1000)).toEqual(["refuse"]);
    for (let i = 0; i < 3; i += 1) expect(arrive("b", 2000 + i)).toEqual(["acknowledge", "handed-out", "deliver"]);
    bob.listening(false);
    for (let i = 0; i < 500; i += 1) expect(arrive("c", 3000 + i)).toEqual(["acknowledge"]);
    expect(arrive("c", 3500)).toEqual(["refuse"]);
    expect(arrive("d", 4000)).toEqual(["acknowledge"]);
    expect(bob.waitingCount).toBe(1501);
    expect(types(bob.listening(true)).filter((type) => type === "deliver")).toHaveLength(1501);
  });

  test("a message that comes again and again while it is written owes one answer on its link, and sixteen Sends", () => {
    const key = keyOf(bob.arrivedDirect(ALICE.id, "session", messageBody(), at(0)));
    for (let i = 0; i < 1000; i += 1) expect(bob.arrivedDirect(ALICE.id, "session", messageBody(), at(i))).toEqual([]);
    const again = send();
    for (let i = 0; i < 100; i += 1) expect(bob.arrived(`e${i}`, again, RELAY, at(i))).toEqual([]);
    const owed = bob
      .stored(key, true, at(1000))
      .flatMap((output) => (output.type === "acknowledge" ? [output.to] : []));
    expect(owed.filter(({ type }) => type === "direct")).toHaveLength(1);
    // The latest ones: their author waits for them, and the earlier may be forgotten on the way.
    const sends = owed.flatMap((to) => (to.type === "send" ? [to.id] : []));
    expect(sends).toEqual(Array.from({ length: 16 }, (_, i) => `e${84 + i}`));
    expect(counters.get("dropped.message-repeat")).toBe(1000 + 84);
  });

  test("a neighbour whose messages fill half of the keys is refused, and nobody else", () => {
    const delivered = Array.from({ length: 131_072 }, (_, i) => ({ key: `${RELAY}:${i}`, expiresMs: WALL + 60_000 }));
    const half = delivery({ delivered });
    expect(half.arrivedDirect(RELAY, "session", messageBody(), at(0))).toMatchObject([
      { type: "refuse", reason: "full" },
    ]);
    expect(types(half.arrivedDirect(ALICE.id, "session", messageBody(), at(0)))).toEqual(["store"]);
    // Its keys run out, and it is heard again.
    half.tick({ mono: 660_000, wall: WALL + 660_000 });
    const later = messageBody({ createdMs: WALL + 660_000, expiresMs: WALL + 720_000 });
    expect(types(half.arrivedDirect(RELAY, "session", later, at(660_001)))).toEqual(["store"]);
  });

  test("at 262,144 acknowledged keys what is new is refused; a reply needs none", () => {
    const delivered = Array.from({ length: 262_144 }, (_, i) => ({ key: String(i), expiresMs: WALL + 60_000 }));
    const full = delivery({ delivered });
    expect(full.arrived("e", send(), RELAY, at(0))).toMatchObject([{ type: "refuse", reason: "full" }]);
    expect(counters.get("dropped.inbox-full")).toBe(1);
    const reply = messageBody({ kind: "reply", requestId: new Uint8Array(16).fill(9) });
    expect(types(full.arrived("e", send(reply), RELAY, at(0)))).toEqual(["acknowledge", "reply"]);
  });

  test("a flood of replies that nobody asked for takes no key from what is new", () => {
    const idOf = (i: number) => Uint8Array.from({ length: 16 }, (_, at) => (at < 3 ? (i >> (8 * at)) & 0xff : 0));
    const reply = messageBody({ kind: "reply", requestId: new Uint8Array(16).fill(9), content: new Uint8Array(1) });
    for (let i = 0; i < 262_144; i += 1) {
      bob.arrivedDirect(RELAY, "session", { ...reply, messageId: idOf(i) }, at(0));
    }
    expect(types(bob.arrived("e", send(), RELAY, at(1)))).toEqual(["store"]);
  });
});
