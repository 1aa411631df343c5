// What a table refuses, and what it says of peers and channels that it does not know.
import { describe, expect, test } from "@jest/globals";
import { generateIdentity, identityFromSeed, type NodeId } from "@starling/crypto-identity";
import { DATA, decodeDatagram, encodeCookie, FRAME_KIND, HELLO, WELCOME } from "@starling/wire-protocol";
import { CookieJar } from "../src/cookie.ts";
import {
  type ChannelEvent,
  ChannelTable,
  createSessionCrypto,
  type SessionLimits,
  type SessionOwner,
  SessionTable,
} from "../src/index.ts";
import { IndexTable } from "../src/index-table.ts";
import { takeBytes } from "../src/slab.ts";
import { counted, eventsOf, frameOf, type Host, linkedPair, VirtualWire } from "./virtual-wire.ts";

const OWNER: SessionOwner = { pongBody: ({ echo }) => echo, nodesBody: () => new Uint8Array(0) };
const code = (name: string) => expect.objectContaining({ code: name });

type TableOptions = {
  readonly owner?: SessionOwner;
  readonly limits?: Partial<SessionLimits>;
  readonly admits?: (peer: NodeId) => boolean;
};

/** A host whose table has these options. */
function host(wire: VirtualWire, ip: string, options: TableOptions = {}): Host {
  const made = wire.addHost(ip, ip);
  made.table = new SessionTable({ owner: OWNER, random: wire.random, crypto: made.crypto, ...options });
  return made;
}

/** The first datagram of this kind that is sent is changed in its last bit before it; the unchanged one follows. */
function tamperFirst(wire: VirtualWire, kind: number, to: Host): void {
  let done = false;
  wire.drops = ({ datagram }, from) => {
    if (done || datagram[0] !== kind) return false;
    done = true;
    const changed = datagram.slice();
    changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;
    expect(wire.inject(to, changed, from)).toEqual([]);
    return false;
  };
}

