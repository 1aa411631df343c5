import { type ChildProcess, fork, spawn } from "node:child_process";
import dgram from "node:dgram";
import dns from "node:dns";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { afterEach, beforeAll, describe, expect, jest, test } from "@jest/globals";
import type { Description } from "@starling/wire-protocol";
import { decodeDescription, encodeDescription } from "@starling/wire-protocol";
import { usableAddresses } from "../src/host-addresses.ts";
import { loadParts } from "../src/werift-link.ts";
import { eventually, HOST, LABEL, open, overTheWire, Rogue, seeded, TestHub } from "./support.ts";

const hubs: TestHub[] = [];
const make = (options: ConstructorParameters<typeof TestHub>[0] = {}): TestHub => {
  const made = new TestHub(options);
  hubs.push(made);
  return made;
};
const child = (name: string): string => fileURLToPath(new URL(`./child/${name}.ts`, import.meta.url));
const fromSource = ["--conditions=@starling/source", "--disable-warning=ExperimentalWarning"];

beforeAll(() => new TestHub().hub.warmUp(), 20_000);
afterEach(async () => {
  jest.restoreAllMocks();
  await Promise.all(hubs.splice(0).map(({ hub }) => hub.shutdown()));
});

/** Every datagram that this process sends while the test runs. */
function spyOnDatagrams(): { readonly to: string; readonly data: Buffer }[] {
  const sent: { to: string; data: Buffer }[] = [];
  const send = dgram.Socket.prototype.send;
  jest.spyOn(dgram.Socket.prototype, "send").mockImplementation(function (this: dgram.Socket, ...parts: unknown[]) {
    const [data, port, ip] = parts;
    if (Buffer.isBuffer(data)) sent.push({ to: `${ip}:${port}`, data: Buffer.from(data) });
    Reflect.apply(send, this, parts);
  } as typeof send);
  return sent;
}

async function expectAlive(a: TestHub, b: TestHub): Promise<void> {
  const [before, after] = [a.count("message"), b.count("message")];
  a.hub.send("c", Uint8Array.of(1));
  b.hub.send("c", Uint8Array.of(2));
  await eventually(() => (a.count("message") > before && b.count("message") > after ? true : undefined), "messages");
  expect(a.count("closed") + b.count("closed")).toBe(0);
}

function portOf(description: Description): number {
  return description.candidates[0]?.address.port ?? 0;
}

const ALERT = Buffer.from("15fefd00000000000000010002" + "0100", "hex");
const FATAL = Buffer.from("15fefd00000000000000010002" + "0228", "hex");
const TYPE_24 = Buffer.from("18fefd00000000000000010002" + "0100", "hex");
const TYPE_30 = Buffer.from("1efefd00000000000000010002" + "0100", "hex");
/** Epoch 1, and its nonce reads as a close_notify: werift would believe it unseen. */
const ALERT_EPOCH_1 = Buffer.concat([Buffer.from("15fefd0001000000000009001a0100", "hex"), Buffer.alloc(24, 7)]);
const TYPE_30_EPOCH_1 = Buffer.concat([Buffer.from("1efefd0001000000000009001a0100", "hex"), Buffer.alloc(24, 7)]);

