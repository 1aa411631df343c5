import { describe, expect, test } from "@jest/globals";
import { DATA, FRAME_KIND, type Frame, HELLO, WELCOME } from "@starling/wire-protocol";
import { counted, eventsOf, frameOf, type Host, linkedPair, serials, VirtualWire } from "./virtual-wire.ts";

describe("liveness", () => {
  test("an idle link is pinged every 10 s by each side and stays open for an hour", () => {
    const { wire, a, b } = linkedPair(1);
    const before = wire.sent.length;
    const ticksBefore = wire.ticks;
    wire.run(3_600_000);
    expect(a.table.sessions()).toHaveLength(1);
    expect(a.table.get(b.id)?.rttMs).toBeCloseTo(20);
    // A Ping and a Pong from each side every 10 s, and a rekey every 120 s.
    expect(wire.sent.length - before).toBeLessThan(4 * 360 + 5 * 31);
    expect(wire.ticks - ticksBefore).toBeLessThan(4 * 360 + 10 * 31);
  });

  test("whose link a datagram names is told before it is opened, and of nothing else", () => {
    const { wire, a, b } = linkedPair(14);
    wire.run(100);
    wire.send(a, b, frameOf(1));
    wire.run(1000);
    const data = wire.sent.filter(({ datagram }) => datagram[0] === DATA).at(-1)?.datagram ?? new Uint8Array(0);
    const named = [a, b].map(({ table }) => table.peerOf(data));
    // The last one went one way or the other; its receiver knows the index.
    expect(named.filter((peer) => peer !== undefined)).toHaveLength(1);
    expect([b.id, a.id]).toContain(named.find((peer) => peer !== undefined));
    const receiver = named[0] === undefined ? b : a;
    const bent = (at: number) => data.map((byte, i) => (i === at ? byte ^ 1 : byte));
    // Bent behind its index it still names the link; it is not opened for this.
    expect(receiver.table.peerOf(bent(20))).toBe(receiver === a ? b.id : a.id);
    for (const other of [bent(0), bent(4), data.subarray(0, 12), new Uint8Array(0)]) {
      expect(receiver.table.peerOf(other)).toBeUndefined();
    }
  });

  test("a Pong is passed up after its echo was checked, an unasked one is not", () => {
    const { wire, a, b } = linkedPair(2);
    wire.run(100);
    const pongs = eventsOf(a, "frame").filter((event) => event.frame.kind === FRAME_KIND.pong);
    expect(pongs[0]?.frame.body).toHaveLength(9);
    expect(counted(a, "dropped.pong-unasked")).toBe(0);
    expect(() => wire.send(b, a, { kind: FRAME_KIND.pong, body: new Uint8Array(9) })).toThrow(
      expect.objectContaining({ code: "E_RESERVED_KIND" }),
    );
  });

  test.each([3, 4, 5, 6])("a peer that vanishes is dead within 25 s, and all is handed back (seed %d)", (seed) => {
    const { wire, a, b } = linkedPair(seed);
    wire.run(seed * 3_333);
    wire.drops = () => true;
    const vanishedMono = wire.mono;
    wire.send(a, b, frameOf(1), 11);
    wire.send(a, b, frameOf(2, 50_000), 12);
    for (let token = 100; token < 500; token += 1) wire.send(a, b, frameOf(token), token);
    expect(wire.run(60_000, () => eventsOf(a, "closed").length === 1)).toBe(true);
    expect(wire.mono - vanishedMono).toBeLessThanOrEqual(25_000);
    expect(wire.mono - vanishedMono).toBeGreaterThan(12_000);
    expect(eventsOf(a, "closed")).toEqual([{ type: "closed", peer: b.id, reason: "timeout", bye: undefined }]);
    expect(eventsOf(a, "undelivered")).toHaveLength(402);
    wire.run(60_000);
    expect([a.table.nextDeadline(), b.table.nextDeadline()]).toEqual([null, null]);
  });

  test("a peer that is asked answers with a Pong at once; one that does not is not thought dead for it", () => {
    const { wire, a, b } = linkedPair(12);
    wire.run(2000);
    const pongs = () => eventsOf(a, "frame").filter((event) => event.frame.kind === FRAME_KIND.pong).length;
    const before = pongs();
    const ask = () => {
      // Twice at once is asked once.
      for (const _ of [1, 2]) a.table.ask(b.id, { mono: wire.mono, wall: wire.mono });
      wire.send(a, b, frameOf(1));
    };
    ask();
    wire.run(100);
    expect(pongs()).toBe(before + 1);
    wire.drops = () => true;
    ask();
    wire.run(15_000);
    expect(pongs()).toBe(before + 1);
    wire.drops = () => false;
    wire.run(5_000);
    expect([...eventsOf(a, "closed"), ...eventsOf(b, "closed")]).toEqual([]);
  });

  test("an outage of 15 s is survived", () => {
    const { wire, a, b } = linkedPair(7);
    wire.drops = () => true;
    wire.send(a, b, frameOf(1, 30_000), 1);
    wire.run(15_000);
    wire.drops = () => false;
    wire.run(5_000);
    expect(serials(b)).toEqual([1]);
    expect(eventsOf(a, "acknowledged")).toHaveLength(1);
    expect([...eventsOf(a, "closed"), ...eventsOf(b, "closed")]).toEqual([]);
  });

  test("a clock that jumps an hour ahead, as after a sleep, kills no link", () => {
    const { wire, a, b } = linkedPair(8);
    wire.mono += 3_600_000;
    for (const host of [a, b]) {
      host.table.tick(wire.now(host));
      wire.pump(host);
    }
    wire.run(10_000);
    expect(a.table.sessions()).toHaveLength(1);
    wire.send(a, b, frameOf(1));
    wire.run(3_000);
    expect(serials(b)).toEqual([1]);
  });

  test("a session that its responder dropped before the first Data came is replaced", () => {
    const wire = new VirtualWire(24);
    const [a, b] = [wire.addHost("a", "198.51.100.1"), wire.addHost("b", "203.0.113.1")];
    wire.drops = ({ datagram }) => datagram[0] === DATA;
    wire.connect(a, b);
    wire.run(12_000);
    expect(eventsOf(a, "opened")).toHaveLength(1);
    expect(eventsOf(b, "opened")).toHaveLength(0);
    wire.drops = () => false;
    wire.run(6_000);
    expect(eventsOf(b, "opened")).toHaveLength(1);
    expect(b.table.get(a.id)?.rttMs).toBe(20);
  });

  test("without any ack for 1 s a Hello goes out, once in 5 s", () => {
    const { wire, a, b } = linkedPair(9);
    wire.drops = () => true;
    wire.send(a, b, frameOf(1));
    const started = wire.mono;
    wire.run(12_000);
    const hellos = wire.sent.filter(
      (sent) => sent.datagram[0] === HELLO && sent.atMono >= started && sent.from === a.address,
    );
    expect(hellos.map((sent) => sent.atMono - started)).toEqual([1_000, 6_000, 11_000]);
    expect(counted(a, "links.healed")).toBe(3);
  });
});

