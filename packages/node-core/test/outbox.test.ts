import { beforeEach, describe, expect, test } from "@jest/globals";
import { type NodeId, openBox } from "@starling/crypto-identity";
import { PRICE_CAP } from "@starling/hashcash";
import type { Outcome } from "@starling/peer-manager";
import type { SendFailReason } from "@starling/wire-protocol";
import { bytesToHex, decodeEnvelope, decodeSealedBody } from "@starling/wire-protocol";
import { envelopePrologue } from "../src/delivery.ts";
import { Outbox } from "../src/outbox.ts";
import type { OutboxOptions, OutboxOutput } from "../src/outbox-output.ts";
import type { OutgoingMessage } from "../src/submission.ts";
import { at, counterRandom, FLOOR, identity, WALL } from "./support.ts";

const ALICE = identity(1);
const BOB = identity(2);
const RELAY = identity(3).id;
const NONCE = new Uint8Array(8).fill(1);

let outbox: Outbox;
let clockOffsetMs = 0;
let price = 1;
let link: ReturnType<OutboxOptions["linkTo"]>;

beforeEach(() => {
  link = undefined;
  price = 1;
  outbox = new Outbox({
    identity: ALICE,
    network: "test",
    random: counterRandom(),
    floor: () => FLOOR,
    price: () => price,
    clockOffsetMs: () => clockOffsetMs,
    linkTo: (peer) => (peer === BOB.id ? link : undefined),
  });
});

function submit(changes: Partial<OutgoingMessage> = {}): OutgoingMessage {
  return {
    kind: "message",
    requestId: undefined,
    id: "s1",
    to: BOB.id,
    content: new TextEncoder().encode("hello"),
    topic: "t",
    via: "any",
    timeoutMs: 10_000,
    ...changes,
  };
}

function the<T extends OutboxOutput["type"]>(
  outputs: readonly OutboxOutput[],
  type: T,
): Extract<OutboxOutput, { type: T }> {
  const found = outputs.find((output): output is Extract<OutboxOutput, { type: T }> => output.type === type);
  if (found === undefined) throw new Error(`no ${type} among ${JSON.stringify(outputs.map((output) => output.type))}`);
  return found;
}

/** Plays the minting of a fresh attempt and returns what is sent. */
function minted(outputs: readonly OutboxOutput[], ms: number) {
  return the(outbox.minted(the(outputs, "mint").job, NONCE, at(ms)), "originate");
}

function read(encodedEnvelope: Uint8Array) {
  const envelope = decodeEnvelope(encodedEnvelope);
  if (!envelope.ok) throw new Error(envelope.reason);
  const opened = openBox({ identity: BOB, prologue: envelopePrologue("test"), box: envelope.value.sealedBody });
  const sealed = decodeSealedBody(opened?.plaintext ?? new Uint8Array(0));
  if (!sealed.ok) throw new Error(sealed.reason);
  return { envelope: envelope.value, sender: opened?.sender, body: sealed.value.body };
}

const failed = (reason: SendFailReason, detail = 0): Outcome => ({ type: "failed", reason, detail });

