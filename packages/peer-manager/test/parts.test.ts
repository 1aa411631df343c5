// Parts of membership and routing by themselves: their edges, and the bounds of what strangers can make them hold.
import { describe, expect, test } from "@jest/globals";
import { identityFromSeed, type NodeId } from "@starling/crypto-identity";
import type { Address } from "@starling/wire-protocol";
import { bucketIndex, isCloser } from "../src/distance.ts";
import { Membership } from "../src/index.ts";
import { CandidatePool } from "../src/membership/candidate-pool.ts";
import { DialBacks } from "../src/membership/dial-back.ts";
import { HearsayBudget } from "../src/membership/hearsay-budget.ts";
import { type Neighbour, Neighbours } from "../src/membership/neighbours.ts";
import { ObservedAddress } from "../src/membership/observed-address.ts";
import { PeerTable } from "../src/membership/peer-table.ts";
import { Room } from "../src/membership/room.ts";
import { AbsentCache } from "../src/routing/absent-cache.ts";
import { NeighbourScores } from "../src/routing/neighbour-scores.ts";
import { type NextHopQuestion, nextHop } from "../src/routing/next-hop.ts";
import { RouteTable } from "../src/routing/route-table.ts";
import { seededBytes } from "./town.ts";

const idOf = (index: number) => index.toString(16).padStart(64, "0") as NodeId;
const [SELF, PEER, OTHER] = [1, 2, 3].map((seed) => identityFromSeed(new Uint8Array(32).fill(seed)).id) as [
  NodeId,
  NodeId,
  NodeId,
];
const publicAt = (index: number, port = 4000): Address => ({ ip: `20.${index >> 8}.${index & 0xff}.9`, port });

function neighbour(id: NodeId, changes: Partial<Neighbour> = {}): Neighbour {
  return {
    ...{ id, address: publicAt(1), sinceMono: 0, bucket: bucketIndex(SELF, id), block: undefined, dialled: true },
    ...{ keepUntilMono: 0, answeredAt: undefined, reachable: true, anchoredToUs: false, record: undefined },
    ...changes,
  };
}

describe("routing", () => {
  test("recipients found absent: for 10 s, 4,096 of them; the oldest makes room", () => {
    const absent = new AbsentCache();
    absent.add(PEER, 0);
    expect([absent.has(PEER, 9_999), absent.has(PEER, 10_000), absent.has(OTHER, 0)]).toEqual([true, false, false]);
    absent.delete(PEER);
    expect(absent.has(PEER, 0)).toBe(false);
    for (let i = 0; i < 4_096; i += 1) absent.add(idOf(i), 0);
    absent.add(idOf(0), 0);
    absent.add(PEER, 0);
    expect([idOf(0), idOf(1), idOf(2), PEER].map((id) => absent.has(id, 0))).toEqual([true, false, true, true]);
  });

  test("learned routes: for 120 s, 4,096 of them; the oldest makes room, and only the one that failed is forgotten", () => {
    const routes = new RouteTable();
    routes.learn(PEER, OTHER, 0);
    expect([routes.via(PEER, 119_999), routes.via(PEER, 120_000), routes.via(OTHER, 0)]).toEqual([
      OTHER,
      undefined,
      undefined,
    ]);
    routes.forget(PEER, SELF);
    expect(routes.via(PEER, 0)).toBe(OTHER);
    routes.forget(PEER, OTHER);
    expect(routes.via(PEER, 0)).toBeUndefined();
    for (let i = 0; i < 4_096; i += 1) routes.learn(idOf(i), OTHER, 0);
    routes.learn(idOf(0), PEER, 0);
    routes.learn(PEER, OTHER, 0);
    expect([idOf(0), idOf(1), idOf(2)].map((id) => routes.via(id, 0))).toEqual([PEER, undefined, OTHER]);
  });

  test("scores of ever new neighbours and recipients: old ones are forgotten, and are as good as new", () => {
    const scores = new NeighbourScores();
    for (let round = 0; round < 8; round += 1) {
      scores.acked(PEER, idOf(1), round * 60_000);
      scores.missed(OTHER, idOf(1), round * 60_000);
    }
    expect(scores.of(OTHER, 420_000)).toBeLessThan(scores.of(PEER, 420_000));
    for (let i = 10; i < 6_000; i += 1) scores.acked(idOf(i), idOf(i), 420_000);
    expect(scores.of(OTHER, 420_000)).toBe(scores.of(idOf(5), 420_000));
  });
});