describe("closing", () => {
  test("Bye ends the link at both ends at once, hands back what was unacknowledged, and leaves nothing behind", () => {
    const { wire, a, b } = linkedPair(10);
    wire.run(50);
    wire.send(a, b, frameOf(1), 1);
    wire.send(b, a, frameOf(2), 2);
    a.table.send(b.id, frameOf(3), wire.now(a), 3);
    wire.close(a, b);
    expect(eventsOf(a, "undelivered").map((event) => event.token)).toEqual([1, 3]);
    wire.run(500);
    expect(serials(b)).toEqual([1, 3]);
    expect(eventsOf(a, "closed")).toEqual([{ type: "closed", peer: b.id, reason: "local", bye: undefined }]);
    expect(eventsOf(b, "closed")).toEqual([{ type: "closed", peer: a.id, reason: "bye", bye: Uint8Array.of(7) }]);
    expect(eventsOf(b, "undelivered").map((event) => event.token)).toEqual([2]);
    for (const host of [a, b]) {
      expect(host.table.sessions()).toEqual([]);
      expect(host.table.nextDeadline()).toBeNull();
    }
    expect(wire.send(a, b, frameOf(4))).toBe("no-session");
    expect(a.table.close(b.id, new Uint8Array(0), wire.now(a))).toEqual([]);
  });

  test("a dial that is closed is forgotten without a word", () => {
    const { wire, a, b } = linkedPair(11);
    wire.close(a, b);
    wire.connect(a, b);
    wire.close(a, b);
    wire.run(20_000);
    expect(eventsOf(a, "unreachable")).toEqual([]);
    expect([a.table.nextDeadline(), b.table.nextDeadline()]).toEqual([null, null]);
  });

  test("a link can be opened again at once, by either side, with numbers that start anew", () => {
    const { wire, a, b } = linkedPair(12, { loss: 0.1, jitterMs: 9 });
    for (let round = 0; round < 8; round += 1) {
      wire.send(a, b, frameOf(round));
      wire.run(1_000);
      const [closer, opener] = round % 2 === 0 ? [a, b] : [b, a];
      wire.close(closer, opener);
      wire.run(100);
      wire.connect(opener, closer);
      wire.run(9_000);
    }
    expect(serials(b)).toEqual([...Array(8).keys()]);
  });
});

