import { beforeEach, describe, expect, test } from "@jest/globals";
import { type Identity, identityFromSeed } from "@starling/crypto-identity";
import { createSessionCrypto } from "@starling/session";
import { type Candidate, type Description, decodeSignal, encodeSignal, type Signal } from "@starling/wire-protocol";
import { Signalling, type SignallingOutput } from "../src/signalling.ts";
import { at, counterRandom, WALL } from "./support.ts";

const [LESSER, GREATER] = [1, 2]
  .map((seed) => identityFromSeed(new Uint8Array(32).fill(seed)))
  .toSorted((a, b) => (a.id < b.id ? -1 : 1)) as [Identity, Identity];
const STRANGER = identityFromSeed(new Uint8Array(32).fill(9));

let lesser: Signalling;
let greater: Signalling;
let room: boolean;
let hasChannel: boolean;

/** `draws`: how often its randomness was drawn on before, so that a second life makes other keys. */
function make(identity: Identity, draws = 0): Signalling {
  const random = counterRandom();
  for (let i = 0; i < draws; i += 1) random(1);
  return new Signalling({
    crypto: createSessionCrypto({ identity, network: "test", random, purpose: "channel" }),
    random,
    acceptable: (candidates) => candidates.filter(({ address }) => address.ip.startsWith("192.0.2.")),
    hasRoom: () => room,
    hasChannel: () => hasChannel,
  });
}

beforeEach(() => {
  room = true;
  hasChannel = false;
  lesser = make(LESSER);
  greater = make(GREATER);
});

function description(ips: string[] = ["192.0.2.1"]): Description {
  return {
    setup: "actpass",
    ufrag: "abcd",
    pwd: "0123456789abcdefghijkl",
    fingerprint: new Uint8Array(32),
    candidates: ips.map((ip): Candidate => ({ type: "host", address: { ip, port: 5000 } })),
  };
}

function the<T extends SignallingOutput["type"]>(
  outputs: readonly SignallingOutput[],
  type: T,
): Extract<SignallingOutput, { type: T }> {
  const found = outputs.find((output): output is Extract<SignallingOutput, { type: T }> => output.type === type);
  if (found === undefined) throw new Error(`no ${type} among ${JSON.stringify(outputs)}`);
  return found;
}
const dropped = (outputs: readonly SignallingOutput[]) =>
  outputs.map((output) => (output.type === "dropped" ? output.reason : output.type));

/** The greater id's Offer, as its peer receives it. */
function offer(ms = 0): Uint8Array {
  const { channel } = the(greater.want(LESSER.id, at(ms)), "rtc-offer");
  return the(greater.described(channel, description(), at(ms)), "send-signal").content;
}

/** The lesser id takes an Offer and answers it. */
function answer(content: Uint8Array, ms = 0): { channel: string; content: Uint8Array } {
  const { channel } = the(lesser.received(GREATER.id, WALL + ms, content, at(ms)), "rtc-accept");
  return { channel, content: the(lesser.described(channel, description(), at(ms)), "send-signal").content };
}