describe("the next hop", () => {
  // Distances to the recipient 0: the id itself.
  const [recipient, self] = [idOf(0), idOf(0x100)];
  const [close, closer, far, farther] = [idOf(0x80), idOf(0x40), idOf(0x200), idOf(0x400)];
  const linksOf = (reachable: readonly NodeId[], anchors: readonly NodeId[]) => ({
    ...{ has: (peer: NodeId) => reachable.includes(peer), reachable: () => reachable, anchors: () => anchors },
    ...{ isDoubtful: () => false, isSelfReachable: () => true },
  });
  const question = (reachable: readonly NodeId[], changes: Partial<NextHopQuestion> = {}): NextHopQuestion => ({
    ...{ self, recipient, isSelfReachable: true, learned: undefined, isExcluded: () => false, used: new Set() },
    ...{ source: false, avoidRecipient: false, last: false, nonImproving: 0, scoreOf: () => 1 },
    links: linksOf(reachable, []),
    ...changes,
  });
  const hop = (peer: NodeId, changes = {}) => ({ peer, last: false, nonImproving: 0, learned: false, ...changes });

  test("is the closest that is closer than we are; none where all are excluded", () => {
    expect([isCloser(recipient, closer, close), isCloser(recipient, close, self)]).toEqual([true, true]);
    expect(nextHop(question([close, closer, far]))).toEqual(hop(closer));
    expect(nextHop(question([close, closer, far], { isExcluded: () => true }))).toBeUndefined();
  });

  test("of a node that strangers do not reach may lead away, and counts as a step aside then, four times", () => {
    const hidden = { isSelfReachable: false };
    expect(nextHop(question([close], hidden))).toEqual(hop(close));
    expect(nextHop(question([far], hidden))).toEqual(hop(far, { nonImproving: 1 }));
    expect(nextHop(question([far], { ...hidden, nonImproving: 3 }))).toEqual(hop(far, { nonImproving: 4 }));
    expect(nextHop(question([far], { ...hidden, nonImproving: 4 }))).toBeUndefined();
    // Its author's own first step is free.
    expect(nextHop(question([far], { ...hidden, source: true }))).toEqual(hop(far));
  });

  test("goes around a way that exists and does not work, while steps are left, and else takes it all the same", () => {
    const scoreOf = (id: NodeId) => (id === closer ? 0.1 : 1);
    expect(nextHop(question([closer, far, farther], { scoreOf }))).toEqual(hop(far, { nonImproving: 1 }));
    expect(nextHop(question([closer, far], { scoreOf, nonImproving: 4 }))).toEqual(hop(closer, { nonImproving: 4 }));
    expect(nextHop(question([closer], { scoreOf }))).toEqual(hop(closer));
  });

  test("by a learned route only where it was not used before and delivers", () => {
    const learned = far;
    expect(nextHop(question([far, close], { learned }))).toEqual(hop(far, { learned: true }));
    expect(nextHop(question([far, close], { learned, used: new Set([far]) }))).toEqual(hop(close));
    expect(nextHop(question([far, close], { learned, scoreOf: (id) => (id === far ? 0.4 : 1) }))).toEqual(hop(close));
  });

  test("at a local minimum is an anchor, and the last", () => {
    const links = { ...linksOf([far], [far, farther]), has: () => true };
    expect(nextHop(question([], { links, isExcluded: (id) => id === recipient }))).toEqual(hop(far, { last: true }));
    expect(nextHop(question([], { links, isExcluded: (id) => id === recipient, last: true }))).toBeUndefined();
  });
});