describe("roaming", () => {
  test("a new address is taken from the newest datagram and proved by an echo", () => {
    const { wire, a, b } = linkedPair(13);
    a.address = { ip: "192.0.2.9", port: 1_234 };
    wire.send(a, b, frameOf(1));
    wire.run(100);
    expect(eventsOf(b, "moved")).toEqual([{ type: "moved", peer: a.id, address: a.address }]);
    expect(counted(b, "links.validated")).toBe(1);
    wire.send(b, a, frameOf(2, 50_000));
    wire.run(1_000);
    expect(serials(a)).toEqual([2]);
  });

  test("until then it gets at most three times what came from it", () => {
    const { wire, a, b } = linkedPair(14);
    wire.run(100);
    for (let serial = 0; serial < 100; serial += 1) wire.send(b, a, frameOf(serial, 1_000));
    wire.run(1_000);
    // The victim's address, forged on a genuine datagram that never reached b otherwise.
    const victim = { ip: "192.0.2.66", port: 53 };
    const held: Uint8Array[] = [];
    wire.drops = ({ datagram }, from) => {
      if (from === a.address) held.push(datagram);
      return true;
    };
    wire.send(a, b, frameOf(1));
    const stolen = held[0] ?? new Uint8Array(0);
    const before = wire.sent.length;
    wire.inject(b, stolen, victim);
    expect(b.table.get(a.id)?.address).toEqual(victim);
    for (let serial = 0; serial < 100; serial += 1) wire.send(b, a, frameOf(serial, 1_000), serial);
    wire.run(9_000);
    const toVictim = wire.sent.slice(before).filter((sent) => sent.to.ip === victim.ip);
    const bytes = toVictim.reduce((sum, sent) => sum + sent.datagram.length, 0);
    expect(bytes).toBeGreaterThan(0);
    expect(bytes).toBeLessThanOrEqual(3 * stolen.length);
    // The owner's next datagram takes the link back.
    wire.drops = () => false;
    wire.send(a, b, frameOf(2));
    wire.run(5_000);
    expect(b.table.get(a.id)?.address).toEqual(a.address);
    expect(eventsOf(b, "acknowledged")).toHaveLength(100);
  });

  test("a Welcome from another address than was dialled is taken, and the address proved by an echo", () => {
    const wire = new VirtualWire(23);
    const [a, b] = [wire.addHost("a", "198.51.100.1"), wire.addHost("b", "203.0.113.1")];
    const behind = { ip: "192.0.2.9", port: 7_000 };
    wire.connect(a, b);
    wire.drops = ({ datagram }) => datagram[0] === WELCOME;
    wire.run(15);
    wire.drops = () => false;
    const welcome = wire.sent.at(-1)?.datagram ?? new Uint8Array(0);
    b.address = behind;
    wire.inject(a, welcome, behind);
    expect(eventsOf(a, "opened")).toMatchObject([{ address: behind }]);
    // Nobody answered where it was dialled, and the dial is over.
    const end = { type: "unreachable", peer: b.id, address: { ip: "203.0.113.1", port: 4_000 } };
    expect(a.events.filter(({ type }) => type === "answered" || type === "unreachable")).toEqual([end]);
    expect(counted(a, "links.validated")).toBe(0);
    wire.run(200);
    expect(counted(a, "links.validated")).toBe(1);
    expect(b.table.get(a.id)?.address).toEqual(a.address);
  });

  test("Pongs that were held back say nothing from made-up addresses, and nobody is told of those", () => {
    const { wire, a, b } = linkedPair(25);
    wire.run(100);
    const pongs = () => eventsOf(b, "frame").filter(({ frame }) => frame.kind === FRAME_KIND.pong).length;
    const held: Uint8Array[] = [];
    wire.drops = ({ datagram }, from) => from === a.address && datagram[0] === DATA && held.push(datagram) > 0;
    for (let count = 0; count < 7; count += 1) {
      b.table.ask(a.id, wire.now(b));
      wire.pump(b);
      wire.run(400);
    }
    const before = { pongs: pongs(), held: held.length, rttMs: b.table.get(a.id)?.rttMs };
    expect(before.held).toBeGreaterThanOrEqual(6);
    wire.run(5_000);
    for (const [i, datagram] of held.slice(0, before.held).entries()) {
      wire.inject(b, datagram, { ip: `192.0.${i}.66`, port: 4_000 });
      wire.run(100);
    }
    expect(counted(b, "links.moved")).toBe(before.held);
    expect(counted(b, "dropped.pong-unasked")).toBeGreaterThanOrEqual(6);
    expect([pongs(), b.table.get(a.id)?.rttMs, eventsOf(b, "moved")]).toEqual([before.pongs, before.rttMs, []]);
    // Back at its own address it proves that; where it really goes on from another one, the owner hears of it with the proof.
    wire.drops = () => false;
    wire.send(a, b, frameOf(1));
    wire.run(1_000);
    expect(pongs()).toBeGreaterThan(before.pongs);
    expect([counted(b, "links.validated"), eventsOf(b, "moved")]).toEqual([1, []]);
    a.address = { ip: "192.0.2.9", port: 1_234 };
    wire.send(a, b, frameOf(2));
    wire.run(15);
    expect([b.table.get(a.id)?.address, eventsOf(b, "moved")]).toEqual([a.address, []]);
    wire.run(100);
    expect(eventsOf(b, "moved")).toEqual([{ type: "moved", peer: a.id, address: a.address }]);
    const last = b.events.slice(b.events.findIndex(({ type }) => type === "moved") + 1);
    expect(last[0]).toMatchObject({ type: "frame", frame: { kind: FRAME_KIND.pong } });
  });

  test("an older datagram from elsewhere moves nothing", () => {
    const { wire, a, b } = linkedPair(15);
    wire.run(100);
    const held: Uint8Array[] = [];
    wire.drops = ({ datagram }, from) => from === a.address && held.push(datagram) === 1;
    wire.send(a, b, frameOf(1));
    wire.send(a, b, frameOf(2));
    wire.run(5);
    wire.run(30);
    wire.inject(b, held[0] ?? new Uint8Array(0), { ip: "192.0.2.66", port: 53 });
    expect(b.table.get(a.id)?.address).toEqual(a.address);
    expect(serials(b).sort()).toEqual([1, 2]);
  });
});

