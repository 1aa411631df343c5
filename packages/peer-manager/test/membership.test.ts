import { describe, expect, test } from "@jest/globals";
import { identityFromSeed, type NodeId } from "@starling/crypto-identity";
import { signNodeRecord } from "@starling/wire-protocol";
import { bucketIndex } from "../src/distance.ts";
import { Membership, type MembershipOutput, sortByDistance } from "../src/index.ts";
import { at, type Resident, seededBytes, Town } from "./town.ts";

const host = (i: number, port = 4000) => ({ ip: `20.${i >> 8}.${i & 0xff}.9`, port });

/** A town whose first resident is everybody's bootstrap node. */
function settle(count: number, forMs: number, town: Town = new Town()): { town: Town; all: Resident[] } {
  const first = town.move(1, { address: host(1), role: "relay" });
  const bootstrap = [{ id: first.id, address: first.address }];
  const all = [first];
  for (let i = 2; i <= count; i += 1) all.push(town.move(i, { address: host(i), bootstrap }));
  town.run(forMs);
  return { town, all };
}

const anchorIds = ({ membership }: Resident) => membership.anchors().map(({ id }) => id);
const closest = (to: Resident, all: readonly Resident[]): NodeId[] =>
  sortByDistance(
    to.id,
    all.filter((other) => other !== to && other.isUp),
  )
    .slice(0, 4)
    .map(({ id }) => id);

describe("a town of 40", () => {
  const { town, all } = settle(40, 120_000);

  test("everybody has learned that strangers reach it, and is linked to its four closest", () => {
    expect(all.filter(({ membership }) => !membership.isReachable(town.ms))).toEqual([]);
    for (const each of all) expect([each.id, anchorIds(each)]).toEqual([each.id, closest(each, all)]);
  });

  test("links are few: anchors, one of a bucket, and those of whom it is one", () => {
    const counts = all.map(({ links }) => links.size).toSorted((a, b) => a - b);
    expect(counts[20]).toBeLessThanOrEqual(18);
    // The bootstrap node, of whom all have heard first, is the one that has more.
    expect(counts.at(-2)).toBeLessThanOrEqual(28);
  });

  test("when a third is gone the rest have their closest again, and dial the dead ever less often", () => {
    const dead = all.filter((_, i) => i % 3 === 2);
    for (const each of dead) town.kill(each);
    town.run(30_000);
    const alive = all.filter(({ isUp }) => isUp);
    for (const each of alive) expect(anchorIds(each)).toEqual(closest(each, alive));
    const [one] = alive;
    const before = one?.dials.length ?? 0;
    town.run(60_000);
    expect((one?.dials.length ?? 0) - before).toBeLessThanOrEqual(60);
  });
});

test("of two in a bucket the quicker is kept", () => {
  const town = new Town();
  const slow = new Set<NodeId>();
  town.rttMs = (a, b) => (slow.has(a) || slow.has(b) ? 200 : 20);
  const { all } = settle(40, 1000, town);
  for (const each of all.filter((_, i) => i % 2 === 1)) slow.add(each.id);
  town.run(150_000);
  const kept = all
    .filter(({ id }) => !slow.has(id))
    .flatMap(({ membership }) => {
      const anchors = new Set(membership.anchors());
      return membership.reachable().filter((neighbour) => neighbour.dialled && !anchors.has(neighbour));
    });
  expect(kept.length).toBeGreaterThan(10);
  expect(kept.filter(({ id }) => slow.has(id)).length).toBeLessThan(kept.length / 3);
});

test("a surplus link is hung up once no ack may be on its way over it any more", () => {
  const town = new Town();
  let isBusy = true;
  town.isInUse = () => isBusy;
  const { all } = settle(40, 60_000, town);
  const links = () => all.reduce((sum, each) => sum + each.links.size, 0);
  const inUse = links();
  isBusy = false;
  town.run(30_000);
  expect(links()).toBeLessThan(0.8 * inUse);
});

