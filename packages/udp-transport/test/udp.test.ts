import { createSocket } from "node:dgram";
import { once } from "node:events";
import { afterEach, describe, expect, test } from "@jest/globals";
import { generateIdentity, type NodeId } from "@starling/crypto-identity";
import type { Address } from "@starling/wire-protocol";
import fc from "fast-check";
import {
  acceptsSource,
  createSecureUdp,
  openUdpSocket,
  type SecureUdp,
  type SecureUdpOptions,
  type UdpSocket,
} from "../src/index.ts";
import { createIpReader } from "../src/source-filter.ts";

/** Promise.withResolvers, which the language version of the libraries does not have yet. */
function deferred<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => undefined;
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

const random = (sizeBytes: number): Uint8Array => crypto.getRandomValues(new Uint8Array(sizeBytes));
const open: { close(): Promise<void> }[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((each) => each.close()));
});

async function socketOn(
  host: string,
  onDatagram: (bytes: Uint8Array, from: Address) => void,
  port = 0,
): Promise<UdpSocket> {
  const socket = await openUdpSocket({ host, port, onDatagram });
  open.push(socket);
  return socket;
}

type Box = { readonly messages: { readonly from: NodeId; readonly bytes: Uint8Array }[]; next(): Promise<void> };

async function secureOn(
  host: string,
  options: Partial<SecureUdpOptions> = {},
): Promise<{ secure: SecureUdp; box: Box }> {
  const messages: Box["messages"] = [];
  let wake: () => void = () => undefined;
  const secure = await createSecureUdp({
    identity: generateIdentity(random),
    network: "test",
    host,
    port: 0,
    onMessage(message) {
      messages.push(message);
      wake();
    },
    ...options,
  });
  open.push(secure);
  return { secure, box: { messages, next: () => new Promise((resolve) => (wake = resolve)) } };
}

describe("socket", () => {
  test.each(["127.0.0.1", "::1"])("carries datagrams between two sockets on %s", async (host) => {
    const arrived = deferred<[Uint8Array, Address]>();
    const a = await socketOn(host, () => undefined);
    const b = await socketOn(host, (bytes, from) => arrived.resolve([bytes, from]));
    a.send(Uint8Array.of(1, 2, 3), b.address);
    const [bytes, from] = await arrived.promise;
    expect([...bytes]).toEqual([1, 2, 3]);
    expect(from).toEqual(a.address);
    expect(b.counters.get("received")).toBe(1);
  });

  test("a socket on :: talks to IPv4 and knows it by its own text", async () => {
    const arrived = deferred<Address>();
    const answered = deferred<Address>();
    const four = await socketOn("127.0.0.1", (_bytes, from) => answered.resolve(from));
    const both = await socketOn("::", (_bytes, from) => arrived.resolve(from));
    four.send(Uint8Array.of(1), { ip: "127.0.0.1", port: both.address.port });
    expect(await arrived.promise).toEqual(four.address);
    both.send(Uint8Array.of(2), four.address);
    expect(await answered.promise).toEqual({ ip: "127.0.0.1", port: both.address.port });
  });

  test("a port that is taken, an address that is elsewhere, and what is no address each say so", async () => {
    const taken = await socketOn("127.0.0.1", () => undefined);
    const attempt = (host: string, port: number) => openUdpSocket({ host, port, onDatagram: () => undefined });
    const refused = (code: string, message: RegExp) =>
      expect.objectContaining({ code, message: expect.stringMatching(message) });
    await expect(attempt("127.0.0.1", taken.address.port)).rejects.toEqual(refused("E_PORT_TAKEN", /another port/));
    await expect(attempt("198.51.100.1", 0)).rejects.toEqual(refused("E_ADDRESS_NOT_HERE", /0\.0\.0\.0/));
    await expect(attempt("localhost", 0)).rejects.toEqual(refused("E_BAD_ADDRESS", /no ip address/));
    await expect(attempt("127.0.0.1", 70_000)).rejects.toEqual(refused("E_BAD_ADDRESS", /no port/));
  });

  test("a send that cannot work is counted, never thrown or emitted", async () => {
    const errors: Error[] = [];
    const socket = await openUdpSocket({
      host: "127.0.0.1",
      port: 0,
      onDatagram: () => undefined,
      onError: (error) => errors.push(error),
    });
    open.push(socket);
    socket.send(Uint8Array.of(1), { ip: "127.0.0.1", port: 0 });
    socket.send(Uint8Array.of(1), { ip: "no.such.name", port: 9 });
    socket.send(Uint8Array.of(1), { ip: "::1", port: 9 });
    socket.send(new Uint8Array(70_000), { ip: "127.0.0.1", port: 9 });
    // Nobody listens there: the system may answer with "connection refused".
    socket.send(Uint8Array.of(1), { ip: "127.0.0.1", port: 9 });
    const arrived = deferred<void>();
    const other = await socketOn("127.0.0.1", () => arrived.resolve());
    socket.send(Uint8Array.of(1), other.address);
    await arrived.promise;
    expect(socket.counters.get("send.failed")).toBe(4);
    await socket.close();
    await socket.close();
    socket.send(Uint8Array.of(1), other.address);
    expect(socket.counters.get("send.after-close")).toBe(1);
    expect(errors).toEqual([]);
  });
});