describe("an open channel outlives", () => {
  test("forged datagrams from a stranger: alerts, unknown types, a replayed ClientHello, STUN without integrity or replayed, noise", async () => {
    const sent = spyOnDatagrams();
    const [a, b] = [make(), make()];
    await open(a, b);
    const hello = sent.find(({ data }) => data[0] === 22 && data[13] === 1)?.data;
    expect(hello).toBeDefined();
    const binding = sent.find(({ data }) => data.readUInt16BE(0) === 1)?.data ?? Buffer.alloc(0);
    const bare = Buffer.from("000100002112a442000102030405060708090a0b", "hex");
    const broken = Buffer.from(binding);
    broken.writeUInt8(broken.readUInt8(30) ^ 1, 30);
    const random = seeded(3);
    const noise = Array.from({ length: 200 }, () =>
      Buffer.from(Array.from({ length: 1 + Math.floor(random() * 60) }, () => Math.floor(random() * 256))),
    );
    const forged = [ALERT, FATAL, TYPE_24, TYPE_30, ALERT_EPOCH_1, hello ?? ALERT, bare, broken, binding, ...noise];
    const stranger = dgram.createSocket("udp4");
    let answers = 0;
    stranger.on("message", () => {
      answers += 1;
    });
    stranger.bind(0, HOST);
    await once(stranger, "listening");
    const ports = [a, b].map(({ events }) =>
      events.flatMap((e) => (e.type === "described" ? [portOf(e.description)] : [])),
    );
    const before = droppedBy(a) + droppedBy(b);
    for (const port of ports.flat()) for (const data of forged) stranger.send(data, port, HOST);
    await eventually(
      () => (droppedBy(a) + droppedBy(b) - before >= 2 * forged.length ? true : undefined),
      "all dropped",
    );
    await expectAlive(a, b);
    expect(answers).toBe(0);
    await new Promise<void>((resolve) => stranger.close(() => resolve()));
  });

  test("the same from the peer's own address", async () => {
    const sent = spyOnDatagrams();
    const b = make();
    const rogue = await Rogue.meet(b);
    rogue.greet();
    await b.seen("opened");
    const hello = sent.find(({ data }) => data[0] === 22 && data[13] === 1)?.data ?? Buffer.alloc(0);
    const before = droppedBy(b);
    const forged = [ALERT, FATAL, TYPE_24, TYPE_30, ALERT_EPOCH_1, TYPE_30_EPOCH_1, hello, hello.subarray(0, 40)];
    for (const data of forged) await rogue.ice.send(data);
    await eventually(() => (droppedBy(b) - before >= forged.length ? true : undefined), "all dropped");
    void rogue.sctp.send(0, 53, Buffer.from("000161", "hex"));
    expect((await b.seen("message")).bytes).toEqual(Uint8Array.of(0x61));
    expect(b.count("closed")).toBe(0);
    await rogue.leave();
  });

  test("malformed SCTP of the connected peer, 2,000 packets of it", async () => {
    const b = make();
    const rogue = await Rogue.meet(b);
    rogue.greet();
    await b.seen("opened");
    const random = seeded(11);
    const tag = Reflect.get(rogue.sctp, "remoteVerificationTag");
    const fixed = [
      chunk(4, "00010000"), // a parameter of length 0
      Buffer.from("03000000", "hex"), // a chunk of length 0
      chunk(3, "00000000000000000001000000010000"), // a gap that ends before it begins
      chunk(3, `${"00000000".repeat(2)}00100000${"0001ffff".repeat(16)}`), // a million gaps
      chunk(192, "ffffffff"), // FORWARD TSN
      chunk(9, "0001"), // ERROR
      chunk(77, "00"),
      chunk(1, "0000000100100000ffffffff00000001"), // INIT
    ];
    const before = droppedBy(b);
    for (const body of fixed) await rogue.dtls.send(sctpPacket(tag, body));
    await eventually(() => (droppedBy(b) - before >= fixed.length ? true : undefined), "all dropped");
    for (let i = 0; i < 2000; i += 1) {
      const bytes = Array.from({ length: Math.floor(random() * 40) }, () => Math.floor(random() * 256));
      // Not DATA, ABORT and the like, after which a channel may well close.
      const body = chunk([1, 2, 3, 4, 5, 9, 10, 11, 64, 192][i % 10] ?? 0, Buffer.from(bytes).toString("hex"));
      const packet = sctpPacket(i % 3 === 0 ? 5 : tag, body);
      if (i % 7 === 0) packet.writeUInt8(packet.readUInt8(9) ^ 1, 9);
      await rogue.dtls.send(packet);
    }
    void rogue.sctp.send(0, 53, Buffer.from("000161", "hex"));
    await b.seen("message");
    expect(b.count("closed")).toBe(0);
    await rogue.leave();
  });
});