describe("one node and what it is told", () => {
  const identity = (seed: number) => identityFromSeed(new Uint8Array(32).fill(seed));
  const [SELF, PEER, OTHER, THIRD] = [identity(1), identity(2), identity(3), identity(4)];

  function alone(options: Partial<ConstructorParameters<typeof Membership>[0]> = {}): Membership {
    const membership = new Membership(
      {
        ...{ identity: SELF, network: "town", role: "node", bootstrap: [], announce: [], maxNeighbours: 8 },
        random: seededBytes(5),
        ...options,
      },
      { rttOf: () => 30, isInUse: () => false },
      at(0),
    );
    membership.tick(at(0));
    return membership;
  }
  const dialsOf = (outputs: readonly MembershipOutput[]) => outputs.filter(({ type }) => type === "dial");
  const sentTo = (outputs: readonly MembershipOutput[]) =>
    outputs.flatMap((output) => (output.type === "send" ? [[output.peer, output.message]] : []));
  const until = (membership: Membership, fromMs: number, toMs: number): MembershipOutput[] => {
    const outputs: MembershipOutput[] = [];
    for (let ms = fromMs; ms < toMs; ms += 200) outputs.push(...membership.tick(at(ms)));
    return outputs;
  };
  const recordOf = (seed: number, addresses: { ip: string; port: number }[], sequence = 1) =>
    signNodeRecord({
      identity: identity(seed),
      network: "town",
      role: "node",
      addresses,
      sequence,
      random: seededBytes(9),
    });

  test("hundreds of contacts that name one victim, loopback or multicast cost one dial of it in ten minutes, and none", () => {
    const membership = alone();
    membership.opened(PEER.id, host(7), false, at(0));
    const dials: MembershipOutput[] = [];
    for (let i = 0; i < 300; i += 1) {
      const contacts = ["203.0.113.5", "127.0.0.1", "10.0.0.1", "224.0.0.1"].map((ip, k) => ({
        id: identity(20 + ((i * 4 + k) % 200)).id,
        address: { ip, port: 1000 + i },
      }));
      membership.received(PEER.id, { type: "nodes", query: 0, attached: false, contacts }, at(i * 1000));
      for (const output of membership.tick(at(i * 1000 + 500))) {
        if (output.type !== "dial") continue;
        dials.push(output);
        membership.unanswered(output.peer, at(i * 1000 + 600));
      }
    }
    expect(dials).toMatchObject([{ address: { ip: "203.0.113.5" } }]);
  });

  test("whom it dials stands for the link that it may become: others of a bucket follow when nothing has come of it", () => {
    const membership = alone({ maxNeighbours: 64 });
    membership.opened(PEER.id, host(7), false, at(0));
    const contacts = Array.from({ length: 60 }, (_, i) => ({ id: identity(20 + i).id, address: host(1000 + 300 * i) }));
    const farthest = Math.max(...contacts.map(({ id }) => bucketIndex(SELF.id, id)));
    const isFarthest = (id: NodeId) => bucketIndex(SELF.id, id) === farthest;
    expect(contacts.filter(({ id }) => isFarthest(id)).length).toBeGreaterThan(20);
    membership.received(PEER.id, { type: "nodes", query: 0, attached: false, contacts }, at(0));
    // Each answers at once and never says who it is.
    const dialled = (fromMs: number, toMs: number): NodeId[] => {
      const ids: NodeId[] = [];
      for (let ms = fromMs; ms < toMs; ms += 100) {
        for (const output of membership.tick(at(ms))) {
          if (output.type !== "dial") continue;
          if (isFarthest(output.peer)) ids.push(output.peer);
          membership.opened(output.peer, output.address, true, at(ms + 50));
          membership.answered(output.peer, output.address, at(ms + 50));
        }
      }
      return ids;
    };
    // Two of the bucket, and three as who might be an anchor.
    expect(dialled(0, 1500).length).toBeLessThanOrEqual(5);
    expect(dialled(1500, 3100).length).toBeGreaterThan(1);
    expect(dialled(3100, 60_000).length).toBeGreaterThan(5);
  });

  test("a contact is no more than hearsay until its record holds the address that answered; then it is handed on", () => {
    const membership = alone();
    const ask = { type: "lookup", query: 1, target: OTHER.id } as const;
    membership.opened(PEER.id, host(7), true, at(0));
    membership.answered(PEER.id, host(7), at(0));
    expect(membership.answer(ask, host(9)).contacts).toEqual([]);
    membership.received(PEER.id, { type: "announce", anchor: false, record: recordOf(2, [host(8)]) }, at(1));
    expect([membership.reachableIds(), membership.answer(ask, host(9)).contacts]).toEqual([[], []]);
    membership.received(PEER.id, { type: "announce", anchor: true, record: recordOf(2, [host(7)], 2) }, at(2000));
    expect(membership.reachableIds()).toEqual([PEER.id]);
    expect(membership.answer(ask, host(9)).contacts).toEqual([{ id: PEER.id, address: host(7) }]);
    membership.received(PEER.id, { type: "announce", anchor: true, record: recordOf(2, [], 3) }, at(4000));
    expect([membership.reachableIds(), membership.answer(ask, host(9)).contacts]).toEqual([[], []]);
  });

  test("a record is taken from its author alone, newer, in scope, well signed; a repeat says who is whose anchor", () => {
    const membership = alone();
    membership.opened(PEER.id, host(7), false, at(0));
    const announce = (record: ReturnType<typeof recordOf>, ms: number, anchor = false) =>
      membership.received(PEER.id, { type: "announce", anchor, record }, at(ms));
    expect(announce(recordOf(3, []), 0)).toEqual([{ type: "dropped", reason: "announce-of-another" }]);
    expect(announce(recordOf(2, [{ ip: "127.0.0.1", port: 9 }]), 0)).toEqual([
      { type: "dropped", reason: "announce-scope" },
    ]);
    const forged = {
      ...recordOf(2, [], 5),
      encoded: recordOf(2, [], 6).encoded.map((byte, i) => (i === 33 ? 1 : byte)),
    };
    expect(announce(forged, 0)).toEqual([{ type: "dropped", reason: "announce-signature" }]);
    expect(announce(recordOf(2, [], 5), 2000)).toEqual([]);
    expect(announce(recordOf(2, [], 4), 4000)).toEqual([{ type: "dropped", reason: "announce-old" }]);
    expect(announce(recordOf(2, [], 5), 4001, true)).toEqual([]);
    expect(membership.neighbour(PEER.id)?.anchoredToUs).toBe(true);
    const news = Array.from({ length: 9 }, (_, i) => announce(recordOf(2, [], 10 + i), 5000 + i));
    expect(news.filter((outputs) => outputs.length > 0).length).toBeGreaterThan(3);
    expect(news.at(-1)).toEqual([{ type: "dropped", reason: "announce-quota" }]);
  });

  test("a neighbour's Lookups are answered 64 at once, then 20 a second; another's, and a new link's, are its own", () => {
    const membership = alone();
    membership.opened(PEER.id, host(7), false, at(0));
    membership.opened(OTHER.id, host(8), false, at(0));
    const answered = (peer: NodeId, count: number, ms: number) => {
      const ask = { type: "lookup", query: 1, target: THIRD.id } as const;
      const outputs = Array.from({ length: count }, () => membership.received(peer, ask, at(ms))).flat();
      const others = outputs.filter(({ type }) => type !== "send");
      expect(others).toEqual(others.map(() => ({ type: "dropped", reason: "lookup-quota" })));
      return outputs.length - others.length;
    };
    expect([answered(PEER.id, 200, 0), answered(OTHER.id, 64, 0)]).toEqual([64, 64]);
    expect([answered(PEER.id, 200, 1000), answered(PEER.id, 200, 1500)]).toEqual([20, 10]);
    // An iterative Lookup asks a node once, so one search after the other is always answered.
    for (let ms = 11_000; ms < 16_000; ms += 50) expect(answered(PEER.id, 1, ms)).toBe(1);
    expect(answered(PEER.id, 200, 60_000)).toBe(64);
    membership.closed(PEER.id, undefined, at(60_000));
    membership.opened(PEER.id, host(7), false, at(60_000));
    expect(answered(PEER.id, 64, 60_000)).toBe(64);
  });

  test("a DialBack is passed on to another block, as seen; a neighbour gets one in 2 s", () => {
    const membership = alone();
    const sameBlock = { ...host(7), ip: "20.0.7.77" };
    membership.opened(PEER.id, host(7), false, at(0));
    membership.opened(OTHER.id, sameBlock, false, at(0));
    const wish = { type: "dial-back", what: "me", port: 0 } as const;
    expect(membership.received(PEER.id, wish, at(0))).toEqual([{ type: "dropped", reason: "dial-back-nobody" }]);
    membership.opened(THIRD.id, host(8), false, at(0));
    expect(membership.received(PEER.id, wish, at(1000))).toEqual([{ type: "dropped", reason: "dial-back-quota" }]);
    expect(sentTo(membership.received(PEER.id, { ...wish, port: 999 }, at(3000)))).toEqual([
      [THIRD.id, { type: "dial-back", what: "peer", contact: { id: PEER.id, address: host(7, 999) } }],
    ]);
  });

  test("one who is passed a wish dials once, nobody it knows, and no ip twice in vain", () => {
    const membership = alone();
    membership.opened(PEER.id, host(7), false, at(0));
    const pass = (seed: number, address: { ip: string; port: number }, ms: number) =>
      membership.received(
        PEER.id,
        { type: "dial-back", what: "peer", contact: { id: identity(seed).id, address } },
        at(ms),
      );
    expect(pass(2, host(7), 0)).toEqual([{ type: "dropped", reason: "dial-back-known" }]);
    expect(pass(5, { ip: "127.0.0.1", port: 1 }, 0)).toEqual([{ type: "dropped", reason: "contact-scope" }]);
    expect(pass(5, host(9), 0)).toMatchObject([{ type: "dial", once: true, address: host(9) }]);
    membership.unanswered(identity(5).id, at(2000));
    expect(pass(5, host(10), 50_000)).toEqual([{ type: "dropped", reason: "dial-back-known" }]);
    expect(pass(6, host(9, 5000), 400_000)).toEqual([{ type: "dropped", reason: "dial-back-quota" }]);
    expect(pass(7, host(11), 400_000)).toMatchObject([{ type: "dial" }]);
    expect(pass(8, host(12), 402_000)).toEqual([{ type: "dropped", reason: "dial-back-quota" }]);
  });

  test("two who come unasked make it reachable for 15 min, and while their links live; another address ends it", () => {
    const membership = alone();
    const pong = (from: NodeId, observed: { ip: string; port: number }, ms: number) =>
      membership.received(
        from,
        { type: "pong", echo: new Uint8Array(8), wallMs: 0, sendPrice: 1, publishPrice: 1, observed, contacts: [] },
        at(ms),
      );
    membership.opened(PEER.id, host(7), true, at(0));
    pong(PEER.id, host(1), 0);
    membership.opened(OTHER.id, host(8), false, at(0));
    expect(membership.isReachable(0)).toBe(false);
    membership.opened(THIRD.id, host(9), false, at(0));
    expect(membership.isReachable(0)).toBe(true);
    const told = sentTo(until(membership, 0, 1000)).filter(
      ([, message]) => (message as { type: string }).type === "announce",
    );
    expect(told.map(([peer]) => peer).toSorted()).toEqual([PEER.id, OTHER.id, THIRD.id].toSorted());
    expect(told[0]?.[1]).toMatchObject({ record: { addresses: [host(1)] } });
    expect(membership.isReachable(3_600_000)).toBe(true);
    membership.closed(OTHER.id, undefined, at(10_000));
    expect([membership.isReachable(800_000), membership.isReachable(901_000)]).toEqual([true, false]);
    // Whom we had to do with a moment ago proves nothing.
    membership.opened(OTHER.id, host(8), false, at(20_000));
    expect(membership.isReachable(901_000)).toBe(false);
    pong(THIRD.id, host(2), 30_000);
    pong(PEER.id, host(2), 30_001);
    expect(membership.isReachable(30_002)).toBe(false);
  });

  test("moved: what neighbours see that are left counts a minute later, however many saw it elsewhere before", () => {
    const membership = alone({ maxNeighbours: 128 });
    const pong = (seed: number, observed: { ip: string; port: number }, ms: number) =>
      membership.received(
        identity(seed).id,
        { type: "pong", echo: new Uint8Array(8), wallMs: 0, sendPrice: 1, publishPrice: 1, observed, contacts: [] },
        at(ms),
      );
    const before = Array.from({ length: 64 }, (_, i) => 10 + i);
    const after = Array.from({ length: 31 }, (_, i) => 100 + i);
    for (const seed of [...before, ...after]) membership.opened(identity(seed).id, host(seed), true, at(0));
    for (const seed of before) pong(seed, host(1), 10_000);
    for (const seed of before) membership.closed(identity(seed).id, undefined, at(11_000));
    const seenAt = (ms: number) => {
      for (const seed of after) pong(seed, host(2), ms);
      return membership.observed;
    };
    expect([20_000, 30_000, 40_000, 50_000, 60_000].map(seenAt)).toEqual(Array(5).fill(host(1)));
    expect([70_000, 80_000, 600_000].map(seenAt)).toEqual(Array(3).fill(host(2)));
  });

  test("the clock follows the median of three blocks, not one voter of a block that shouts", () => {
    const membership = alone();
    const tell = (seed: number, address: { ip: string; port: number }, wallMs: number) => {
      membership.opened(identity(seed).id, address, false, at(0));
      const observed = host(1);
      const pong = { type: "pong", echo: new Uint8Array(8), sendPrice: 1, publishPrice: 1, contacts: [] } as const;
      const moved = { mono: 0, wall: at(0).wall + membership.clockCorrectionMs };
      membership.received(identity(seed).id, { ...pong, observed, wallMs }, moved);
      return membership.clockOffsetMs;
    };
    const { wall } = at(0);
    expect(tell(2, host(7), wall + 40_000)).toBe(0);
    expect(tell(3, { ...host(7), ip: "20.0.7.77" }, wall + 50_000)).toBe(0);
    expect(tell(4, host(8), wall + 39_000)).toBe(0);
    expect(tell(5, host(9), wall + 3_000_000)).toBe(50_015);
    expect(tell(6, host(10), wall + 39_500)).toBe(50_015);
    expect(tell(7, host(11), wall + 39_600)).toBe(39_615);
    // What each said stands by itself, and goes with its link.
    expect(membership.viewOf(identity(7).id)).toEqual({ observed: host(1), clockAheadMs: 39_615 });
    membership.closed(identity(7).id, undefined, at(1));
    expect(membership.viewOf(identity(7).id)).toBeUndefined();
  });

  test("full: a stranger may prove within 3 s that we are its anchor; for it the least useful goes, else it goes itself", () => {
    const membership = alone({ maxNeighbours: 2 });
    membership.opened(PEER.id, host(7), false, at(0));
    membership.opened(OTHER.id, host(8), false, at(10));
    membership.opened(THIRD.id, host(9), false, at(20));
    const record = recordOf(4, []);
    expect(membership.received(THIRD.id, { type: "announce", anchor: true, record }, at(1000))).toEqual([
      { type: "hang-up", peer: OTHER.id, reason: "full" },
    ]);
    membership.closed(OTHER.id, "local", at(1000));
    membership.opened(identity(9).id, host(10), false, at(2000));
    expect(until(membership, 2000, 6000)).toContainEqual({ type: "hang-up", peer: identity(9).id, reason: "full" });
  });

  test("bootstrap nodes are dialled for ever, ever slower, up to 30 s; saved peers only while nobody is there", () => {
    const bootstrap = [{ id: PEER.id, address: host(7) }];
    const saved = [{ id: OTHER.id, address: host(8) }];
    const membership = new Membership(
      {
        ...{ identity: SELF, network: "town", role: "node", bootstrap, saved, announce: [], maxNeighbours: 8 },
        random: seededBytes(6),
      },
      { rttOf: () => 30, isInUse: () => false },
      at(0),
    );
    const times = new Map<NodeId, number[]>();
    const run = (fromMs: number, toMs: number, isUp: boolean) => {
      for (let ms = fromMs; ms < toMs; ms += 100) {
        for (const dial of dialsOf(membership.tick(at(ms)))) {
          if (dial.type !== "dial") continue;
          times.set(dial.peer, [...(times.get(dial.peer) ?? []), ms]);
          if (!isUp) membership.unanswered(dial.peer, at(ms));
          else membership.opened(dial.peer, dial.address, true, at(ms));
        }
      }
    };
    run(0, 600_000, false);
    const waits = (times.get(PEER.id) ?? []).map((ms, i, all) => ms - (all[i - 1] ?? 0));
    expect(Math.max(...waits)).toBeLessThanOrEqual(30_200);
    expect(waits.slice(-5).every((wait) => wait >= 14_900)).toBe(true);
    expect(times.get(OTHER.id)?.length).toBeGreaterThan(10);
    membership.opened(PEER.id, host(7), true, at(600_000));
    times.clear();
    run(600_200, 700_000, true);
    expect(times.size).toBe(0);
  });

  test("who is linked from another address than was dialled takes no place of a dial, and is not lost by it", () => {
    const membership = alone({ maxNeighbours: 64, bootstrap: [{ id: OTHER.id, address: host(6) }] });
    membership.opened(PEER.id, host(7), false, at(0));
    const contacts = Array.from({ length: 60 }, (_, i) => ({ id: identity(20 + i).id, address: host(1000 + 300 * i) }));
    membership.received(PEER.id, { type: "nodes", query: 0, attached: false, contacts }, at(0));
    membership.opened(OTHER.id, host(5), true, at(0));
    membership.unanswered(OTHER.id, at(0));
    const dialled: NodeId[] = [];
    for (let ms = 0; ms < 120_000; ms += 100) {
      for (const output of membership.tick(at(ms))) {
        if (output.type !== "dial") continue;
        dialled.push(output.peer);
        membership.opened(output.peer, { ...output.address, port: 9999 }, true, at(ms + 50));
        membership.unanswered(output.peer, at(ms + 50));
      }
    }
    expect(dialled).not.toContain(OTHER.id);
    expect(new Set(dialled).size).toBe(dialled.length);
    expect(dialled.length).toBeGreaterThan(16);
  });

  test("a bootstrap node that has no address in its record yet is saved where it answered", () => {
    const membership = alone({ bootstrap: [{ id: PEER.id, address: host(7) }] });
    membership.tick(at(0));
    membership.opened(PEER.id, host(7), true, at(10));
    expect(membership.peersToSave()).toEqual([]);
    membership.answered(PEER.id, host(7), at(10));
    expect(membership.peersToSave()).toEqual([{ id: PEER.id, address: host(7) }]);
  });

  test("what is saved: verified contacts, anchors first, when they have changed", () => {
    const { town, all } = settle(12, 90_000);
    const [, one] = all;
    const saved = one?.membership.peersToSave() ?? [];
    expect(saved.length).toBeGreaterThan(8);
    expect(saved.slice(0, 2).map(({ id }) => id)).toEqual(anchorIds(one as Resident).slice(0, 2));
    // A life later nobody else is known, and the bootstrap node is gone: the saved peers lead back.
    town.kill(all[0] as Resident);
    const again = town.move(99, {
      address: host(99),
      saved,
      bootstrap: [{ id: all[0]?.id as NodeId, address: host(1) }],
    });
    town.run(60_000);
    // In so small a network somebody may be left whom nobody has ever dialled: it carries for nobody.
    const reachable = [...town.residents.values()].filter(({ membership }) => membership.isReachable(town.ms));
    expect(reachable.length).toBeGreaterThan(6);
    expect(anchorIds(again)).toEqual(closest(again, reachable));
  });
});
