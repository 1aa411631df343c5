import { beforeEach, describe, expect, test } from "@jest/globals";
import { openBox } from "@starling/crypto-identity";
import type { Outcome } from "@starling/peer-manager";
import type { SendFailReason } from "@starling/wire-protocol";
import { bytesToHex, decodeEnvelope, decodeSealedBody } from "@starling/wire-protocol";
import { envelopePrologue } from "../src/delivery.ts";
import type { Submit } from "../src/input.ts";
import { Outbox, type OutboxOutput } from "../src/outbox.ts";
import { at, counterRandom, FLOOR, identity, WALL } from "./support.ts";

const ALICE = identity(1);
const BOB = identity(2);
const RELAY = identity(3).id;
const NONCE = new Uint8Array(8).fill(1);

let outbox: Outbox;

beforeEach(() => {
  outbox = new Outbox({ identity: ALICE, network: "test", random: counterRandom(), floor: () => FLOOR });
});

function submit(changes: Partial<Submit> = {}): Submit {
  return {
    type: "submit",
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
    expect(outbox.nextDeadline()).toBe(1205);
    const second = minted(outbox.tick(at(1205)), 1210).attempt;
    expect(second.id).not.toBe(first.id);
    const [a, b] = [read(first.encodedEnvelope), read(second.encodedEnvelope)];
    expect(b.body).toEqual(a.body);
    expect(b.envelope.lock).not.toEqual(a.envelope.lock);
    expect(the(outbox.settled(first.id, { type: "acknowledged", hops: 2, via: RELAY }, at(1300)), "receipt").id).toBe(
      "s1",
    );
    expect(outbox.settled(second.id, { type: "acknowledged", hops: 2, via: RELAY }, at(1301))).toEqual([]);
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

describe("what neighbours answer", () => {
  const afterFailure = (reason: SendFailReason, detail = 0) => {
    const { attempt } = minted(outbox.submit(submit(), at(0)), 0);
    return outbox.settled(attempt.id, failed(reason, detail), at(10));
  };

  test("a relay's key is no node's: at once", () => {
    expect(the(afterFailure("no-inbox"), "failed").code).toBe("E_NOT_A_NODE");
  });

  test("shed: the next stamp is bid higher", () => {
    expect(afterFailure("shed")).toEqual([]);
    expect(the(outbox.tick(at(210)), "mint").effort).toBe(Math.ceil(FLOOR * 1.15 * 1.6));
  });

  test("stale within two minutes: the next stamp follows the neighbour's clock; beyond: E_CLOCK", () => {
    expect(afterFailure("stale", WALL + 60_000)).toEqual([]);
    const { attempt } = minted(outbox.tick(at(210)), 220);
    const { timestampMs } = read(attempt.encodedEnvelope).envelope;
    expect(timestampMs).toBe(WALL + 60_001 + 200);
    const far = outbox.settled(attempt.id, failed("stale", WALL + 500_000), at(230));
    expect(the(far, "failed")).toMatchObject({ code: "E_CLOCK", message: expect.stringContaining("500 s") });
  });

  test("a SendFail of an attempt that was given up does not stop the one under way", () => {
    const first = minted(outbox.submit(submit(), at(0)), 0).attempt;
    const second = minted(outbox.tick(at(1200)), 1205).attempt;
    expect(outbox.settled(first.id, failed("no-inbox"), at(1210))).toEqual([]);
    expect(the(outbox.settled(second.id, { type: "acknowledged", hops: 2, via: RELAY }, at(1220)), "receipt").id).toBe(
      "s1",
    );
  });
});

describe("misuse", () => {
  test.each([
    ["too large", { content: new Uint8Array(60_001) }, "E_TOO_LARGE"],
    ["a long topic", { topic: "x".repeat(129) }, "E_TOO_LARGE"],
    ["to itself", { to: ALICE.id }, "E_BAD_ID"],
    ["over a channel", { via: "channel" as const }, "E_NOT_SUPPORTED"],
  ])("%s", (_name, changes, code) => {
    expect(the(outbox.submit(submit(changes), at(0)), "failed").code).toBe(code);
    expect(outbox.openCount).toBe(0);
  });

  test("at most 1,024 are open", () => {
    for (let i = 0; i < 1024; i += 1) outbox.submit(submit({ id: `${i}` }), at(0));
    expect(the(outbox.submit(submit({ id: "more" }), at(0)), "failed").code).toBe("E_QUOTA");
  });
});