describe("hearsay", () => {
  test("an address is dialled once in ten minutes, a public ip as a whole; one that answered at once again", () => {
    const budget = new HearsayBudget();
    const [victim, sibling] = [publicAt(1), publicAt(1, 9)];
    expect(budget.mayDial(victim, 0)).toBe(true);
    budget.dialled(victim, 0);
    expect([budget.mayDial(sibling, 599_999), budget.mayDial(sibling, 600_000)]).toEqual([false, true]);
    budget.answered(sibling);
    expect(budget.mayDial(victim, 1)).toBe(true);
    const [home, neighbouring] = [
      { ip: "192.168.0.9", port: 1 },
      { ip: "192.168.0.9", port: 2 },
    ];
    budget.dialled(home, 0);
    expect([budget.mayDial(home, 1), budget.mayDial(neighbouring, 1)]).toEqual([false, true]);
  });

  test("what is no place to send to costs nothing and is never dialled", () => {
    const budget = new HearsayBudget();
    const nowhere = { ip: "224.0.0.1", port: 1 };
    budget.dialled(nowhere, 0);
    budget.answered(nowhere);
    expect(budget.mayDial(nowhere, 1_000_000)).toBe(false);
    const pool = new CandidatePool(SELF);
    pool.hear({ id: PEER, address: nowhere });
    pool.hear({ id: SELF, address: publicAt(1) });
    expect(pool.size).toBe(0);
  });

  test("4,096 addresses are remembered, and while they are no further one is dialled", () => {
    const budget = new HearsayBudget();
    for (let i = 0; i < 4_096; i += 1) budget.dialled(publicAt(i), i < 2_000 ? 0 : 1_000);
    expect(budget.mayDial(publicAt(5_000), 599_999)).toBe(false);
    expect(budget.mayDial(publicAt(5_000), 600_000)).toBe(true);
  });

  test("of a bucket twelve candidates are kept, the newest; of a block no more than its limits", () => {
    const pool = new CandidatePool(idOf(0));
    // All of one bucket, each in a block of its own.
    const ids = Array.from({ length: 13 }, (_, i) => idOf(0x1000 + i));
    ids.forEach((id, i) => {
      pool.hear({ id, address: publicAt(i + 1) });
      pool.hear({ id, address: publicAt(i + 1) });
    });
    expect(pool.size).toBe(12);
    expect([...pool.values()].map(({ id }) => id)).toEqual(ids.slice(1));
    const crowded = new CandidatePool(idOf(0));
    for (let i = 0; i < 50; i += 1) crowded.hear({ id: idOf(1 << (i % 30)), address: { ip: `20.0.0.${i}`, port: 1 } });
    expect(crowded.size).toBeLessThan(12);
  });

  test("64 votes on our address are kept; a tie goes to the last, and who says the same again changes nothing", () => {
    const observed = new ObservedAddress();
    const [first, second] = [publicAt(1), publicAt(2)];
    expect([observed.vote("a", first, 0), observed.vote("a", first, 0)]).toEqual([true, false]);
    expect(observed.vote("b", second, 0)).toBe(true);
    expect([observed.vote("a", first, 1), observed.vote("b", second, 2), observed.vote("a", first, 3)]).toEqual(
      Array(3).fill(false),
    );
    expect(observed.address).toEqual(second);
    expect(observed.vote("c", first, 4)).toBe(true);
    expect(observed.vote("d", publicAt(3), 5)).toBe(false);
    expect(observed.address).toEqual(first);
    for (let i = 0; i < 64; i += 1) observed.vote(String(i), second, 6);
    expect(observed.address).toEqual(second);
    for (let i = 0; i < 33; i += 1) observed.vote(`more ${i}`, first, 7);
    expect(observed.address).toEqual(first);
  });

  test("a vote on our address counts for 60 s, unless it is said again", () => {
    const observed = new ObservedAddress();
    const [first, second] = [publicAt(1), publicAt(2)];
    for (const voter of ["a", "b", "c"]) observed.vote(voter, first, 0);
    observed.vote("d", second, 1_000);
    expect([observed.vote("d", second, 59_999), observed.address]).toEqual([false, first]);
    expect([observed.vote("d", second, 60_000), observed.address]).toEqual([true, second]);
    observed.vote("e", first, 100_000);
    observed.vote("f", first, 100_000);
    expect([observed.vote("d", second, 119_999), observed.address]).toEqual([false, first]);
  });
});