describe("sources", () => {
  const own = { ip: "192.0.2.1", port: 4_000 };
  const local = () => new Set(["192.0.2.1", "10.0.0.1", "127.0.0.1"]);

  test.each([
    ["a peer", { ip: "198.51.100.1", port: 9 }, true],
    ["a peer with the same port", { ip: "198.51.100.1", port: 4_000 }, true],
    ["another program of this machine", { ip: "192.0.2.1", port: 4_001 }, true],
    ["itself", { ip: "192.0.2.1", port: 4_000 }, false],
    ["port 0, which nobody can answer", { ip: "198.51.100.1", port: 0 }, false],
    ["multicast", { ip: "224.0.0.1", port: 9 }, false],
    ["IPv6 multicast", { ip: "ff02::1", port: 9 }, false],
    ["broadcast", { ip: "255.255.255.255", port: 9 }, false],
    ["unspecified", { ip: "0.0.0.0", port: 9 }, false],
  ])("%s", (_name, from, accepted) => {
    expect(acceptsSource(from, own, local)).toBe(accepted);
    expect(acceptsSource(from, { ip: "0.0.0.0", port: 4_000 }, local)).toBe(accepted);
  });

  test("the reader of ips gives one text for each, and none for what is none", () => {
    const read = createIpReader();
    for (let round = 0; round < 2; round += 1) {
      expect(read("::ffff:192.0.2.1")).toBe("192.0.2.1");
      expect(read("2001:DB8:0::1")).toBe("2001:db8::1");
      expect(read("fe80::1%eth0")).toBeUndefined();
    }
    const texts = fc.oneof(fc.ipV6(), fc.ipV4(), fc.string({ maxLength: 50 }));
    fc.assert(
      fc.property(texts, (text) => {
        const once = read(text);
        expect(once === undefined ? undefined : read(once)).toBe(once);
      }),
      { seed: 1, numRuns: 2_000 },
    );
  });
});

describe("secure udp", () => {
  test("two of them exchange messages, small and large, and part with a Bye", async () => {
    const events: string[] = [];
    const a = await secureOn("127.0.0.1");
    const closed = deferred<void>();
    const b = await secureOn("127.0.0.1", {
      onSession(event) {
        events.push(event.type);
        if (event.type === "closed") closed.resolve();
      },
    });
    const info = await a.secure.connect(b.secure.id, b.secure.address);
    expect(info).toMatchObject({ peer: b.secure.id, address: b.secure.address, initiator: true });
    const contents = [Uint8Array.of(1), random(1_100), random(60_000)];
    await Promise.all(contents.map((bytes) => a.secure.send(b.secure.id, bytes)));
    expect(b.box.messages.map((message) => message.from)).toEqual(Array(3).fill(a.secure.id));
    const bySize = [...b.box.messages].sort((x, y) => x.bytes.length - y.bytes.length);
    expect(bySize.map((message) => Buffer.from(message.bytes).toString("hex"))).toEqual(
      contents.map((bytes) => Buffer.from(bytes).toString("hex")),
    );
    const answered = a.box.next();
    await b.secure.send(a.secure.id, Uint8Array.of(9));
    await answered;
    expect(a.box.messages[0]?.bytes).toEqual(Uint8Array.of(9));
    await a.secure.close();
    await closed.promise;
    expect(events).toEqual(["opened", "closed"]);
    expect(b.secure.sessions()).toEqual([]);
  });

  test("garbage, from anywhere, leaves it alive", async () => {
    const a = await secureOn("127.0.0.1");
    const b = await secureOn("127.0.0.1");
    const raw = createSocket("udp4");
    const { port, ip } = b.secure.address;
    for (let round = 0; round < 200; round += 1) {
      const bytes = random([0, 1, 29, 37, 1_200, 1_500][round % 6] ?? 0);
      if (bytes.length > 0) bytes[0] = 0x50 + (round % 5);
      await new Promise<void>((done) => raw.send(bytes, port, ip, () => done()));
    }
    raw.close();
    await once(raw, "close");
    await a.secure.connect(b.secure.id, b.secure.address);
    await a.secure.send(b.secure.id, Uint8Array.of(1));
    expect(b.box.messages).toHaveLength(1);
    expect([...b.secure.counters.keys()].some((name) => name.startsWith("dropped."))).toBe(true);
  });

  test("what cannot be sent is refused with a code", async () => {
    const a = await secureOn("127.0.0.1");
    const b = await secureOn("127.0.0.1");
    const failure = (code: string) => expect.objectContaining({ code });
    await expect(a.secure.send(b.secure.id, Uint8Array.of(1))).rejects.toEqual(failure("E_NO_SESSION"));
    await a.secure.connect(b.secure.id, b.secure.address);
    await expect(a.secure.send(b.secure.id, new Uint8Array(65_530))).rejects.toEqual(failure("E_TOO_LARGE"));
    await a.secure.send(b.secure.id, new Uint8Array(65_529));
    const full = Array.from({ length: 100 }, () => a.secure.send(b.secure.id, new Uint8Array(60_000)));
    const outcomes = Promise.allSettled(full);
    await a.secure.close();
    const codes = (await outcomes).map((outcome) => (outcome.status === "rejected" ? outcome.reason.code : "sent"));
    expect(new Set(codes)).toEqual(new Set(["E_UNDELIVERED", "E_QUEUE_FULL"]));
    await expect(a.secure.send(b.secure.id, Uint8Array.of(1))).rejects.toEqual(failure("E_CLOSED"));
    await expect(a.secure.connect(b.secure.id, b.secure.address)).rejects.toEqual(failure("E_CLOSED"));
  });

  test("a dial in vain, and one that is called off, are told", async () => {
    const a = await secureOn("127.0.0.1");
    const { id } = generateIdentity(random);
    await expect(a.secure.connect(id, { ip: "127.0.0.1", port: 0 })).rejects.toEqual(
      expect.objectContaining({ code: "E_UNREACHABLE" }),
    );
    const hopeless = a.secure.connect(id, { ip: "127.0.0.1", port: 9 });
    a.secure.disconnect(id);
    await expect(hopeless).rejects.toEqual(expect.objectContaining({ code: "E_UNREACHABLE" }));
  });
});
