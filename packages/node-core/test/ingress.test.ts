// The ladder of PROTOCOL §7.6 and §8, rung by rung: what each one refuses, with what, and that the lower one is asked first.
import { beforeEach, describe, expect, test } from "@jest/globals";
import { MAX_EFFORT } from "@starling/hashcash";
import {
  bytesToHex,
  decodePublication,
  envelopeDigest,
  envelopeId,
  type Publish,
  publicationDigest,
  publicationId,
  type Send,
} from "@starling/wire-protocol";
import { Freshness } from "../src/freshness.ts";
import { effortAt, type IngressState, judge, judgePublish } from "../src/ingress.ts";
import { at, attempt, counterRandom, FLOOR, identity, publishOf, sendOf, WALL } from "./support.ts";

const ALICE = identity(1);
const BOB = identity(2);
const PUBLISH_FLOOR = 4 * FLOOR;

let seen: Set<string>;
let pending: Set<string>;
let sizes: number[];
let state: IngressState;

beforeEach(() => {
  [seen, pending, sizes] = [new Set(), new Set(), []];
  const floorOf = (floor: number) => (sizeBytes: number) => {
    sizes.push(sizeBytes);
    return floor;
  };
  state = {
    network: "test",
    freshness: new Freshness(WALL),
    seen: { has: (digest) => seen.has(bytesToHex(digest)) },
    floor: floorOf(FLOOR),
    publishFloor: floorOf(PUBLISH_FLOOR),
    isPending: (id) => pending.has(id),
  };
});

const random = counterRandom();
const send = (timestampMs = WALL, effort = FLOOR) =>
  sendOf(attempt({ from: ALICE, to: BOB, timestampMs, effort, random }));
const withNonce = (one: Send, nonce: Uint8Array): Send => ({ ...one, envelope: { ...one.envelope, nonce } });
/** Of this effort no nonce is a stamp by luck. */
const badly = (one: Send): Send => ({ ...one, envelope: { ...one.envelope, effort: MAX_EFFORT } });

describe("a Send", () => {
  test("stands with its id, its digest, its size and the multiple of the floor that it claims", () => {
    const one = send(WALL, 3 * FLOOR);
    const digest = envelopeDigest("test", one.encodedEnvelope);
    const sizeBytes = one.encodedEnvelope.length;
    const id = envelopeId(digest);
    expect(judge(state, one, 1, at(0))).toEqual({ type: "stands", id, digest, sizeBytes, multiple: 3 });
    expect(sizes).toEqual([sizeBytes]);
  });

  test("at the bound of freshness it stands; 1 ms before it is told the bound, and 1 ms too far ahead the time", () => {
    const early = { type: "refused", reason: "stale", detail: WALL };
    expect(judge(state, send(WALL - 1), 1, at(5))).toEqual(early);
    expect(judge(state, send(WALL), 1, at(5)).type).toBe("stands");
    expect(judge(state, send(WALL + 30_005), 1, at(5)).type).toBe("stands");
    expect(judge(state, send(WALL + 30_006), 1, at(5))).toEqual({ ...early, detail: WALL + 5 });
  });

  test("of the effort that is asked it stands; of one hash less it is told what is asked", () => {
    const one = send(WALL, 24);
    expect(judge(state, one, 1.5, at(0)).type).toBe("stands");
    expect(judge(state, one, 1.501, at(0))).toEqual({ type: "refused", reason: "price", detail: 25 });
    // The price of a fraction of a hash is a hash.
    expect([effortAt(1.5, 16), effortAt(1.501, 16), effortAt(1, 1), effortAt(MAX_EFFORT, 2)]).toEqual([
      24,
      25,
      1,
      MAX_EFFORT,
    ]);
  });

  test("a stamp that is none is refused without a detail", () => {
    expect(judge(state, badly(send()), 1, at(0))).toEqual({ type: "refused", reason: "bad-stamp", detail: 0 });
  });

  test("one that is carried is pending, seen or not; one that is no longer is seen", () => {
    const one = send();
    const digest = envelopeDigest("test", one.encodedEnvelope);
    const id = envelopeId(digest);
    pending.add(id);
    expect(judge(state, one, 1, at(0))).toEqual({ type: "pending", id });
    seen.add(bytesToHex(digest));
    expect(judge(state, one, 1, at(0))).toEqual({ type: "pending", id });
    pending.clear();
    expect(judge(state, one, 1, at(0))).toEqual({ type: "seen", id });
  });

  test("freshness is judged before the price, the price before the stamp, the stamp before the repeat", () => {
    const reasonOf = (one: Send, price: number) => {
      const judged = judge(state, one, price, at(0));
      return judged.type === "refused" ? judged.reason : judged.type;
    };
    const one = badly(send());
    seen.add(bytesToHex(envelopeDigest("test", one.encodedEnvelope)));
    const cheap = withNonce(send(), new Uint8Array(8));
    expect(reasonOf({ ...cheap, envelope: { ...cheap.envelope, timestampMs: 0 } }, 9)).toBe("stale");
    expect(reasonOf(cheap, 9)).toBe("price");
    expect(reasonOf(one, 1)).toBe("bad-stamp");
  });
});

describe("a Publish", () => {
  const publish = (effort = PUBLISH_FLOOR) => publishOf({ from: ALICE, effort, random });
  const digestOf = ({ publication }: Publish) => publicationDigest("test", publication.encoded);
  const changed = (one: Publish, changes: Partial<Publish["publication"]>): Publish => ({
    ...one,
    publication: { ...one.publication, ...changes },
  });
  /** One bit of the signature is another. */
  function forged(one: Publish): Publish {
    const encoded = one.publication.encoded.slice();
    encoded[60] = (encoded[60] ?? 0) ^ 1;
    const read = decodePublication(encoded);
    if (!read.ok) throw new Error(read.reason);
    return { ...one, publication: read.value };
  }
  const refused = (reason: string) => ({ type: "refused", reason, detail: 0 });

  test("stands with its id, its digest, its size and the multiple of its own floor", () => {
    const one = publish(2 * PUBLISH_FLOOR);
    const digest = digestOf(one);
    const sizeBytes = one.publication.encoded.length;
    const id = publicationId(digest);
    expect(judgePublish(state, one, 2, at(0))).toEqual({ type: "stands", id, digest, sizeBytes, multiple: 2 });
    expect(sizes).toEqual([sizeBytes]);
  });

  test("is refused where it is stale or ahead, too cheap, badly stamped or not signed by its author", () => {
    const one = publish();
    expect(judgePublish(state, changed(one, { timestampMs: WALL + 30_001 }), 1, at(0))).toEqual(refused("stale"));
    expect(judgePublish(state, one, 1.01, at(0))).toEqual(refused("price"));
    expect(judgePublish(state, changed(one, { effort: MAX_EFFORT }), 1, at(0))).toEqual(refused("bad-stamp"));
    expect(judgePublish(state, forged(one), 1, at(0))).toEqual(refused("signature"));
    expect(judgePublish(state, one, 1, at(0)).type).toBe("stands");
    expect(judgePublish(state, one, 1, at(90_001))).toEqual(refused("stale"));
  });

  test("a repeat is told before its signature costs anything, and after its stamp", () => {
    const one = forged(publish());
    const id = publicationId(digestOf(one));
    seen.add(bytesToHex(digestOf(one)));
    expect(judgePublish(state, one, 1, at(0))).toEqual({ type: "repeated", id });
    expect(judgePublish(state, changed(one, { effort: MAX_EFFORT }), 1, at(0))).toEqual(refused("bad-stamp"));
  });
});