describe("a submission", () => {
  test("is minted, sent, and ends with the receipt of the recipient's ack", () => {
    const mint = the(outbox.submit(submit(), at(0)), "mint");
    expect(mint.effort).toBe(Math.ceil(FLOOR * 1.15));
    const { attempt, to, avoidRecipient } = the(outbox.minted(mint.job, NONCE, at(5)), "originate");
    expect([to, avoidRecipient]).toEqual([BOB.id, false]);
    const { envelope, sender, body } = read(attempt.encodedEnvelope);
    expect(sender).toBe(ALICE.id);
    expect(envelope).toMatchObject({ recipient: BOB.id, timestampMs: WALL, nonce: NONCE });
    expect(body).toMatchObject({ topic: "t", createdMs: WALL, expiresMs: WALL + 10_000, seq: 0 });
    const outputs = outbox.settled(attempt.id, { type: "acknowledged", hops: 2, via: RELAY }, at(50));
    expect(outputs).toEqual([
      {
        type: "receipt",
        id: "s1",
        receipt: { messageId: bytesToHex(body.messageId), path: "relayed", hops: 2, elapsedMs: 50 },
      },
    ]);
    expect([outbox.openCount, outbox.nextDeadline()]).toEqual([0, null]);
  });

  test("is tried again with a new envelope around the same message id, and a late ack of the first counts", () => {
    const first = minted(outbox.submit(submit(), at(0)), 5).attempt;
    expect(outbox.nextDeadline()).toBe(2405);
    const second = minted(outbox.tick(at(2405)), 2410).attempt;
    expect(second.id).not.toBe(first.id);
    const [a, b] = [read(first.encodedEnvelope), read(second.encodedEnvelope)];
    expect(b.body).toEqual(a.body);
    expect(b.envelope.lock).not.toEqual(a.envelope.lock);
    expect(the(outbox.settled(first.id, { type: "acknowledged", hops: 2, via: RELAY }, at(2500)), "receipt").id).toBe(
      "s1",
    );
    expect(outbox.settled(second.id, { type: "acknowledged", hops: 2, via: RELAY }, at(2501))).toEqual([]);
  });

  test("waits while it is 256 ahead of the oldest of its stream, and goes out as soon as it is not", () => {
    link = { path: "channel", rttMs: 10 };
    const sent = Array.from({ length: 257 }, (_, i) => outbox.submit(submit({ id: `s${i}` }), at(0)));
    expect(sent.map((outputs) => outputs.length)).toEqual([...Array.from({ length: 256 }, () => 1), 0]);
    // Another stream is not held up.
    expect(the(outbox.submit(submit({ id: "other", topic: "u" }), at(0)), "send-direct").body.seq).toBe(0);
    const { messageId } = the(sent[0] ?? [], "send-direct");
    the(outbox.directAnswered(BOB.id, "channel", messageId, "ok", at(1)), "receipt");
    expect(outbox.nextDeadline()).toBeLessThanOrEqual(at(1).mono);
    const { body } = the(outbox.tick(at(1)), "send-direct");
    expect([body.seq, body.lowestUnsettledSeq]).toEqual([256, 1]);
  });

  test("that never has its turn ends with its deadline", () => {
    for (let i = 0; i < 256; i += 1) outbox.submit(submit({ id: `s${i}`, via: "channel", timeoutMs: 60_000 }), at(0));
    expect(outbox.submit(submit({ timeoutMs: 1000, id: "late" }), at(0))).toEqual([]);
    expect(the(outbox.tick(at(1000)), "failed")).toMatchObject({ id: "late", code: "E_TIMEOUT" });
  });

  test("rungs: one way, two others, a node that has the recipient, two others, and so on", () => {
    const first = minted(outbox.submit(submit(), at(0)), 0);
    expect([first.way, first.earlierIds]).toEqual([{ isPair: false, firstHop: undefined }, []]);
    const second = minted(outbox.tick(at(2400)), 2400);
    expect([second.way, second.earlierIds]).toEqual([{ isPair: true, firstHop: undefined }, [first.attempt.id]]);
    expect(the(outbox.tick(at(4800)), "find")).toMatchObject({ target: BOB.id, excluded: [] });
    expect(outbox.found(RELAY, RELAY, at(5000))).toEqual([]);
    const third = minted(outbox.found(BOB.id, RELAY, at(5000)), 5000);
    expect(third.way).toEqual({ isPair: false, firstHop: RELAY });
    expect(minted(outbox.tick(at(7400)), 7400).way.isPair).toBe(true);
    // Who was handed an attempt in vain is not asked for again; where nobody else is found, the next rung follows at once.
    expect(the(outbox.tick(at(9800)), "find").excluded).toEqual([RELAY]);
    expect(minted(outbox.notFound(BOB.id, at(9900)), 9900).way.isPair).toBe(true);
  });

  test("the timer follows the round trip that was measured", () => {
    const slow = minted(outbox.submit(submit(), at(0)), 0).attempt;
    outbox.settled(slow.id, { type: "acknowledged", hops: 3, via: RELAY }, at(500));
    minted(outbox.submit(submit({ id: "s2" }), at(1000)), 1000);
    expect(outbox.nextDeadline()).toBe(2500);
  });

  test("a late ack, of an attempt that was given up, tells the round trip: the next waits for it", () => {
    const { attempt } = minted(outbox.submit(submit(), at(0)), 0);
    minted(outbox.tick(at(2400)), 2400);
    outbox.settled(attempt.id, { type: "acknowledged", hops: 3, via: RELAY }, at(2600));
    minted(outbox.submit(submit({ id: "s2" }), at(3000)), 3000);
    expect(outbox.nextDeadline()).toBe(3000 + 5000);
  });

  test("fails at its deadline with what went wrong last, and its stamp is no longer minted", () => {
    const { attempt } = minted(outbox.submit(submit({ timeoutMs: 3000 }), at(0)), 5);
    expect(outbox.settled(attempt.id, failed("absent"), at(10))).toEqual([]);
    expect(outbox.nextDeadline()).toBe(210);
    const { job } = the(outbox.tick(at(210)), "mint");
    const outputs = outbox.tick(at(3000));
    expect(the(outputs, "failed")).toMatchObject({ id: "s1", code: "E_NO_ROUTE" });
    expect(the(outputs, "cancel-mint").job).toBe(job);
    expect(outbox.minted(job, NONCE, at(3001))).toEqual([]);
  });

  test("times out where nobody ever answered", () => {
    minted(outbox.submit(submit({ timeoutMs: 1000 }), at(0)), 5);
    expect(the(outbox.tick(at(1000)), "failed").code).toBe("E_TIMEOUT");
  });

  test("an own link to the recipient makes the path a session; via relay avoids it", () => {
    const { attempt, avoidRecipient } = minted(outbox.submit(submit({ via: "relay" }), at(0)), 5);
    expect(avoidRecipient).toBe(true);
    const receipt = the(outbox.settled(attempt.id, { type: "acknowledged", hops: 1, via: BOB.id }, at(9)), "receipt");
    expect(receipt.receipt.path).toBe("session");
  });

  test("a channel that opened while the stamp was minted takes the Send, and is the receipt's path", () => {
    const { attempt } = minted(outbox.submit(submit(), at(0)), 5);
    link = { path: "channel", rttMs: 5 };
    const receipt = the(outbox.settled(attempt.id, { type: "acknowledged", hops: 1, via: BOB.id }, at(9)), "receipt");
    expect(receipt.receipt.path).toBe("channel");
  });

  test("can be cancelled; the same id cannot be open twice", () => {
    outbox.submit(submit(), at(0));
    expect(the(outbox.submit(submit(), at(1)), "failed").code).toBe("E_DUPLICATE");
    const outputs = outbox.cancel("s1");
    expect([the(outputs, "failed").code, the(outputs, "cancel-mint").type]).toEqual(["E_CANCELLED", "cancel-mint"]);
    expect(outbox.cancel("s1")).toEqual([]);
  });

  test("numbers its stream, and says what of it is still open", () => {
    const bodies = ["a", "b", "c"].map((id) => minted(outbox.submit(submit({ id }), at(0)), 1).attempt);
    outbox.settled(bodies[0]?.id ?? "", { type: "acknowledged", hops: 2, via: RELAY }, at(2));
    const next = read(minted(outbox.submit(submit({ id: "d" }), at(3)), 4).attempt.encodedEnvelope).body;
    expect([next.seq, next.lowestUnsettledSeq]).toEqual([3, 1]);
    const other = read(minted(outbox.submit(submit({ id: "e", topic: "u" }), at(3)), 4).attempt.encodedEnvelope).body;
    expect([other.seq, other.lowestUnsettledSeq]).toEqual([0, 0]);
    expect(other.stream).not.toEqual(next.stream);
  });
});