describe("the table of verified contacts", () => {
  const bucketIds = (count: number) => Array.from({ length: count }, (_, i) => idOf(0x1000 + i));

  test("keeps old entries of a full bucket, unless one has failed twice: the one that failed most goes", () => {
    const table = new PeerTable(idOf(0), seededBytes(1));
    const ids = bucketIds(40);
    const taken = ids.map((id, i) => table.verified({ id, address: publicAt(i + 1) }, undefined, 0));
    const size = taken.filter((each) => each).length;
    expect(size).toBeLessThan(40);
    const newcomer = { id: idOf(0x1fff), address: publicAt(300) };
    table.failed(ids[0] as NodeId, 1_000);
    expect(table.verified(newcomer, 5, 2_000)).toBe(false);
    for (const id of [ids[1], ids[2], ids[1], ids[2], ids[2]]) table.failed(id as NodeId, 3_000);
    expect(table.verified(newcomer, 5, 4_000)).toBe(true);
    expect([table.get(ids[2] as NodeId), table.get(ids[1] as NodeId)?.id]).toEqual([undefined, ids[1]]);
    expect(table.size).toBe(size);
  });

  test("takes neither the own id nor more of a block than its limits, even where another one gives way", () => {
    const table = new PeerTable(idOf(0), seededBytes(1));
    expect(table.verified({ id: idOf(0), address: publicAt(1) }, undefined, 0)).toBe(false);
    const inBlock = (last: number) => ({ ip: `20.0.0.${last}`, port: 1 });
    const ids = bucketIds(40);
    const taken = ids.filter((id, i) => table.verified({ id, address: inBlock(i + 1) }, undefined, 0));
    expect(taken.length).toBeLessThan(10);
    const outside = { id: idOf(0x1ffe), address: publicAt(900) };
    expect(table.verified(outside, undefined, 0)).toBe(true);
    for (let i = 0; i < 3; i += 1) table.failed(outside.id, 1_000);
    // The one that failed makes room in the bucket, not in the block.
    expect(table.verified({ id: idOf(0x1ffd), address: inBlock(200) }, undefined, 2_000)).toBe(false);
    // A day's silence, and one more failure: forgotten.
    table.forget(taken[0] as NodeId);
    expect(table.verified({ id: idOf(0x1ffd), address: inBlock(200) }, undefined, 2_000)).toBe(true);
  });

  test("keeps the round trip it knows where a new sight brings none, and forgets who was gone for long", () => {
    const table = new PeerTable(idOf(0), seededBytes(1));
    const contact = { id: PEER, address: publicAt(1) };
    table.verified(contact, 30, 0);
    table.verified(contact, undefined, 1_000);
    table.seen(PEER, undefined, 2_000);
    expect(table.get(PEER)).toMatchObject({ rttMs: 30, lastSeenMono: 2_000 });
    table.seen(PEER, 40, 3_000);
    expect(table.get(PEER)?.rttMs).toBe(40);
    table.seen(OTHER, 1, 0);
    table.failed(OTHER, 0);
    table.refused(OTHER, 1, 0);
    expect(table.size).toBe(1);
    table.failed(PEER, 30 * 86_400_000);
    expect(table.size).toBe(0);
  });
});