describe("the network sees", () => {
  test("no datagram to a candidate that is never allowed, and none beyond the ten", async () => {
    const sent = spyOnDatagrams();
    const [a, b] = [make(), make({ openTimeoutMs: 400 })];
    a.hub.offer("c", LABEL);
    const offer = overTheWire((await a.seen("described")).description);
    const hostile = [
      "0.0.0.0",
      "169.254.1.1",
      "224.0.0.251",
      "255.255.255.255",
      "240.0.0.1",
      "::",
      "fe80::1",
      "ff02::fb",
    ];
    const candidates = [
      ...hostile.map((ip) => ({ type: "host" as const, address: { ip, port: 5353 } })),
      { type: "srflx" as const, address: { ip: HOST, port: 53 } },
      { type: "relay" as const, address: { ip: "127.0.0.2", port: 1023 } },
    ];
    b.hub.accept("c", LABEL, overTheWire({ ...offer, candidates }));
    await b.seen("described");
    for (const ip of ["localhost", "peer.local", "127.1", "::ffff:127.0.0.1", "010.0.0.1"]) {
      b.hub.addCandidate("c", { type: "host", address: { ip, port: 5353 } });
    }
    expect((await b.seen("closed")).reason).toBe("timeout");
    expect(sent).toEqual([]);
    expect(b.hub.stats().dropped.get("candidate")).toBe(15);
  });

  test("no more than the checks of one candidate each, however often it is named", async () => {
    const sent = spyOnDatagrams();
    const b = make({ openTimeoutMs: 300 });
    const { certificate } = await loadParts();
    const candidates = Array.from({ length: 10 }, () => ({ type: "host" as const, address: { ip: HOST, port: 9999 } }));
    const offer = {
      setup: "actpass" as const,
      ufrag: "abcd",
      pwd: "a".repeat(24),
      fingerprint: certificate.fingerprint,
      candidates,
    };
    b.hub.accept("c", LABEL, overTheWire(offer));
    await b.seen("closed");
    expect(new Set(sent.map(({ to }) => to))).toEqual(new Set([`${HOST}:9999`]));
    expect(new Set(sent.map(({ data }) => data.toString("hex", 8, 20))).size).toBe(1);
  });

  test("no more than 96 checks of ten candidates on two sockets, none to loopback where there is more than that", async () => {
    const [ip = HOST, other = HOST] = usableAddresses().filter((address) => !address.includes(":"));
    const sent = spyOnDatagrams();
    const bindAddresses = ip === other ? [ip, ip] : [ip, other];
    const b = make({ bindAddresses, openTimeoutMs: 3000 });
    const { certificate } = await loadParts();
    const offer: Description = {
      setup: "actpass",
      ufrag: "abcd",
      pwd: "a".repeat(24),
      fingerprint: certificate.fingerprint,
      candidates: [],
    };
    b.hub.accept("c", LABEL, offer);
    for (let i = 0; i < 200; i += 1) {
      // Of the range for documentation: nobody's.
      const address = i % 3 === 0 ? `127.0.0.${i}` : `203.0.113.${i}`;
      b.hub.addCandidate("c", { type: "host", address: { ip: address, port: 9000 + i } });
    }
    expect((await b.seen("closed")).reason).toBe("timeout");
    expect(new Set(sent.map(({ to }) => to)).size).toBe(10);
    expect(sent.every(({ to }) => to.startsWith("203.0.113."))).toBe(ip !== HOST);
    expect(sent.length).toBeLessThanOrEqual(96);
    expect(b.hub.stats().dropped.get("candidate")).toBe(190);
    expect(b.hub.stats().dropped.get("budget")).toBeGreaterThan(0);
  });

  test("nothing but the two ends: no STUN server, no name looked up", async () => {
    const lookups = [
      jest.spyOn(dns, "lookup"),
      jest.spyOn(dns.promises, "lookup"),
      jest.spyOn(dns, "resolve"),
      jest.spyOn(dns.promises, "resolve"),
    ];
    const sent = spyOnDatagrams();
    const [a, b] = [make(), make()];
    await open(a, b);
    await expectAlive(a, b);
    const ports = [a, b].flatMap(({ events }) =>
      events.flatMap((event) => (event.type === "described" ? [`${HOST}:${portOf(event.description)}`] : [])),
    );
    expect(new Set(sent.map(({ to }) => to))).toEqual(new Set(ports));
    for (const spy of lookups) expect(spy).not.toHaveBeenCalled();
  });
});