describe("over a link to the recipient", () => {
  beforeEach(() => {
    link = { path: "session", rttMs: 300 };
  });

  test("a Direct needs no stamp, and its ack is the receipt", () => {
    const direct = the(outbox.submit(submit(), at(0)), "send-direct");
    expect(direct).toMatchObject({ peer: BOB.id, body: { topic: "t", seq: 0 } });
    expect(outbox.nextDeadline()).toBe(900);
    expect(outbox.directAnswered(RELAY, "session", direct.messageId, "ok", at(10))).toEqual([]);
    const receipt = the(outbox.directAnswered(BOB.id, "session", direct.messageId, "ok", at(20)), "receipt");
    expect(receipt.receipt).toEqual({ messageId: direct.messageId, path: "session", hops: 1, elapsedMs: 20 });
  });

  test("unanswered, it goes on sealed, around the dead link, with the same message id; the next ones at once", () => {
    const direct = the(outbox.submit(submit(), at(0)), "send-direct");
    const outputs = outbox.tick(at(900));
    expect(the(outputs, "suspect").peer).toBe(BOB.id);
    const { attempt, avoidRecipient } = minted(outputs, 905);
    expect(avoidRecipient).toBe(true);
    expect(bytesToHex(read(attempt.encodedEnvelope).body.messageId)).toBe(direct.messageId);
    expect(minted(outbox.submit(submit({ id: "s2" }), at(910)), 911).avoidRecipient).toBe(true);
    // The link speaks again: it is trusted again.
    outbox.directAnswered(BOB.id, "session", direct.messageId, "ok", at(950));
    expect(the(outbox.submit(submit({ id: "s3" }), at(960)), "send-direct").peer).toBe(BOB.id);
  });

  test("a link that closes, or takes nothing, hands over at once", () => {
    const first = the(outbox.submit(submit(), at(0)), "send-direct");
    link = undefined;
    expect(the(outbox.linkClosed(BOB.id, at(10)), "mint").deadlineMs).toBe(9990);
    expect(outbox.directRefused(first.messageId, at(11))).toEqual([]);
    link = { path: "session", rttMs: undefined };
    const second = the(outbox.submit(submit({ id: "s2" }), at(20)), "send-direct");
    expect(the(outbox.directRefused(second.messageId, at(20)), "mint").type).toBe("mint");
  });

  test("a relay says that it has no inbox", () => {
    const direct = the(outbox.submit(submit(), at(0)), "send-direct");
    expect(the(outbox.directAnswered(BOB.id, "session", direct.messageId, "no-inbox", at(5)), "failed").code).toBe(
      "E_NOT_A_NODE",
    );
  });

  test("a full inbox is told and tried again", () => {
    const direct = the(outbox.submit(submit(), at(0)), "send-direct");
    expect(outbox.directAnswered(BOB.id, "session", direct.messageId, "full", at(5))).toEqual([]);
    expect(the(outbox.tick(at(205)), "send-direct").messageId).toBe(direct.messageId);
  });

  test("via relay does not use it; via channel waits for a channel", () => {
    expect(the(outbox.submit(submit({ via: "relay" }), at(0)), "mint").type).toBe("mint");
    const waiting = outbox.submit(submit({ id: "s2", via: "channel", timeoutMs: 3000 }), at(0));
    expect(waiting).toEqual([{ type: "want-channel", peer: BOB.id }]);
    link = { path: "channel", rttMs: 1 };
    expect(the(outbox.channelOpened(BOB.id, at(200)), "send-direct").peer).toBe(BOB.id);
    link = undefined;
    outbox.submit(submit({ id: "s3", via: "channel", timeoutMs: 3000 }), at(300));
    expect(outbox.tick(at(3300)).filter(({ type }) => type === "failed")[1]).toMatchObject({
      id: "s3",
      code: "E_NO_CHANNEL",
    });
  });
});