describe("offer and answer", () => {
  test("agree on keys that open what the other end seals, and on who initiates", () => {
    const asked = answer(offer());
    const { channel } = the(greater.received(LESSER.id, WALL, asked.content, at(1)), "rtc-answer");
    const a = the(greater.opened(channel, at(2)), "channel-ready").channel;
    const b = the(lesser.opened(asked.channel, at(2)), "channel-ready").channel;
    expect([a.isInitiator, b.isInitiator]).toEqual([true, false]);
    expect([a.localIndex, a.remoteIndex]).toEqual([b.remoteIndex, b.localIndex]);
    const sealed = a.keys.send.seal(0, new Uint8Array(0), Uint8Array.of(1, 2, 3));
    expect(b.keys.receive.open(0, new Uint8Array(0), sealed)).toEqual(Uint8Array.of(1, 2, 3));
    expect([greater.nextDeadline(), lesser.isDialling(GREATER.id)]).toEqual([null, false]);
  });

  test("the lesser id asks by Intent; crossed wishes meet in one Offer", () => {
    const intent = the(lesser.want(GREATER.id, at(0)), "send-signal").content;
    const { channel } = the(greater.want(LESSER.id, at(0)), "rtc-offer");
    expect(dropped(greater.received(LESSER.id, WALL, intent, at(1)))).toEqual(["intent-repeat"]);
    const sent = the(greater.described(channel, description(), at(2)), "send-signal").content;
    expect(the(lesser.received(GREATER.id, WALL, sent, at(3)), "rtc-accept").label).toHaveLength(40);
  });

  test("an Intent that comes after the Offer it crossed has led to a channel asks for no second one", () => {
    const intent = the(lesser.want(GREATER.id, at(0)), "send-signal").content;
    const { channel } = the(greater.want(LESSER.id, at(0)), "rtc-offer");
    const asked = answer(the(greater.described(channel, description(), at(1)), "send-signal").content, 2);
    the(greater.received(LESSER.id, WALL, asked.content, at(3)), "rtc-answer");
    the(greater.opened(channel, at(200)), "channel-ready");
    hasChannel = true;
    expect(dropped(greater.received(LESSER.id, WALL, intent, at(400)))).toEqual(["intent-repeat"]);
    // Whoever has lost its channel goes on asking for longer than that.
    the(greater.received(LESSER.id, WALL, intent, at(3201)), "rtc-offer");
  });

  test("an Intent lets in the Offers of 30 s, until one has led to a channel", () => {
    the(lesser.want(GREATER.id, at(0)), "send-signal");
    const first = answer(offer(100), 200);
    lesser.closed(first.channel, "failed", at(1000));
    greater = make(GREATER, 5);
    const second = answer(offer(1100), 1200);
    lesser.closed(second.channel, "failed", at(2000));
    greater = make(GREATER, 9);
    const third = answer(offer(2100), 2200);
    lesser.opened(third.channel, at(2500));
    greater = make(GREATER, 13);
    room = false;
    expect(dropped(lesser.received(GREATER.id, WALL + 3000, offer(3000), at(3000)))).toEqual(["offer-budget"]);
  });

  test("30 s after an Intent an Offer is one that nobody asked for", () => {
    the(lesser.want(GREATER.id, at(0)), "send-signal");
    lesser.tick(at(15_000));
    room = false;
    const late = offer(29_000);
    expect(the(lesser.received(GREATER.id, WALL + 29_999, late, at(29_999)), "rtc-accept").label).toHaveLength(40);
    lesser = make(LESSER);
    the(lesser.want(GREATER.id, at(0)), "send-signal");
    lesser.tick(at(15_000));
    expect(dropped(lesser.received(GREATER.id, WALL + 30_001, late, at(30_001)))).toEqual(["offer-budget"]);
  });

  test("what gets lost is told again, with the same bytes", () => {
    const content = offer();
    expect(the(greater.tick(at(3000)), "send-signal").content).toEqual(content);
    the(lesser.want(GREATER.id, at(0)), "send-signal");
    expect(decodeSignal(the(lesser.tick(at(3000)), "send-signal").content)).toMatchObject({
      value: { type: "intent" },
    });
  });

  test("a repeated Offer is answered with the same Answer and makes nothing", () => {
    const content = offer();
    const first = answer(content);
    const again = lesser.received(GREATER.id, WALL + 10_000, content, at(10_000));
    expect(again).toEqual([{ type: "send-signal", peer: GREATER.id, content: first.content }]);
    // Once it is forgotten it is stale: nothing answers it as new.
    lesser.tick(at(60_001));
    expect(dropped(lesser.received(GREATER.id, WALL, content, at(60_001)))).toEqual(["signal-stale"]);
  });

  test("late candidates travel sealed, two at most, and only acceptable ones are tried", () => {
    const asked = answer(offer());
    the(greater.received(LESSER.id, WALL, asked.content, at(1)), "rtc-answer");
    const find = (ip: string) => lesser.foundCandidate(asked.channel, { type: "srflx", address: { ip, port: 6000 } });
    const good = the(find("192.0.2.7"), "send-signal").content;
    const bad = the(find("127.0.0.1"), "send-signal").content;
    expect(find("192.0.2.8")).toEqual([]);
    expect(greater.received(LESSER.id, WALL, bad, at(2))).toEqual([]);
    expect(the(greater.received(LESSER.id, WALL, good, at(2)), "rtc-candidate").candidate.address.ip).toBe("192.0.2.7");
    const forged = good.slice();
    forged[forged.length - 1] = (forged[forged.length - 1] ?? 0) ^ 1;
    expect(dropped(greater.received(LESSER.id, WALL, forged, at(3)))).toEqual(["candidate-sealed"]);
  });

  test("a candidate that the offerer finds before the Answer is told once the Answer is here", () => {
    const { channel } = the(greater.want(LESSER.id, at(0)), "rtc-offer");
    const sent = the(greater.described(channel, description(), at(0)), "send-signal").content;
    const candidate: Candidate = { type: "srflx", address: { ip: "192.0.2.7", port: 6000 } };
    expect(greater.foundCandidate(channel, candidate)).toEqual([]);
    const asked = answer(sent, 1);
    const late = the(greater.received(LESSER.id, WALL, asked.content, at(2)), "send-signal").content;
    expect(the(lesser.received(GREATER.id, WALL, late, at(3)), "rtc-candidate").candidate).toEqual(candidate);
  });

  test("a candidate that overtakes its Answer is held for 5 s, ten at most", () => {
    const asked = answer(offer());
    const candidate: Candidate = { type: "srflx", address: { ip: "192.0.2.7", port: 6000 } };
    const { content } = the(lesser.foundCandidate(asked.channel, candidate), "send-signal");
    expect(greater.received(LESSER.id, WALL, content, at(1))).toEqual([]);
    for (let i = 1; i < 10; i += 1) greater.received(LESSER.id, WALL, content, at(1));
    expect(dropped(greater.received(LESSER.id, WALL, content, at(1)))).toEqual(["candidate-unasked"]);
    const opening = greater.received(LESSER.id, WALL, asked.content, at(2));
    expect(opening.slice(0, 2).map(({ type }) => type)).toEqual(["rtc-answer", "rtc-candidate"]);
    expect(the(opening, "rtc-candidate").candidate).toEqual(candidate);
  });

  test("a candidate that waited for its Answer for longer is forgotten", () => {
    const asked = answer(offer());
    const candidate: Candidate = { type: "srflx", address: { ip: "192.0.2.7", port: 6000 } };
    const { content } = the(lesser.foundCandidate(asked.channel, candidate), "send-signal");
    greater.received(LESSER.id, WALL, content, at(1));
    expect(dropped(greater.received(LESSER.id, WALL, asked.content, at(5001)))).toEqual(["rtc-answer"]);
  });
});