describe("frames", () => {
  test("a Send is handed back once after five tries, whole or in fragments, and the link goes on", () => {
    const { wire, a, b } = linkedPair(16);
    wire.run(100);
    // Nothing that holds a Send gets through: those are the datagrams above 900 bytes here.
    wire.drops = ({ datagram }) => datagram.length > 900 && datagram[0] !== HELLO;
    wire.send(a, b, frameOf(1, 1_000, FRAME_KIND.send), 1);
    wire.send(a, b, frameOf(2, 9_000, FRAME_KIND.send), 2);
    wire.run(9_000, () => eventsOf(a, "undelivered").length === 2);
    expect(
      eventsOf(a, "undelivered")
        .map((event) => event.token)
        .sort(),
    ).toEqual([1, 2]);
    const large = wire.sent.filter((sent) => sent.datagram.length > 900 && sent.datagram[0] !== HELLO);
    expect(large).toHaveLength(5 * (1 + 8));
    wire.drops = () => false;
    // Far more numbers than a window spans: none may wait for those that were given up.
    let serial = 10;
    const top = () => {
      while (serial < 6_000 && wire.send(a, b, frameOf(serial, 20), serial) === "queued") serial += 1;
    };
    wire.onEvent = (_host, event) => {
      if (event.type === "acknowledged") top();
    };
    top();
    wire.run(30_000, () => eventsOf(a, "acknowledged").length === 5_990);
    expect(serials(b)).toHaveLength(5_990);
    expect(eventsOf(a, "undelivered")).toHaveLength(2);
    expect(a.table.get(b.id)?.queuedBytes).toBe(0);
  });

  test("the queue of a link is bounded, and says so", () => {
    const { wire, a, b } = linkedPair(17);
    wire.drops = () => true;
    const outcomes = Array.from({ length: 4_200 }, (_, serial) => wire.send(a, b, frameOf(serial)));
    expect(outcomes.filter((outcome) => outcome === "queued")).toHaveLength(4_096);
    expect(outcomes.at(-1)).toBe("full");
    const lookups = Array.from({ length: 5_000 }, () =>
      a.table.send(b.id, { kind: 3, body: new Uint8Array(9) }, wire.now(a)),
    );
    expect(lookups.at(-1)).toBe("full");
  });

  test("many small frames share datagrams, and acks ride along", () => {
    const { wire, a, b } = linkedPair(18);
    wire.run(100);
    const before = wire.sent.length;
    for (let serial = 0; serial < 100; serial += 1) a.table.send(b.id, frameOf(serial, 40), wire.now(a), serial);
    wire.pump(a);
    expect(wire.sent.length - before).toBe(Math.ceil((100 * 47) / 1_171));
    wire.run(1_000);
    expect(eventsOf(a, "acknowledged")).toHaveLength(100);
  });

  test("a burst is spread over time, 32 datagrams first", () => {
    const { wire, a, b } = linkedPair(19);
    wire.run(100);
    const before = wire.sent.length;
    for (let serial = 0; serial < 200; serial += 1) a.table.send(b.id, frameOf(serial, 1_000), wire.now(a));
    wire.pump(a);
    expect(wire.sent.length - before).toBe(32);
    wire.run(100);
    expect(serials(b)).toHaveLength(200);
  });

  test("four large frames at a time are under way, the others wait and small ones pass", () => {
    const { wire, a, b } = linkedPair(20, { delayMs: 40 });
    for (let serial = 0; serial < 12; serial += 1) wire.send(a, b, frameOf(serial, 60_000), serial);
    wire.send(a, b, frameOf(100), 100);
    wire.run(100);
    expect(serials(b)[0]).toBe(100);
    wire.run(10_000);
    expect(serials(b).sort((x, y) => x - y)).toEqual([...Array(12).keys(), 100]);
    expect(counted(b, "dropped.fragment-no-room")).toBe(0);
  });

  test("where all links together have no room, fragments wait at their senders until there is", () => {
    const wire = new VirtualWire(21);
    const b = wire.addHost("b", "203.0.113.1", { reassemblyBytes: 150_000 });
    const senders: Host[] = [];
    for (let index = 0; index < 8; index += 1) {
      const sender = wire.addHost(`s${index}`, `198.51.${index}.1`);
      senders.push(sender);
      wire.connect(sender, b);
    }
    wire.run(1_000);
    Object.assign(wire.quality, { loss: 0.1, delayMs: 20, jitterMs: 5, duplication: 0 });
    for (const [index, sender] of senders.entries()) {
      for (let part = 0; part < 3; part += 1) wire.send(sender, b, frameOf(index * 3 + part, 60_000), part);
    }
    wire.run(60_000, () => serials(b).length === 24);
    expect(serials(b).sort((x, y) => x - y)).toEqual([...Array(24).keys()]);
    expect(counted(b, "dropped.fragment-no-room")).toBeGreaterThan(0);
  });

  test("a kind that nobody knows is passed up, numbered or not", () => {
    const { wire, a, b } = linkedPair(22);
    const frames: Frame[] = [
      { kind: 0x7f, body: Uint8Array.of(1) },
      { kind: 0xff, body: Uint8Array.of(2) },
    ];
    for (const [token, frame] of frames.entries()) wire.send(a, b, frame, token);
    wire.run(100);
    const arrived = eventsOf(b, "frame").filter((event) => event.frame.kind !== FRAME_KIND.pong);
    expect(arrived.map((event) => event.frame)).toEqual(frames);
    expect(eventsOf(a, "acknowledged").map((event) => event.token)).toEqual([1]);
  });
});
