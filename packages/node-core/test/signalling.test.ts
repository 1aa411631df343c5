import { beforeEach, describe, expect, test } from "@jest/globals";
import { type Identity, identityFromSeed, type NodeId } from "@starling/crypto-identity";
import { createSessionCrypto } from "@starling/session";
import { type Candidate, type Description, decodeSignal, encodeSignal, type Signal } from "@starling/wire-protocol";
import type { Standing } from "../src/acquaintances.ts";
import { Signalling } from "../src/signalling.ts";
import type { SignallingOutput } from "../src/signalling-output.ts";
import { at, counterRandom, identity, WALL } from "./support.ts";

const [LESSER, GREATER] = [1, 2]
  .map((seed) => identityFromSeed(new Uint8Array(32).fill(seed)))
  .toSorted((a, b) => (a.id < b.id ? -1 : 1)) as [Identity, Identity];
const STRANGER = identityFromSeed(new Uint8Array(32).fill(9));
/** Greater than most: who dials it asks by Intent, which costs no handshake. */
const BESIEGED = Array.from({ length: 40 }, (_, i) => identity(200 + i)).reduce((a, b) => (a.id > b.id ? a : b));

let lesser: Signalling;
let greater: Signalling;
let room: boolean;
let hasChannel: boolean;
let standings: Map<NodeId, Standing>;

/** `draws`: how often its randomness was drawn on before, so that a second life makes other keys. */
function make(identity: Identity, draws = 0): Signalling {
  const random = counterRandom();
  for (let i = 0; i < draws; i += 1) random(1);
  return new Signalling({
    crypto: createSessionCrypto({ identity, network: "test", random, purpose: "channel" }),
    random,
    acceptable: (candidates) => candidates.filter(({ address }) => address.ip.startsWith("192.0.2.")),
    hasRoom: () => room,
    standing: (peer) => standings.get(peer) ?? 0,
    hasChannel: () => hasChannel,
  });
}

beforeEach(() => {
  room = true;
  hasChannel = false;
  standings = new Map();
  lesser = make(LESSER);
  greater = make(GREATER);
});

/** A signal of a peer, over its own link unless told. */
function receive(
  to: Signalling,
  from: NodeId,
  createdMs: number,
  content: Uint8Array,
  now: ReturnType<typeof at>,
  via = from,
): SignallingOutput[] {
  return to.received({ from, via, createdMs, content }, now);
}

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
  const { channel } = the(receive(lesser, GREATER.id, WALL + ms, content, at(ms)), "rtc-accept");
  return { channel, content: the(lesser.described(channel, description(), at(ms)), "send-signal").content };
}