describe("via channel, where it is slow", () => {
  const onChannel = (id: string, timeoutMs = 60_000) => submit({ id, via: "channel", timeoutMs });

  beforeEach(() => {
    link = { path: "channel", rttMs: 10 };
  });

  test("one that the channel has no room for waits, longer each time, and says so where there is none in time", () => {
    const { messageId } = the(outbox.submit(onChannel("s1", 3000), at(0)), "send-direct");
    let ms = 0;
    for (const waitMs of [200, 400, 800]) {
      expect(outbox.directRefused(messageId, at(ms))).toEqual([]);
      ms += waitMs;
      expect(outbox.nextDeadline()).toBe(ms);
      expect(the(outbox.tick(at(ms)), "send-direct").messageId).toBe(messageId);
    }
    expect(outbox.directRefused(messageId, at(ms))).toEqual([]);
    const failure = the(outbox.tick(at(3000)), "failed");
    expect(failure).toMatchObject({ code: "E_QUOTA", message: expect.stringMatching(/channel .* full/) });
  });

  test("an answer that is late is waited for twice as long each time, up to 5 s; a new channel begins anew", () => {
    the(outbox.submit(onChannel("s1"), at(0)), "send-direct");
    let ms = 0;
    for (const waitMs of [600, 1200, 2400, 4800, 5000, 5000]) {
      ms += waitMs;
      expect(outbox.nextDeadline()).toBe(ms);
      const outputs = outbox.tick(at(ms));
      expect([the(outputs, "suspect").peer, the(outputs, "send-direct").peer]).toEqual([BOB.id, BOB.id]);
    }
    link = undefined;
    expect(the(outbox.linkClosed(BOB.id, at(ms)), "want-channel").peer).toBe(BOB.id);
    link = { path: "channel", rttMs: 10 };
    the(outbox.channelOpened(BOB.id, at(ms)), "send-direct");
    expect(outbox.nextDeadline()).toBe(ms + 600);
  });
});