describe("what is not to be believed", () => {
  const send = (to: Signalling, from: Identity, signal: Signal, ms = 0) =>
    dropped(to.received(from.id, WALL + ms, encodeSignal(signal), at(ms)));

  test("signals that are stale, or from the future", () => {
    const content = offer();
    expect(dropped(lesser.received(GREATER.id, WALL - 30_001, content, at(0)))).toEqual(["signal-stale"]);
    expect(dropped(lesser.received(GREATER.id, WALL + 30_001, content, at(0)))).toEqual(["signal-stale"]);
    expect(lesser.isDialling(GREATER.id)).toBe(false);
  });

  test("a mutated Offer opens nothing, whichever byte it was", () => {
    const content = offer();
    for (let byte = 1; byte < content.length; byte += 1) {
      const fresh = make(LESSER);
      const forged = content.slice();
      forged[byte] = (forged[byte] ?? 0) ^ 0x10;
      const outputs = fresh.received(GREATER.id, WALL, forged, at(0));
      expect(outputs.every(({ type }) => type === "dropped")).toBe(true);
      expect(fresh.isDialling(GREATER.id)).toBe(false);
    }
  });

  test("an Offer that another sealed into its own box", () => {
    expect(dropped(lesser.received(STRANGER.id, WALL, offer(), at(0)))[0]).toMatch(/^offer-(handshake|wrong-side)$/);
  });

  test("an Offer from the side that does not offer, an Intent from the side that does", () => {
    expect(send(greater, LESSER, { type: "offer", message: new Uint8Array(100) })).toEqual(["offer-wrong-side"]);
    expect(send(lesser, GREATER, { type: "intent" })).toEqual(["intent-wrong-side"]);
  });

  test("answers and candidates to nothing, a mutated Answer, a second one", () => {
    const tag = new Uint8Array(8);
    expect(send(greater, LESSER, { type: "answer", offerTag: tag, message: new Uint8Array(52) })).toEqual([
      "answer-unasked",
    ]);
    expect(send(greater, LESSER, { type: "candidate", offerTag: tag, sealed: tag })).toEqual(["candidate-unasked"]);
    const { content } = answer(offer());
    const forged = content.slice();
    forged[forged.length - 1] = (forged[forged.length - 1] ?? 0) ^ 1;
    expect(dropped(greater.received(LESSER.id, WALL, forged, at(1)))).toEqual(["answer-handshake"]);
    // It changed nothing: the true one still counts, and only once.
    the(greater.received(LESSER.id, WALL, content, at(2)), "rtc-answer");
    expect(dropped(greater.received(LESSER.id, WALL, content, at(3)))).toEqual(["answer-unasked"]);
  });

  test("hostile candidates do not reach the RTC stack", () => {
    const { channel } = the(greater.want(LESSER.id, at(0)), "rtc-offer");
    const hostile = description(["127.0.0.1", "224.0.0.1", "10.0.0.1", "192.0.2.5"]);
    const sent = the(greater.described(channel, hostile, at(0)), "send-signal").content;
    const accepted = the(lesser.received(GREATER.id, WALL, sent, at(1)), "rtc-accept").description;
    expect(accepted.candidates.map(({ address }) => address.ip)).toEqual(["192.0.2.5"]);
  });

  test("unasked Offers: one in five seconds a peer, none without room", () => {
    room = false;
    expect(dropped(lesser.received(GREATER.id, WALL, offer(), at(0)))).toEqual(["offer-budget"]);
    room = true;
    greater = make(GREATER);
    const { channel } = answer(offer());
    lesser.closed(channel, "failed", at(1000));
    greater = make(GREATER, 5);
    expect(dropped(lesser.received(GREATER.id, WALL + 2000, offer(), at(2000)))).toEqual(["offer-rate"]);
  });
});

