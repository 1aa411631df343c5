import { afterEach, describe, expect, test } from "@jest/globals";
import type { Address } from "@starling/wire-protocol";
import fc from "fast-check";
import { openUdpSocket } from "../src/index.ts";
import { acceptsSource, broadcastOf, createIpReader, createLocalAddresses } from "../src/source-filter.ts";
import { closeAll, deferred, opened, socketOn } from "./support.ts";

afterEach(closeAll);

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

  test("two sockets share a port when both say so", async () => {
    const attempt = (port: number) =>
      openUdpSocket({ host: "127.0.0.1", port, reusePort: true, onDatagram: () => undefined });
    const first = opened(await attempt(0));
    const second = opened(await attempt(first.address.port));
    expect(second.address).toEqual(first.address);
    expect(first.receiveBufferBytes).toBeGreaterThan(65_536);
  });

  test("a send that cannot work is counted, never thrown or emitted", async () => {
    const errors: Error[] = [];
    const socket = await openUdpSocket({
      host: "127.0.0.1",
      port: 0,
      onDatagram: () => undefined,
      onError: (error) => errors.push(error),
    });
    opened(socket);
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
  const local = () => ({
    ips: new Set(["192.0.2.1", "10.0.0.1", "127.0.0.1"]),
    broadcasts: new Set(["192.0.2.255", "10.255.255.255"]),
  });

  test.each([
    ["a peer", { ip: "198.51.100.1", port: 9 }, true],
    ["a peer with the same port", { ip: "198.51.100.1", port: 4_000 }, true],
    ["another program of this machine", { ip: "192.0.2.1", port: 4_001 }, true],
    ["itself", { ip: "192.0.2.1", port: 4_000 }, false],
    ["port 0, which nobody can answer", { ip: "198.51.100.1", port: 0 }, false],
    ["multicast", { ip: "224.0.0.1", port: 9 }, false],
    ["IPv6 multicast", { ip: "ff02::1", port: 9 }, false],
    ["broadcast", { ip: "255.255.255.255", port: 9 }, false],
    ["broadcast of a network of this machine", { ip: "10.255.255.255", port: 9 }, false],
    ["unspecified", { ip: "0.0.0.0", port: 9 }, false],
  ])("%s", (_name, from, accepted) => {
    expect(acceptsSource(from, own, local)).toBe(accepted);
    expect(acceptsSource(from, { ip: "0.0.0.0", port: 4_000 }, local)).toBe(accepted);
  });

  test.each([
    ["192.0.2.1/24", "192.0.2.255"],
    ["10.1.2.3/8", "10.255.255.255"],
    ["172.16.5.4/20", "172.16.15.255"],
    ["198.51.100.9/30", "198.51.100.11"],
    ["198.51.100.9/31", undefined],
    ["198.51.100.9/32", undefined],
    ["2001:db8::1/64", undefined],
    ["nonsense", undefined],
  ])("the broadcast address of %s is %s", (cidr, broadcast) => {
    expect(broadcastOf(cidr)).toBe(broadcast);
  });

  test("the machine's own addresses are looked up again after half a minute", () => {
    let nowMs = 0;
    const local = createLocalAddresses(() => nowMs);
    const first = local();
    expect(first.ips.has("127.0.0.1")).toBe(true);
    nowMs = 29_999;
    expect(local()).toBe(first);
    nowMs = 30_000;
    expect(local()).not.toBe(first);
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