describe("room at a full node", () => {
  const full = () => {
    const neighbours = new Neighbours(SELF, 4);
    neighbours.set(neighbour(OTHER));
    const room = new Room(1, neighbours);
    return { room, neighbours };
  };

  test("whoever we want gets the place of the least useful, or one beyond the limit where all are anchors", () => {
    const { room } = full();
    expect(room.make(PEER, true, 0)).toEqual([]);
    const roomy = new Room(2, new Neighbours(SELF, 4));
    expect(roomy.make(PEER, false, 0)).toEqual([]);
    expect([roomy.isProvisional(PEER), roomy.nextDeadline()]).toEqual([false, null]);
  });

  test("16 others may stay for 3 s; then they are told, and one more is refused meanwhile", () => {
    const { room, neighbours } = full();
    const guests = Array.from({ length: 16 }, (_, i) => idOf(i + 1));
    for (const guest of guests) {
      expect(room.make(guest, false, 100)).toEqual([]);
      neighbours.set(neighbour(guest, { reachable: false }));
    }
    expect(room.make(PEER, false, 100)).toBeUndefined();
    room.left(guests[0] as NodeId);
    neighbours.delete(guests[0] as NodeId);
    expect(room.make(PEER, false, 200)).toEqual([]);
    neighbours.set(neighbour(PEER, { reachable: false }));
    expect([room.isProvisional(PEER), room.nextDeadline()]).toEqual([true, 3_100]);
    // One that is somebody's anchor stays, and the least useful one goes.
    expect(room.stays(guests[1] as NodeId)).toMatchObject([{ type: "hang-up", reason: "full" }]);
    expect(room.tick(3_099)).toEqual([]);
    expect(room.tick(3_100).filter(({ type }) => type === "hang-up")).toHaveLength(14);
    expect(room.tick(3_200)).toEqual([
      { type: "hang-up", peer: PEER, reason: "full" },
      { type: "dropped", reason: "neighbour-full" },
    ]);
    expect(room.nextDeadline()).toBeNull();
  });
});

describe("dialling back", () => {
  const made = (...known: Neighbour[]) => {
    const neighbours = new Neighbours(SELF, 4);
    for (const each of known) neighbours.set(each);
    const budget = new HearsayBudget();
    const dialBacks = new DialBacks({
      ...{ self: SELF, neighbours, budget, isDialling: (peer) => peer === idOf(7), random: seededBytes(3) },
    });
    return { dialBacks, budget };
  };
  const asker = neighbour(PEER, { address: publicAt(1), block: "1" });
  const dialler = neighbour(OTHER, { address: publicAt(500), block: "2" });

  test("is asked of a neighbour, at the port that the operator names for this very ip", () => {
    const { dialBacks } = made(dialler);
    const portOf = (announced?: Address, observed?: Address) => dialBacks.ask(announced, observed)?.message;
    const me = (port: number) => ({ type: "dial-back", what: "me", port });
    expect(portOf(undefined, publicAt(9))).toEqual(me(0));
    expect(portOf(publicAt(9, 80), publicAt(9))).toEqual(me(80));
    expect(portOf(publicAt(8, 80), publicAt(9))).toEqual(me(0));
    expect(portOf(publicAt(8, 80))).toEqual(me(0));
    expect(made().dialBacks.ask(undefined, undefined)).toBeUndefined();
  });

  test("is passed on to another block, once in 2 s for one asker, and once in 5 s to one dialler", () => {
    const { dialBacks } = made(asker, dialler, neighbour(idOf(9), { address: publicAt(2), block: "1" }));
    expect(dialBacks.wanted(asker, 0, 0)).toMatchObject({
      peer: OTHER,
      message: { contact: { address: publicAt(1) } },
    });
    expect(dialBacks.wanted(asker, 0, 1_999)).toBe("dial-back-quota");
    expect(dialBacks.wanted(asker, 0, 2_000)).toBe("dial-back-nobody");
    expect(dialBacks.wanted(asker, 80, 5_000)).toMatchObject({ message: { contact: { address: publicAt(1, 80) } } });
  });

  test("for somebody: not one who is known, dialled or was heard of lately; one a minute, one in 5 s for one passer", () => {
    const { dialBacks, budget } = made(dialler);
    const passed = (id: NodeId, index: number, nowMono: number) =>
      dialBacks.passedOn(dialler, { id, address: publicAt(index) }, nowMono);
    expect([SELF, OTHER, idOf(7)].map((id) => passed(id, 20, 0))).toEqual(Array(3).fill("dial-back-known"));
    dialBacks.heard(PEER, 0);
    expect([passed(PEER, 20, 299_999), passed(PEER, 20, 300_000)]).toEqual(["dial-back-known", true]);
    expect(passed(idOf(8), 21, 304_999)).toBe("dial-back-quota");
    expect(passed(idOf(8), 21, 305_000)).toBe(true);
    expect(passed(PEER, 20, 320_000)).toBe("dial-back-quota");
    budget.dialled(publicAt(22), 320_000);
    expect(passed(idOf(5), 22, 330_000)).toBe("dial-back-quota");
    expect(dialBacks.passedOn(dialler, { id: idOf(5), address: { ip: "127.0.0.1", port: 1 } }, 330_000)).toBe(
      "contact-scope",
    );
    for (let i = 0; i < 1_024; i += 1) dialBacks.heard(idOf(0x1000 + i), 300_000);
    // Whom we heard of longest ago is forgotten first.
    dialBacks.heard(PEER, 300_000);
    expect([idOf(0x1000), idOf(0x1001), PEER].map((id) => dialBacks.heardLately(id, 300_001))).toEqual([
      false,
      true,
      true,
    ]);
  });
});