describe("offer and answer", () => {
  test("agree on keys that open what the other end seals, and on who initiates", () => {
    const asked = answer(offer());
    const { channel } = the(receive(greater, LESSER.id, WALL, asked.content, at(1)), "rtc-answer");
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
    expect(dropped(receive(greater, LESSER.id, WALL, intent, at(1)))).toEqual(["intent-repeat"]);
    const sent = the(greater.described(channel, description(), at(2)), "send-signal").content;
    expect(the(receive(lesser, GREATER.id, WALL, sent, at(3)), "rtc-accept").label).toHaveLength(40);
  });

  test("an Intent that comes after the Offer it crossed has led to a channel asks for no second one", () => {
    const intent = the(lesser.want(GREATER.id, at(0)), "send-signal").content;
    const { channel } = the(greater.want(LESSER.id, at(0)), "rtc-offer");
    const asked = answer(the(greater.described(channel, description(), at(1)), "send-signal").content, 2);
    the(receive(greater, LESSER.id, WALL, asked.content, at(3)), "rtc-answer");
    the(greater.opened(channel, at(200)), "channel-ready");
    hasChannel = true;
    expect(dropped(receive(greater, LESSER.id, WALL, intent, at(400)))).toEqual(["intent-repeat"]);
    // Whoever has lost its channel goes on asking for longer than that.
    the(receive(greater, LESSER.id, WALL, intent, at(3201)), "rtc-offer");
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
    expect(dropped(receive(lesser, GREATER.id, WALL + 3000, offer(3000), at(3000)))).toEqual(["offer-budget"]);
  });

  test("30 s after an Intent an Offer is one that nobody asked for", () => {
    the(lesser.want(GREATER.id, at(0)), "send-signal");
    lesser.tick(at(15_000));
    room = false;
    const late = offer(29_000);
    expect(the(receive(lesser, GREATER.id, WALL + 29_999, late, at(29_999)), "rtc-accept").label).toHaveLength(40);
    lesser = make(LESSER);
    the(lesser.want(GREATER.id, at(0)), "send-signal");
    lesser.tick(at(15_000));
    expect(dropped(receive(lesser, GREATER.id, WALL + 30_001, late, at(30_001)))).toEqual(["offer-budget"]);
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
    const again = receive(lesser, GREATER.id, WALL + 10_000, content, at(10_000));
    expect(again).toEqual([{ type: "send-signal", peer: GREATER.id, content: first.content }]);
    // Once it is forgotten it is stale: nothing answers it as new.
    lesser.tick(at(60_001));
    expect(dropped(receive(lesser, GREATER.id, WALL, content, at(60_001)))).toEqual(["signal-stale"]);
  });

  test("late candidates travel sealed, two at most, and only acceptable ones are tried", () => {
    const asked = answer(offer());
    the(receive(greater, LESSER.id, WALL, asked.content, at(1)), "rtc-answer");
    const find = (ip: string) => lesser.foundCandidate(asked.channel, { type: "srflx", address: { ip, port: 6000 } });
    const good = the(find("192.0.2.7"), "send-signal").content;
    const bad = the(find("127.0.0.1"), "send-signal").content;
    expect(find("192.0.2.8")).toEqual([]);
    expect(receive(greater, LESSER.id, WALL, bad, at(2))).toEqual([]);
    expect(the(receive(greater, LESSER.id, WALL, good, at(2)), "rtc-candidate").candidate.address.ip).toBe("192.0.2.7");
    const forged = good.slice();
    forged[forged.length - 1] = (forged[forged.length - 1] ?? 0) ^ 1;
    expect(dropped(receive(greater, LESSER.id, WALL, forged, at(3)))).toEqual(["candidate-sealed"]);
  });

  test("a candidate that the offerer finds before the Answer is told once the Answer is here", () => {
    const { channel } = the(greater.want(LESSER.id, at(0)), "rtc-offer");
    const sent = the(greater.described(channel, description(), at(0)), "send-signal").content;
    const candidate: Candidate = { type: "srflx", address: { ip: "192.0.2.7", port: 6000 } };
    expect(greater.foundCandidate(channel, candidate)).toEqual([]);
    const asked = answer(sent, 1);
    const late = the(receive(greater, LESSER.id, WALL, asked.content, at(2)), "send-signal").content;
    expect(the(receive(lesser, GREATER.id, WALL, late, at(3)), "rtc-candidate").candidate).toEqual(candidate);
  });

  test("a candidate that overtakes its Answer is held, ten at most", () => {
    const asked = answer(offer());
    const candidate: Candidate = { type: "srflx", address: { ip: "192.0.2.7", port: 6000 } };
    const { content } = the(lesser.foundCandidate(asked.channel, candidate), "send-signal");
    expect(receive(greater, LESSER.id, WALL, content, at(1))).toEqual([]);
    for (let i = 1; i < 10; i += 1) receive(greater, LESSER.id, WALL, content, at(1));
    expect(dropped(receive(greater, LESSER.id, WALL, content, at(1)))).toEqual(["candidate-unasked"]);
    const opening = receive(greater, LESSER.id, WALL, asked.content, at(2));
    expect(opening.slice(0, 2).map(({ type }) => type)).toEqual(["rtc-answer", "rtc-candidate"]);
    expect(the(opening, "rtc-candidate").candidate).toEqual(candidate);
  });

  test("a candidate is there still for an Answer that got through at the third try only", () => {
    const asked = answer(offer());
    const candidate: Candidate = { type: "srflx", address: { ip: "192.0.2.7", port: 6000 } };
    const { content } = the(lesser.foundCandidate(asked.channel, candidate), "send-signal");
    receive(greater, LESSER.id, WALL, content, at(1));
    for (const ms of [3000, 6000]) the(greater.tick(at(ms)), "send-signal");
    const opening = receive(greater, LESSER.id, WALL + 6500, asked.content, at(6500));
    expect(the(opening, "rtc-candidate").candidate).toEqual(candidate);
  });
});