describe("a session table", () => {
  test("has nothing to say of a peer without a link", () => {
    const { wire, a, b } = linkedPair(1);
    const nobody = generateIdentity(wire.random).id;
    for (const probe of ["suspect", "ask"] as const) a.table[probe](nobody, wire.now(a));
    expect(a.table.close(nobody, new Uint8Array(1), wire.now(a))).toEqual([]);
    expect(a.table.flush(wire.now(a))).toEqual([]);
    expect([a.table.has(nobody), a.table.get(nobody)]).toEqual([false, undefined]);
    const pongs = () => eventsOf(a, "frame").filter(({ frame }) => frame.kind === FRAME_KIND.pong).length;
    // Not again right behind a Ping.
    a.table.ask(b.id, wire.now(a));
    wire.run(5_000);
    const before = pongs();
    a.table.ask(b.id, wire.now(a));
    wire.pump(a);
    wire.run(500);
    expect(pongs()).toBe(before + 1);
  });

  test("refuses frames and Byes that fit no datagram or are none", () => {
    const { wire, a, b } = linkedPair(2);
    for (const kind of [-1, 256, 1.5, Number.NaN]) {
      expect(() => wire.send(a, b, { kind, body: new Uint8Array(1) })).toThrow(code("E_BAD_FRAME"));
    }
    expect(() => a.table.close(b.id, new Uint8Array(2_000), wire.now(a))).toThrow(code("E_BAD_FRAME"));
  });

  test("a changed Welcome ends no dial, and changed first Data confirms nothing: the right ones still do", () => {
    for (const [kind, isForDialler, reason] of [
      [WELCOME, true, "dropped.handshake"],
      [DATA, false, "dropped.undecryptable"],
    ] as const) {
      const wire = new VirtualWire(3);
      const [a, b] = [host(wire, "198.51.100.1"), host(wire, "203.0.113.1")];
      const victim = isForDialler ? a : b;
      tamperFirst(wire, kind, victim);
      wire.connect(a, b);
      wire.run(200);
      expect(counted(victim, reason)).toBe(1);
      for (const each of [a, b]) expect(eventsOf(each, "opened")).toHaveLength(1);
    }
  });

  test("a Cookie for another Hello is not taken", () => {
    const wire = new VirtualWire(4);
    const [a, b] = [host(wire, "198.51.100.1"), host(wire, "203.0.113.1")];
    wire.connect(a, b);
    const hello = decodeDatagram(wire.sent[0]?.datagram ?? new Uint8Array(0));
    if (!hello.ok || hello.value.kind !== HELLO) throw new Error("no Hello");
    const index = hello.value.senderIndex;
    for (const receiver of [index, index ^ 1]) {
      wire.inject(a, encodeCookie(receiver, new Uint8Array(16), new Uint8Array(16).fill(1)), b.address);
    }
    expect(counted(a, "dropped.cookie-unasked")).toBe(2);
    expect(wire.sent).toHaveLength(1);
    wire.run(200);
    expect(a.table.has(b.id)).toBe(true);
  });

  test("who is not admitted gets no Welcome; who is no longer when the first Data comes gets no link", () => {
    for (const answers of [0, 1]) {
      const wire = new VirtualWire(5);
      let asked = 0;
      const admits = () => {
        asked += 1;
        return asked <= answers;
      };
      const [a, b] = [host(wire, "198.51.100.1"), host(wire, "203.0.113.1", { admits })];
      wire.connect(a, b, { attemptsMs: [0] });
      wire.run(500);
      expect(counted(b, "dropped.denied")).toBe(1);
      expect(counted(b, "welcomes.sent")).toBe(answers);
      expect(b.table.sessions()).toEqual([]);
    }
  });

  test("the last place goes to who confirms first", () => {
    const wire = new VirtualWire(6);
    const b = host(wire, "203.0.113.1", { limits: { links: 1 } });
    const others = [host(wire, "198.51.100.1"), host(wire, "198.51.100.2")];
    for (const each of others) wire.connect(each, b, { attemptsMs: [0] });
    wire.run(200);
    expect(b.table.sessions()).toHaveLength(1);
    expect(counted(b, "welcomes.sent")).toBe(2);
    expect(counted(b, "dropped.table-full")).toBeGreaterThan(0);
  });

  test("a Hello under the table's own key is dropped", () => {
    const wire = new VirtualWire(7);
    const a = host(wire, "198.51.100.1");
    // Two tables under one key: the second dials through a crypto that calls itself somebody else.
    const disguised = { ...a.crypto, id: generateIdentity(wire.random).id };
    const double = new SessionTable({ owner: OWNER, random: wire.random, crypto: disguised });
    double.connect(a.id, a.address, wire.now(a));
    for (const { datagram } of double.flush(wire.now(a))) wire.inject(a, datagram, { ip: "192.0.2.9", port: 9 });
    expect(counted(a, "dropped.self")).toBe(1);
    expect(wire.sent).toEqual([]);
  });

  test("what its owner answers and no datagram holds is left out, and the link opens all the same", () => {
    const wire = new VirtualWire(8);
    const owner = { pongBody: () => new Uint8Array(2_000), nodesBody: () => new Uint8Array(2_000) };
    const [a, b] = [host(wire, "198.51.100.1"), host(wire, "203.0.113.1", { owner })];
    wire.connect(a, b, { lookup: Uint8Array.of(1) });
    wire.run(200);
    expect(a.table.has(b.id)).toBe(true);
    expect(eventsOf(a, "nodes")).toEqual([]);
    expect(counted(b, "dropped.pong-too-large")).toBeGreaterThan(0);
  });

  test("the confirmed timestamp of one id is remembered where there is room for one", () => {
    const wire = new VirtualWire(9);
    const b = host(wire, "203.0.113.1", { limits: { timestamps: 1 } });
    const others = [host(wire, "198.51.100.1"), host(wire, "198.51.100.2")];
    for (const each of others) {
      wire.connect(each, b, { attemptsMs: [0] });
      wire.run(200);
      wire.close(each, b);
      wire.run(200);
    }
    const hellos = wire.sent.filter(({ to, datagram }) => to === b.address && datagram.length > 1_000);
    expect(hellos).toHaveLength(2);
    // A replay of the first, long after it: nothing is known of it any more, and it leads nowhere without its key.
    wire.run(20_000);
    for (const { datagram, from } of hellos) wire.inject(b, datagram, from);
    expect(counted(b, "welcomes.sent")).toBe(3);
    expect(counted(b, "cookies.sent")).toBe(1);
    wire.run(20_000);
    expect(b.table.sessions()).toEqual([]);
  });

  test("a peer that restarts ten times is linked still, and each time with numbers that start anew", () => {
    const { wire, a, b } = linkedPair(10);
    for (let life = 0; life < 10; life += 1) {
      b.table = wire.newTable(b.crypto);
      wire.connect(b, a);
      wire.run(2_000);
      expect(wire.send(b, a, frameOf(life), life)).toBe("queued");
      wire.run(1_000);
    }
    expect(eventsOf(a, "opened").filter(({ restarted }) => restarted)).toHaveLength(10);
    expect(eventsOf(b, "acknowledged").map(({ token }) => token)).toEqual([...Array(10).keys()]);
  });
});