describe("a request", () => {
  const request = (changes: Partial<OutgoingMessage> = {}) => submit({ kind: "request", ...changes });
  const reply = (from: NodeId, requestId: string) =>
    ({ from, requestId, content: new Uint8Array(2), came: { path: "channel", hops: 1 } }) as const;

  test("ends with the reply of the one who was asked, not with the ack", () => {
    const { attempt } = minted(outbox.submit(request(), at(0)), 5);
    const { body } = read(attempt.encodedEnvelope);
    expect(body.kind).toBe("request");
    const id = bytesToHex(body.messageId);
    expect(outbox.settled(attempt.id, { type: "acknowledged", hops: 2, via: RELAY }, at(50))).toEqual([]);
    expect(outbox.replied(reply(RELAY, id), at(60))).toEqual([]);
    const answered = the(outbox.replied(reply(BOB.id, id), at(70)), "answered");
    expect(answered).toMatchObject({ id: "s1", content: new Uint8Array(2), receipt: { hops: 2, path: "relayed" } });
    expect(outbox.replied(reply(BOB.id, id), at(80))).toEqual([]);
  });

  test("whose reply overtakes its ack has a receipt that tells the way of the reply", () => {
    link = { path: "channel", rttMs: 10 };
    const { messageId } = the(outbox.submit(request(), at(0)), "send-direct");
    const answered = the(outbox.replied(reply(BOB.id, messageId), at(20)), "answered");
    expect(answered.receipt).toEqual({ messageId, path: "channel", hops: 1, elapsedMs: 20 });
  });

  test("delivered and never answered is a timeout that says so", () => {
    const { attempt } = minted(outbox.submit(request(), at(0)), 5);
    outbox.settled(attempt.id, { type: "acknowledged", hops: 2, via: RELAY }, at(50));
    expect(outbox.nextDeadline()).toBe(10_000);
    expect(the(outbox.tick(at(10_000)), "failed")).toMatchObject({
      code: "E_TIMEOUT",
      message: expect.stringMatching(/no reply/),
    });
  });

  test("a reply names its request and takes no number of the stream", () => {
    const requestId = new Uint8Array(16).fill(4);
    const { attempt } = minted(outbox.submit(submit({ kind: "reply", requestId }), at(0)), 1);
    expect(read(attempt.encodedEnvelope).body).toMatchObject({ kind: "reply", requestId, seq: 0 });
    const next = minted(outbox.submit(submit({ id: "s2" }), at(2)), 3).attempt;
    expect(read(next.encodedEnvelope).body).toMatchObject({ seq: 0, lowestUnsettledSeq: 0 });
  });
});