describe("what is not to be believed", () => {
  const send = (to: Signalling, from: Identity, signal: Signal, ms = 0) =>
    dropped(receive(to, from.id, WALL + ms, encodeSignal(signal), at(ms)));

  test("signals that are stale, or from the future", () => {
    const content = offer();
    expect(dropped(receive(lesser, GREATER.id, WALL - 30_001, content, at(0)))).toEqual(["signal-stale"]);
    expect(dropped(receive(lesser, GREATER.id, WALL + 30_001, content, at(0)))).toEqual(["signal-stale"]);
    expect(lesser.isDialling(GREATER.id)).toBe(false);
  });

  test("a mutated Offer opens nothing, whichever byte it was", () => {
    const content = offer();
    for (let byte = 1; byte < content.length; byte += 1) {
      const fresh = make(LESSER);
      const forged = content.slice();
      forged[byte] = (forged[byte] ?? 0) ^ 0x10;
      const outputs = receive(fresh, GREATER.id, WALL, forged, at(0));
      expect(outputs.every(({ type }) => type === "dropped")).toBe(true);
      expect(fresh.isDialling(GREATER.id)).toBe(false);
    }
  });

  test("what is no signal, and an Offer or an Answer that holds no description", () => {
    expect(dropped(receive(lesser, GREATER.id, WALL, Uint8Array.of(99), at(0)))).toEqual(["signal-unknown-kind"]);
    const cryptoOf = (identity: Identity) =>
      createSessionCrypto({ identity, network: "test", random: counterRandom(), purpose: "channel" });
    const { message } = cryptoOf(GREATER).initiate(LESSER.id, new Uint8Array(5));
    expect(send(lesser, GREATER, { type: "offer", message })).toEqual(["offer-too-short"]);
    expect(lesser.isDialling(GREATER.id)).toBe(false);
    const offered = decodeSignal(offer());
    if (!offered.ok || offered.value.type !== "offer") throw new Error("no Offer");
    const answered = cryptoOf(LESSER).respond(offered.value.message)?.respond(new Uint8Array(5));
    if (answered === undefined) throw new Error("the Offer does not open");
    const offerTag = offered.value.message.slice(0, 8);
    const outcome = send(greater, LESSER, { type: "answer", offerTag, message: answered.message });
    expect(outcome).toEqual(["rtc-cancel", "channel-failed"]);
    expect(greater.isDialling(LESSER.id)).toBe(false);
  });

  test("an Offer again while it is being answered, and another one meanwhile", () => {
    const content = offer();
    const { channel } = the(receive(lesser, GREATER.id, WALL, content, at(0)), "rtc-accept");
    expect(dropped(receive(lesser, GREATER.id, WALL, content, at(1)))).toEqual(["offer-repeat"]);
    greater = make(GREATER, 5);
    expect(dropped(receive(lesser, GREATER.id, WALL, offer(), at(2)))).toEqual(["offer-busy"]);
    // The first goes on, and its channel is described once.
    the(lesser.described(channel, description(), at(3)), "send-signal");
    expect(lesser.described(channel, description(), at(4))).toEqual([]);
  });

  test("an Offer that was asked for, when all own dials are under way since", () => {
    the(lesser.want(GREATER.id, at(0)), "send-signal");
    lesser.tick(at(15_000));
    const others = Array.from({ length: 8 }, (_, i) => identityFromSeed(new Uint8Array(32).fill(50 + i)).id);
    for (const peer of others) expect(dropped(lesser.want(peer, at(15_000)))).not.toContain("dials-full");
    expect(dropped(receive(lesser, GREATER.id, WALL + 16_000, offer(16_000), at(16_000)))).toEqual(["dials-full"]);
  });

  test("an Offer that another sealed into its own box", () => {
    expect(dropped(receive(lesser, STRANGER.id, WALL, offer(), at(0)))[0]).toMatch(/^offer-(handshake|wrong-side)$/);
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
    expect(dropped(receive(greater, LESSER.id, WALL, forged, at(1)))).toEqual(["answer-handshake"]);
    // It changed nothing: the true one still counts, and only once.
    the(receive(greater, LESSER.id, WALL, content, at(2)), "rtc-answer");
    expect(dropped(receive(greater, LESSER.id, WALL, content, at(3)))).toEqual(["answer-unasked"]);
  });

  test("hostile candidates do not reach the RTC stack", () => {
    const { channel } = the(greater.want(LESSER.id, at(0)), "rtc-offer");
    const hostile = description(["127.0.0.1", "224.0.0.1", "10.0.0.1", "192.0.2.5"]);
    const sent = the(greater.described(channel, hostile, at(0)), "send-signal").content;
    const accepted = the(receive(lesser, GREATER.id, WALL, sent, at(1)), "rtc-accept").description;
    expect(accepted.candidates.map(({ address }) => address.ip)).toEqual(["192.0.2.5"]);
  });

  test("unasked Offers: one in five seconds a peer, none without room", () => {
    room = false;
    expect(dropped(receive(lesser, GREATER.id, WALL, offer(), at(0)))).toEqual(["offer-budget"]);
    room = true;
    greater = make(GREATER);
    const { channel } = answer(offer());
    lesser.closed(channel, "failed", at(1000));
    greater = make(GREATER, 5);
    expect(dropped(receive(lesser, GREATER.id, WALL + 2000, offer(), at(2000)))).toEqual(["offer-rate"]);
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

  describe("dials by others' wish", () => {
    const INTENT = encodeSignal({ type: "intent" });
    /** In the order in which they dial; all lesser than the one that they dial. */
    const strangers = Array.from({ length: 120 }, (_, i) => identity(10 + i).id)
      .filter((id) => id < BESIEGED.id)
      .slice(0, 60);
    const [oldest, next, ...others] = strangers as [NodeId, NodeId, ...NodeId[]];
    const FRIEND = others.at(-1) as NodeId;
    const ENDED = ["rtc-cancel", "channel-failed"];
    let besieged: Signalling;

    beforeEach(() => {
      besieged = make(BESIEGED);
    });

    const dial = (peer: NodeId, ms: number, via = peer) =>
      dropped(receive(besieged, peer, WALL + ms, INTENT, at(ms), via));
    const besiege = (count = 8, ms = 0, via?: NodeId) =>
      strangers.slice(0, count).flatMap((peer) => dial(peer, ms, via));
    const dialling = () => strangers.filter((peer) => besieged.isDialling(peer));

    test("are 8 at most", () => {
      expect(besiege(9)).toEqual([...Array.from({ length: 8 }, () => "rtc-offer"), "intent-full"]);
    });

    test("do not keep us from our own, and become our own when we want them as well", () => {
      besiege(8);
      expect(dropped(besieged.want(FRIEND, at(1)))).toEqual(["rtc-offer"]);
      besieged.want(oldest, at(1));
      // There is a place for one more of others', and the next after that takes the one that stayed theirs.
      standings.set(others[20] as NodeId, 2).set(others[21] as NodeId, 2);
      expect(dial(others[20] as NodeId, 2)).toEqual(["rtc-offer"]);
      expect(dial(others[21] as NodeId, 2)).toEqual([...ENDED, "rtc-offer"]);
      expect([besieged.isDialling(oldest), besieged.isDialling(next)]).toEqual([true, false]);
    });

    test("give way to their equals, the oldest first, once they have had 2 s", () => {
      besiege(8);
      expect(dial(FRIEND, 1999)).toEqual(["intent-full"]);
      expect(dial(others[20] as NodeId, 2000)).toEqual([...ENDED, "rtc-offer"]);
      expect([besieged.isDialling(oldest), besieged.isDialling(next)]).toEqual([false, true]);
    });

    test.each<Standing>([1, 2])("give way at once to who is better known (%i), and it to none below", (standing) => {
      besiege(8);
      standings.set(FRIEND, standing);
      expect(dial(FRIEND, 1)).toEqual([...ENDED, "rtc-offer"]);
      expect(besieged.isDialling(oldest)).toBe(false);
      for (const peer of others.slice(6, 40)) dial(peer, 5000);
      expect([dialling().length, besieged.isDialling(FRIEND)]).toEqual([8, true]);
      // Whoever has only written does not keep out whom programs here have addressed.
      for (const peer of strangers.slice(42, 50)) standings.set(peer, 1);
      for (const peer of strangers.slice(42, 50)) dial(peer, 5001);
      expect(besieged.isDialling(FRIEND)).toBe(standing === 2);
    });

    test("whose last one came to nothing stands below who had none, or one that opened", () => {
      const caller = identity(9);
      const { channel } = the(receive(besieged, caller.id, WALL, INTENT, at(0)), "rtc-offer");
      const { content } = the(besieged.described(channel, description(), at(0)), "send-signal");
      const called = make(caller);
      const accepted = the(receive(called, BESIEGED.id, WALL, content, at(0)), "rtc-accept");
      const answered = the(called.described(accepted.channel, description(), at(0)), "send-signal");
      receive(besieged, caller.id, WALL, answered.content, at(0));
      the(besieged.opened(channel, at(1)), "channel-ready");
      besiege(8);
      besieged.tick(at(15_000));
      dial(FRIEND, 15_000);
      besieged.cancel(FRIEND);
      expect(besiege(8, 20_000)).toEqual(Array.from({ length: 8 }, () => "rtc-offer"));
      expect(dial(FRIEND, 20_001)).toEqual(["intent-full"]);
      expect(dial(others[20] as NodeId, 20_001)).toEqual([...ENDED, "rtc-offer"]);
      expect(dial(caller.id, 20_001)).toEqual([...ENDED, "rtc-offer"]);
    });

    test("one link's give way at once to those of others, until all have as many", () => {
      const [RELAY, OTHER] = [identity(7).id, identity(8).id];
      besiege(8, 0, RELAY);
      const rest = strangers.slice(8);
      expect(rest.slice(0, 5).map((peer) => dial(peer, 1, OTHER).at(-1))).toEqual([
        ...Array.from({ length: 4 }, () => "rtc-offer"),
        "intent-full",
      ]);
      expect(rest.slice(5, 9).map((peer) => dial(peer, 1, RELAY).at(-1))).toEqual(
        Array.from({ length: 4 }, () => "intent-full"),
      );
    });

    test("are looked at once in 5 s, whether there was a place or not", () => {
      besiege(8);
      expect(dial(FRIEND, 0)).toEqual(["intent-full"]);
      expect(dial(FRIEND, 4999)).toEqual(["intent-rate"]);
      expect(dial(FRIEND, 5000)).toEqual([...ENDED, "rtc-offer"]);
    });

    describe("of fifty who come within 5 s and then ask ten times a second each", () => {
      /** What a caller that asks each 3 s, as nodes do, waits for its dial to begin; undefined where it gives up after 15 s. */
      function waits(caller: NodeId, fromMs: number): number | undefined {
        for (let ms = 0; ms < fromMs + 15_000; ms += 2) {
          besieged.tick(at(ms));
          const attacker = (ms / 2) % 50;
          if (ms >= attacker * 100) dial(strangers[attacker] as NodeId, ms);
          const isDue = ms >= fromMs && (ms - fromMs) % 3000 === 0;
          if (isDue && dial(caller, ms).includes("rtc-offer")) return ms - fromMs;
        }
        return undefined;
      }

      test.each<Standing>([1, 2])("a peer that has written here, or was addressed, waits for none (%i)", (standing) => {
        standings.set(FRIEND, standing);
        expect(waits(FRIEND, 1500)).toBe(0);
      });

      test("a stranger waits for none after 14 s, when most of them have had a turn", () => {
        expect(
          [14_000, 14_600, 15_200, 16_100].map((fromMs) => {
            besieged = make(BESIEGED);
            return waits(FRIEND, fromMs);
          }),
        ).toEqual([0, 0, 0, 0]);
      });

      test("before that a stranger has the chance that each of them has: most get through before they give up", () => {
        const waited = Array.from({ length: 20 }, (_, i) => {
          besieged = make(BESIEGED);
          return waits(FRIEND, 1000 + i * 170);
        });
        expect(waited.filter((ms) => ms !== undefined).length).toBeGreaterThanOrEqual(14);
      });
    });
  });

  test("cancelled by its owner it is gone at once", () => {
    const { channel } = the(greater.want(LESSER.id, at(0)), "rtc-offer");
    expect(greater.cancel(LESSER.id)).toEqual([
      { type: "rtc-cancel", channel },
      { type: "channel-failed", peer: LESSER.id, reason: "cancelled" },
    ]);
    expect(greater.described(channel, description(), at(1))).toEqual([]);
    expect(greater.nextDeadline()).toBeNull();
  });
});