describe("a channel table", () => {
  const [ALICE, BOB, CAROL] = [1, 2, 3].map((seed) => identityFromSeed(new Uint8Array(32).fill(seed))) as [
    ReturnType<typeof identityFromSeed>,
    ReturnType<typeof identityFromSeed>,
    ReturnType<typeof identityFromSeed>,
  ];
  let serial = 0;
  const random = (sizeBytes: number) => {
    serial += 1;
    return Uint8Array.from({ length: sizeBytes }, (_, i) => (serial * 29 + i * 13 + (serial >> 8)) & 0xff);
  };
  const NOW = { mono: 0, wall: 0 };
  const cryptoOf = (identity: typeof ALICE) =>
    createSessionCrypto({ identity, network: "test", random, purpose: "channel" });
  const table = (identity: typeof ALICE, limits: Partial<SessionLimits> = {}) =>
    new ChannelTable({ crypto: cryptoOf(identity), random, limits });

  /** Both ends adopt a channel; what the first says. */
  function adopt(ends: { from: ChannelTable; to: ChannelTable }, peer: typeof BOB, channel: string) {
    const initiation = cryptoOf(ALICE).initiate(peer.id, new Uint8Array(1));
    const response = cryptoOf(peer).respond(initiation.message)?.respond(new Uint8Array(1));
    const finished = response && initiation.finish(response.message);
    if (response === undefined || finished === undefined) throw new Error("no handshake");
    serial += 1;
    const [a, b] = [serial * 2, serial * 2 + 1];
    const said = ends.from.adopt(
      { channel, peer: peer.id, keys: finished.keys, isInitiator: true, localIndex: a, remoteIndex: b },
      NOW,
    );
    ends.to.adopt(
      { channel, peer: ALICE.id, keys: response.keys, isInitiator: false, localIndex: b, remoteIndex: a },
      NOW,
    );
    return said;
  }

  test("has nothing to say of peers and channels that it does not know", () => {
    const alice = table(ALICE);
    for (const probe of ["suspect", "ask"] as const) alice[probe](BOB.id, NOW);
    expect(alice.close(BOB.id, new Uint8Array(1), NOW)).toEqual([]);
    expect(alice.lost("c1", NOW)).toEqual([]);
    expect([alice.channelsOf(BOB.id), alice.takeClosed(), alice.flush(NOW), alice.peers()]).toEqual([[], [], [], []]);
    expect(alice.nextDeadline()).toBeNull();
  });

  test("one whose table is full gives a stranger's channel back, and keeps those it has", () => {
    const [alice, bob, carol] = [table(ALICE, { links: 1 }), table(BOB), table(CAROL)];
    expect(adopt({ from: alice, to: bob }, BOB, "c1")).toBeUndefined();
    expect(alice.isFull).toBe(true);
    expect(adopt({ from: alice, to: carol }, CAROL, "c2")).toBe("c2");
    expect([alice.channelsOf(BOB.id), alice.channelsOf(CAROL.id)]).toEqual([["c1"], []]);
    // A second channel of the same peer takes the place of one that never opened.
    expect(adopt({ from: alice, to: bob }, BOB, "c3")).toBe("c1");
    expect(alice.channelsOf(BOB.id)).toEqual(["c3"]);
  });

  test("other datagrams than Data, and Data that was changed, change nothing; closed unheard, it was no link", () => {
    const [alice, bob] = [table(ALICE), table(BOB)];
    adopt({ from: alice, to: bob }, BOB, "c1");
    const [transmit] = alice.flush(NOW);
    if (transmit === undefined) throw new Error("nothing was sent");
    const changed = transmit.datagram.slice();
    changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;
    const cookie = encodeCookie(1, new Uint8Array(16), new Uint8Array(16));
    for (const datagram of [changed, cookie]) expect(bob.receive("c1", datagram, NOW)).toEqual([]);
    expect([bob.counters.get("dropped.undecryptable"), bob.counters.get("dropped.unknown-kind")]).toEqual([1, 1]);
    expect(bob.peers()).toEqual([]);
    const unopened: ChannelEvent = { type: "unopened", peer: ALICE.id, reason: "local" };
    expect(bob.close(ALICE.id, new Uint8Array(1), NOW)).toEqual([unopened]);
    expect(bob.takeClosed()).toEqual(["c1"]);
    const opened: ChannelEvent[] = bob.receive("c1", transmit.datagram, NOW);
    expect(opened).toEqual([]);
    expect(bob.counters.get("dropped.unknown-index")).toBe(1);
  });

  test("a Bye that does not fit throws", () => {
    const [alice, bob] = [table(ALICE), table(BOB)];
    adopt({ from: alice, to: bob }, BOB, "c1");
    expect(() => alice.close(BOB.id, new Uint8Array(70_000), NOW)).toThrow(code("E_BAD_FRAME"));
    expect(alice.send(BOB.id, { kind: FRAME_KIND.direct, body: new Uint8Array(1) }, NOW)).toBe("no-session");
  });
});