describe("what neighbours answer", () => {
  const afterFailure = (reason: SendFailReason, detail = 0) => {
    const { attempt } = minted(outbox.submit(submit(), at(0)), 0);
    return outbox.settled(attempt.id, failed(reason, detail), at(10));
  };

  test("a relay's key is no node's: once two ways have said so, since anybody on a way can", () => {
    expect(afterFailure("no-inbox")).toEqual([]);
    const { attempt } = minted(outbox.tick(at(210)), 220);
    expect(the(outbox.settled(attempt.id, failed("no-inbox"), at(230)), "failed").code).toBe("E_NOT_A_NODE");
  });

  test("a price that neighbours told is bid at first, and a later one by the next attempt; none is lowered", () => {
    price = 10;
    expect(the(outbox.submit(submit(), at(0)), "mint").effort).toBe(Math.ceil(FLOOR * 11.5));
    price = 20;
    const dear = minted(outbox.submit(submit({ id: "s2" }), at(0)), 0);
    price = 5;
    expect(the(outbox.tick(at(2400)), "mint").effort).toBe(Math.ceil(FLOOR * 23));
    expect(dear.attempt.effort).toBe(Math.ceil(FLOOR * 23));
    price = 1e9;
    expect(the(outbox.submit(submit({ id: "s3" }), at(0)), "mint").effort).toBe(Math.ceil(1.15 * PRICE_CAP));
  });

  test("shed: the next stamp is bid 1.6 times as high, or at what was told, at once and by the same way", () => {
    const shed = the(afterFailure("shed", FLOOR), "mint");
    expect(shed.effort).toBe(Math.ceil(FLOOR * 1.15 * 1.6));
    const { attempt, way } = the(outbox.minted(shed.job, NONCE, at(20)), "originate");
    expect(way.isPair).toBe(false);
    const told = the(outbox.settled(attempt.id, failed("shed", FLOOR * 100), at(30)), "mint");
    expect(told.effort).toBe(Math.ceil(FLOOR * 115));
  });

  test("too cheap: the next stamp is bid at what was told, and raised where that was paid already", () => {
    const asked = the(afterFailure("price", FLOOR * 10), "mint");
    expect(asked.effort).toBe(Math.ceil(FLOOR * 11.5));
    const { attempt } = the(outbox.minted(asked.job, NONCE, at(20)), "originate");
    const again = the(outbox.settled(attempt.id, failed("price", FLOOR * 10), at(30)), "mint");
    expect(again.effort).toBe(Math.ceil(FLOOR * 11.5 * 1.6));
    expect(again.deadlineMs).toBe(9970);
  });

  test("too dear for the deadline: it fails as congested", () => {
    const asked = the(afterFailure("price", FLOOR * 1e6), "mint");
    expect(outbox.mintFailed(asked.job, at(9990))).toEqual([]);
    expect(the(outbox.tick(at(10_000)), "failed").code).toBe("E_QUOTA");
  });

  test("shed by one who asks for nothing: it is tried again after a while", () => {
    expect(afterFailure("shed")).toEqual([]);
    expect(the(outbox.tick(at(210)), "mint").effort).toBe(Math.ceil(FLOOR * 1.15));
  });

  test("a clock that all neighbours call off by more than two minutes is told at once", () => {
    clockOffsetMs = -150_000;
    const refused = the(outbox.submit(submit(), at(0)), "failed");
    clockOffsetMs = 0;
    expect([refused.code, refused.message]).toEqual(["E_CLOCK", expect.stringContaining("-150 s")]);
  });

  test("stale within two minutes: the next stamp follows the neighbour's clock; beyond: E_CLOCK, once two have said so", () => {
    expect(afterFailure("stale", WALL + 60_000)).toEqual([]);
    const { attempt } = minted(outbox.tick(at(210)), 220);
    const { timestampMs } = read(attempt.encodedEnvelope).envelope;
    expect(timestampMs).toBe(WALL + 60_001 + 200);
    expect(outbox.settled(attempt.id, failed("stale", WALL + 500_000), at(230))).toEqual([]);
    the(outbox.tick(at(630)), "find");
    const again = minted(outbox.notFound(BOB.id, at(635)), 640).attempt;
    expect(read(again.encodedEnvelope).envelope.timestampMs).toBe(WALL + 60_001 + 625);
    const far = outbox.settled(again.id, failed("stale", WALL + 500_650), at(650));
    expect(the(far, "failed")).toMatchObject({ code: "E_CLOCK", message: expect.stringContaining("500 s") });
  });

  test("one neighbour that calls every clock wrong stops no message, nor does it where the deadline comes first", () => {
    expect(afterFailure("stale")).toEqual([]);
    const { attempt } = minted(outbox.tick(at(210)), 220);
    the(outbox.settled(attempt.id, { type: "acknowledged", hops: 2, via: RELAY }, at(250)), "receipt");
    const last = minted(outbox.submit(submit({ id: "s2", timeoutMs: 100 }), at(300)), 300).attempt;
    expect(outbox.settled(last.id, failed("stale"), at(310))).toEqual([]);
    expect(the(outbox.tick(at(400)), "failed").code).toBe("E_CLOCK");
  });

  test("a SendFail of an attempt that was given up does not stop the one under way", () => {
    const first = minted(outbox.submit(submit(), at(0)), 0).attempt;
    const second = minted(outbox.tick(at(2400)), 2405).attempt;
    expect(outbox.settled(first.id, failed("no-inbox"), at(2410))).toEqual([]);
    expect(the(outbox.settled(second.id, { type: "acknowledged", hops: 2, via: RELAY }, at(2420)), "receipt").id).toBe(
      "s1",
    );
  });
});

describe("misuse", () => {
  test.each([
    ["too large", { content: new Uint8Array(60_001) }, "E_TOO_LARGE"],
    ["a long topic", { topic: "x".repeat(129) }, "E_TOO_LARGE"],
    ["to itself", { to: ALICE.id }, "E_BAD_ID"],
  ])("%s", (_name, changes, code) => {
    expect(the(outbox.submit(submit(changes), at(0)), "failed").code).toBe(code);
    expect(outbox.openCount).toBe(0);
  });

  test("a stamp for what nobody waits for is thrown away", () => {
    expect([outbox.minted("unknown", NONCE, at(0)), outbox.mintFailed("unknown", at(0))]).toEqual([[], []]);
  });

  test("at most 1,024 are open", () => {
    for (let i = 0; i < 1024; i += 1) outbox.submit(submit({ id: `${i}` }), at(0));
    expect(the(outbox.submit(submit({ id: "more" }), at(0)), "failed").code).toBe("E_QUOTA");
  });
});