describe("giving up", () => {
  test("after 15 s, with the channel cancelled and a back-off before the next try", () => {
    const { channel } = the(greater.want(LESSER.id, at(0)), "rtc-offer");
    const outputs = greater.tick(at(15_000));
    expect(outputs).toEqual([
      { type: "rtc-cancel", channel },
      { type: "channel-failed", peer: LESSER.id, reason: "timeout" },
    ]);
    expect(greater.want(LESSER.id, at(16_000))).toEqual([]);
    expect(the(greater.want(LESSER.id, at(20_001)), "rtc-offer").type).toBe("rtc-offer");
  });

  test("at most 8 dials of our own at once", () => {
    const others = Array.from({ length: 12 }, (_, i) => identityFromSeed(new Uint8Array(32).fill(50 + i)).id);
    const outcomes = others.flatMap((peer) => dropped(greater.want(peer, at(0))));
    expect(outcomes.filter((outcome) => outcome === "dials-full")).toHaveLength(4);
  });

  describe("dials of strangers", () => {
    const strangers = Array.from({ length: 40 }, (_, i) => identityFromSeed(new Uint8Array(32).fill(100 + i)))
      .filter(({ id }) => id > LESSER.id)
      .slice(0, 9);

    /** Offers of so many strangers, all greater than the one who gets them. */
    function besiege(count: number, ms = 0): string[] {
      return strangers.slice(0, count).flatMap((stranger) => {
        const signalling = make(stranger);
        const { channel } = the(signalling.want(LESSER.id, at(ms)), "rtc-offer");
        const { content } = the(signalling.described(channel, description(), at(ms)), "send-signal");
        return dropped(lesser.received(stranger.id, WALL + ms, content, at(ms)));
      });
    }

    test("are 8 at most", () => {
      expect(besiege(9).filter((outcome) => outcome === "dials-full")).toHaveLength(1);
    });

    test("do not keep us from our own", () => {
      besiege(8);
      expect(dropped(lesser.want(GREATER.id, at(1)))).toEqual(["send-signal"]);
    });

    test("give way, the oldest first, once they have had 2 s", () => {
      besiege(8);
      const [oldest, next] = strangers;
      const content = offer(1000);
      expect(dropped(lesser.received(GREATER.id, WALL + 1000, content, at(1000)))).toEqual(["dials-full"]);
      // It was not its turn that was used up.
      expect(dropped(lesser.received(GREATER.id, WALL + 2000, content, at(2000)))).toEqual([
        "rtc-cancel",
        "rtc-accept",
      ]);
      expect(lesser.isDialling(oldest?.id ?? LESSER.id)).toBe(false);
      expect(lesser.isDialling(next?.id ?? LESSER.id)).toBe(true);
    });
  });

  test("cancelled by its owner it is gone at once", () => {
    const { channel } = the(greater.want(LESSER.id, at(0)), "rtc-offer");
    expect(greater.cancel(LESSER.id)).toEqual([{ type: "rtc-cancel", channel }]);
    expect(greater.described(channel, description(), at(1))).toEqual([]);
    expect(greater.nextDeadline()).toBeNull();
  });
});