test("an index that somebody owns is not drawn again", () => {
  const draws = [7, 7, 7, 9];
  const indexes = new IndexTable<string>(() => Uint8Array.of(0, 0, 0, draws.shift() ?? 0));
  const first = indexes.draw();
  indexes.set(first, "owner");
  expect([first, indexes.draw()]).toEqual([7, 9]);
});

test("a cookie holds under the secret before, and no longer; a long pause keeps none", () => {
  const wire = new VirtualWire(11);
  const crypto = createSessionCrypto({ identity: generateIdentity(wire.random), network: "test", random: wire.random });
  const cookies = new CookieJar(crypto, wire.random);
  const from = { ip: "192.0.2.1", port: 9 };
  const mac1 = new Uint8Array(16).fill(5);
  const made = cookies.make(from, mac1, 0);
  const isValid = (nowMono: number) => cookies.isValid(made, from, mac1, nowMono);
  expect([isValid(119_999), isValid(120_000), isValid(239_999), isValid(240_000)]).toEqual([true, true, true, false]);
  expect(cookies.isValid(new Uint8Array(16), from, mac1, 0)).toBe(false);
  const again = cookies.make(from, mac1, 240_000);
  // Nobody asked for four minutes: the secret is older than any cookie may be.
  expect(cookies.isValid(again, from, mac1, 480_000)).toBe(false);
});

test("bytes that are taken are zeros of their own, whatever their size", () => {
  const taken = [10, 16_384, 16_385, 60_000, 10].map((sizeBytes) => takeBytes(sizeBytes).fill(1));
  expect([...takeBytes(10)]).toEqual(Array(10).fill(0));
  for (const bytes of taken) expect(bytes.every((byte) => byte === 1)).toBe(true);
});