describe("membership of one node", () => {
  const now = (mono: number) => ({ mono, wall: 1_700_000_000_000 + mono });
  const membership = (passive: boolean) =>
    new Membership(
      {
        ...{ identity: identityFromSeed(new Uint8Array(32).fill(1)), network: "town", role: "node", bootstrap: [] },
        ...{ announce: [], maxNeighbours: 8, random: seededBytes(5), passive },
      },
      { rttOf: () => 30, isInUse: () => false },
      now(0),
    );
  const lookup = { type: "lookup", query: 1, target: OTHER } as const;

  test("that is passive keeps what it is told and dials nobody, for nobody", () => {
    const quiet = membership(true);
    quiet.opened(PEER, publicAt(1), true, now(0));
    const contact = { id: OTHER, address: publicAt(500) };
    expect(quiet.dialToAsk(contact, lookup, now(0))).toEqual([]);
    expect(quiet.received(PEER, { type: "dial-back", what: "peer", contact }, now(0))).toEqual([]);
    quiet.received(PEER, { type: "nodes", query: 0, attached: false, contacts: [contact] }, now(0));
    const outputs = [];
    for (let ms = 0; ms < 60_000; ms += 500) outputs.push(...quiet.tick(now(ms)));
    expect(outputs.filter(({ type }) => type === "dial")).toEqual([]);
    expect(quiet.isReachable(60_000)).toBe(false);
  });

  test("dials to ask somebody whom it merely heard of once in ten minutes, and neither itself nor twice at once", () => {
    const node = membership(false);
    const contact = { id: OTHER, address: publicAt(500) };
    expect(node.dialToAsk({ id: SELF, address: publicAt(1) }, lookup, now(0))).toEqual([]);
    expect(node.dialToAsk(contact, lookup, now(0))).toMatchObject([{ type: "dial" }]);
    expect(node.isDialling(OTHER)).toBe(true);
    expect(node.dialToAsk(contact, lookup, now(1))).toEqual([]);
    node.unanswered(OTHER, now(5_000));
    expect(node.isDialling(OTHER)).toBe(false);
    expect(node.dialToAsk(contact, lookup, now(6_000))).toEqual([]);
    expect(node.dialToAsk(contact, lookup, now(600_001))).toHaveLength(1);
  });

  test("follows a neighbour that moved, and takes no notice of what strangers do", () => {
    const node = membership(false);
    node.opened(PEER, publicAt(1), true, now(0));
    node.moved(PEER, publicAt(700));
    node.moved(OTHER, publicAt(2));
    node.answered(OTHER, publicAt(2), now(0));
    node.closed(OTHER, undefined, now(0));
    expect(node.neighbours().map(({ id, address }) => [id, address])).toEqual([[PEER, publicAt(700)]]);
    expect(node.received(OTHER, lookup, now(0))).toEqual([{ type: "dropped", reason: "not-a-neighbour" }]);
  });
});