describe("STUN servers that are given", () => {
  // Success response with XOR-MAPPED-ADDRESS 203.0.113.5:40000 (RFC 8489 §14.2).
  const answerTo = (request: Buffer): Buffer =>
    Buffer.concat([
      Buffer.from("0101000c2112a442", "hex"),
      request.subarray(8, 20),
      Buffer.from(`002000080001${(40_000 ^ 0x2112).toString(16)}ea12d547`, "hex"),
    ]);

  test("add a candidate to the description, or a late one", async () => {
    const server = dgram.createSocket("udp4");
    const waiting: (() => void)[] = [];
    let isSlow = false;
    server.on("message", (request, { address, port }) => {
      const answer = () => server.send(answerTo(request), port, address);
      if (isSlow) waiting.push(answer);
      else answer();
    });
    server.bind(0, HOST);
    await once(server, "listening");
    const reflexive = { type: "srflx", address: { ip: "203.0.113.5", port: 40_000 } };
    const options = { iceServers: [{ ip: HOST, port: server.address().port }] };
    const a = make({ ...options, gatherMs: 2000 });
    a.hub.offer("c", LABEL);
    expect((await a.seen("described")).description.candidates[1]).toEqual(reflexive);
    // Servers that come and go are asked for anew with each channel; one that is no ip literal is passed over.
    const servers: { ip: string; port: number }[] = [{ ip: "stun.example", port: 3478 }];
    const changing = make({ iceServers: () => servers, gatherMs: 2000 });
    changing.hub.offer("c", LABEL);
    expect((await changing.seen("described")).description.candidates).toHaveLength(1);
    servers.push(...options.iceServers);
    changing.hub.offer("d", LABEL);
    expect((await changing.seen("described", "d")).description.candidates[1]).toEqual(reflexive);
    isSlow = true;
    const b = make({ ...options, gatherMs: 0 });
    b.hub.offer("c", LABEL);
    expect((await b.seen("described")).description.candidates.length).toBe(1);
    await eventually(() => (waiting.length > 0 ? true : undefined), "the request");
    for (const answer of waiting) answer();
    expect((await b.seen("candidate")).candidate).toEqual(reflexive);
    await new Promise<void>((resolve) => server.close(() => resolve()));
  });
});

describe("a process of its own", () => {
  test("holds no socket, timer or object after a cancel at any stage, and ends by itself", async () => {
    const run = spawn(process.execPath, [...fromSource, "--expose-gc", child("leaks")], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let output = "";
    run.stdout.on("data", (data) => {
      output += data;
    });
    const [code] = await exitOf(run, 20_000);
    expect(code).toBe(0);
    const { leftovers, reached, objects } = JSON.parse(output);
    expect(leftovers).toEqual([]);
    expect(reached).toEqual(["connecting", "gathering", "open", "signalling"]);
    expect(Object.values(objects)).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
  }, 25_000);

  test("that is killed is not noticed by the hub, whose close still frees everything", async () => {
    const peer = fork(child("peer"), { execPath: process.execPath, execArgv: fromSource });
    const answer = once(peer, "message");
    const a = make();
    a.hub.offer("c", LABEL);
    peer.send(Buffer.from(encodeDescription((await a.seen("described")).description)).toString("hex"));
    const [hex] = await answer;
    const decoded = decodeDescription(Buffer.from(hex, "hex"));
    expect(decoded.ok).toBe(true);
    if (decoded.ok) a.hub.answer("c", decoded.value);
    await a.seen("opened");
    const gone = exitOf(peer, 5000);
    peer.kill("SIGKILL");
    await gone;
    expect(["sent", "queued"]).toContain(a.hub.send("c", Uint8Array.of(1)));
    expect(a.count("closed")).toBe(0);
    const sockets = () => process.getActiveResourcesInfo().filter((name) => name === "UDPWrap").length;
    const before = sockets();
    a.hub.close("c");
    await a.hub.shutdown();
    expect((await a.seen("closed")).reason).toBe("local");
    await eventually(() => (sockets() < before ? true : undefined), "the socket is closed");
  }, 15_000);
});

function exitOf(process: ChildProcess, deadlineMs: number): Promise<unknown[]> {
  const timer = setTimeout(() => process.kill("SIGKILL"), deadlineMs);
  return once(process, "exit").finally(() => clearTimeout(timer));
}

function droppedBy(hub: TestHub): number {
  return [...hub.hub.stats().dropped.values()].reduce((sum, count) => sum + count, 0);
}

function chunk(type: number, valueHex: string): Buffer {
  const value = Buffer.from(valueHex, "hex");
  const bytes = Buffer.alloc(4 + Math.ceil(value.length / 4) * 4);
  bytes.writeUInt8(type, 0);
  bytes.writeUInt16BE(4 + value.length, 2);
  value.copy(bytes, 4);
  return bytes;
}

function sctpPacket(tag: number, body: Buffer): Buffer {
  const packet = Buffer.concat([Buffer.from("1388138800000000" + "00000000", "hex"), body]);
  packet.writeUInt32BE(tag, 4);
  packet.writeUInt32LE(crc32c(packet), 8);
  return packet;
}

/** RFC 9260 appendix A, bit by bit. */
function crc32c(data: Buffer): number {
  let crc = 0xffffffff;
  for (const byte of data) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ ((crc & 1) * 0x82f63b78);
  }
  return (crc ^ 0xffffffff) >>> 0;
}
