// The pure parts: frames, the queue, the policy of candidates, and the three screens against untrusted bytes.
import { createHmac, createSecretKey } from "node:crypto";
import { describe, expect, test } from "@jest/globals";
import type { Candidate } from "@starling/wire-protocol";
import fc from "fast-check";
import { allowedCandidates, isAllowedCandidate } from "../src/candidate-policy.ts";
import { screenDtls } from "../src/dtls-screen.ts";
import { FRAME_FILL_BYTES, FrameReader, MESSAGE_MAX_BYTES } from "../src/framing.ts";
import { HandshakeOrder } from "../src/handshake-order.ts";
import { usableAddresses } from "../src/host-addresses.ts";
import { Liveness, TICK_MS } from "../src/liveness.ts";
import { firstTsn, screenSctp } from "../src/sctp-screen.ts";
import { QUEUE_MAX_BYTES, SendQueue, URGENT_MAX_BYTES } from "../src/send-queue.ts";
import { hasIntegrity, viewStun } from "../src/stun-check.ts";

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(/[ |]/g, ""), "hex");

describe("frames", () => {
  const drain = (queue: SendQueue): Uint8Array[] => {
    const frames: Uint8Array[] = [];
    for (let frame = queue.shift(); frame !== undefined; frame = queue.shift()) frames.push(frame);
    return frames;
  };
  const read = (bytes: Uint8Array, reader = new FrameReader()) => reader.read(bytes);

  test("have golden bytes, both ways", () => {
    const queue = new SendQueue();
    for (const text of ["a", "bcd"]) queue.push(Buffer.from(text), false);
    expect(Buffer.from(queue.shift() ?? []).toString("hex")).toBe("0001" + "61" + "0003" + "626364");
    expect(read(hex("000161 0003626364"))).toEqual([hex("61"), hex("626364")]);
    expect(queue.shift()).toBeUndefined();
  });

  test("of a message above 16 KiB have golden bytes: full parts, then the rest", () => {
    const queue = new SendQueue();
    queue.push(new Uint8Array(16_385).fill(7), false);
    const [first, second] = drain(queue);
    expect([first?.length, Buffer.from(first ?? []).toString("hex", 0, 3)]).toEqual([16_385, "ffff07"]);
    expect(Buffer.from(second ?? []).toString("hex")).toBe("8002" + "0707");
  });

  test.each([
    ["nothing", ""],
    ["half a prefix", "00"],
    ["an empty record", "0000"],
    ["an empty record after a whole one", "000161 0000"],
    ["a record cut short", "000261"],
    ["a record that is too long", `4001${"00".repeat(16_385)}`],
    ["an end without a beginning", "800161"],
    ["an empty part", "8000"],
    ["a part that is not full and not the last", "c00161"],
    ["a frame that is too long", `000161`.repeat(21_846)],
  ])("refuse %s", (_name, bytes) => {
    expect(read(hex(bytes))).toBe("bad");
  });

  test("give back what was queued, whole and in order, urgent ones first, filled to one record of the largest size", () => {
    const size = fc.oneof(fc.integer({ min: 1, max: 2000 }), fc.integer({ min: 1, max: 262_144 }));
    fc.assert(
      fc.property(fc.array(fc.tuple(size, fc.boolean()), { maxLength: 60 }), (sizes) => {
        const queue = new SendQueue();
        const kept: { bytes: Uint8Array; isUrgent: boolean }[] = [];
        for (const [i, [length, mayBeUrgent]] of sizes.entries()) {
          const isUrgent = mayBeUrgent && length <= 16_384;
          const bytes = new Uint8Array(length).fill(i);
          if (queue.push(bytes, isUrgent)) kept.push({ bytes, isUrgent });
        }
        const reader = new FrameReader();
        const messages: Uint8Array[] = [];
        for (const frame of drain(queue)) {
          expect(frame.length).toBeLessThanOrEqual(FRAME_FILL_BYTES);
          const got = reader.read(frame);
          if (typeof got === "string") throw new Error(got);
          messages.push(...got);
        }
        const expected = [...kept.filter(({ isUrgent }) => isUrgent), ...kept.filter(({ isUrgent }) => !isUrgent)];
        expect(messages.length).toBe(expected.length);
        expect(Buffer.concat(messages).equals(Buffer.concat(expected.map(({ bytes }) => bytes)))).toBe(true);
        expect(queue.isEmpty).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  test("let an urgent message between the parts of a long one", () => {
    const queue = new SendQueue();
    const long = new Uint8Array(MESSAGE_MAX_BYTES).fill(1);
    queue.push(long, false);
    const frames = [queue.shift()];
    queue.push(hex("02"), true);
    frames.push(...drain(queue));
    const reader = new FrameReader();
    const messages = frames.map((frame) => reader.read(frame ?? hex("")));
    expect(messages.flat<unknown>()).toEqual([hex("02"), long]);
    expect(reader.isUnfinished).toBe(false);
  });

  test("hold unfinished messages up to the largest size and to a budget, and give it back", () => {
    const part = hex(`ffff${"00".repeat(16_383)}`);
    const reader = new FrameReader(40_000, { usedBytes: 0, maxBytes: 100_000 });
    expect([reader.read(part), reader.read(part), reader.read(part)]).toEqual([[], [], "bad"]);
    const budget = { usedBytes: 0, maxBytes: 40_000 };
    const readers = [new FrameReader(100_000, budget), new FrameReader(100_000, budget)];
    expect(readers.map((one) => one.read(part))).toEqual([[], []]);
    expect(readers[0]?.read(part)).toBe("busy");
    readers[0]?.close();
    expect([readers[1]?.read(part), readers[1]?.read(hex("800107"))]).toEqual([[], [expect.any(Uint8Array)]]);
    expect(budget.usedBytes).toBe(0);
    // Where parts are not agreed on, the first is one too many.
    expect(new FrameReader(16_384).read(hex("800107"))).toBe("bad");
    expect(new FrameReader(16_382).read(part)).toBe("bad");
  });

  test("wait up to 1 MiB, prefixes included, and 64 KiB of urgent ones besides", () => {
    const queue = new SendQueue();
    let bytes = 0;
    while (queue.push(new Uint8Array(1000), false)) bytes += 1002;
    expect(bytes).toBe(QUEUE_MAX_BYTES - (QUEUE_MAX_BYTES % 1002));
    expect(queue.push(new Uint8Array(100_000), false)).toBe(false);
    let urgent = 0;
    while (queue.push(new Uint8Array(1000), true)) urgent += 1002;
    expect(urgent).toBe(URGENT_MAX_BYTES - (URGENT_MAX_BYTES % 1002));
    expect(queue.isDrained).toBe(false);
    drain(queue);
    expect([queue.isDrained, queue.push(new Uint8Array(262_144), false)]).toEqual([true, true]);
  });
});

describe("liveness", () => {
  test("ends after five ticks without a sign of life, and not before", () => {
    const liveness = new Liveness(0);
    const verdicts = [1, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3].map((signs) => liveness.tick(signs, 0, false));
    expect(verdicts).toEqual([...Array(11).fill("alive"), "dead"]);
    expect(6 * TICK_MS).toBeLessThanOrEqual(25_000);
  });

  test("ends for a long message that is not whole within a minute", () => {
    const liveness = new Liveness(0);
    const verdicts = Array.from({ length: 40 }, (_, tick) => liveness.tick(tick + 1, Math.min(tick, 14), true));
    expect(verdicts.indexOf("stalled") - 14).toBe(17);
  });
});

describe("candidates", () => {
  const at = (ip: string, port = 5000): Candidate => ({ type: "host", address: { ip, port } });

  test.each([
    ["127.0.0.1", 5000, true],
    ["10.1.2.3", 1024, true],
    ["203.0.113.9", 65_535, true],
    ["2001:db8::1", 5000, true],
    ["::1", 5000, true],
    ["fd00::1", 5000, true],
    ["203.0.113.9", 1023, false],
    ["203.0.113.9", 65_536, false],
    ["203.0.113.9", 1024.5, false],
    ["0.0.0.0", 5000, false],
    ["169.254.169.254", 5000, false],
    ["239.255.255.250", 5000, false],
    ["255.255.255.255", 5000, false],
    ["::", 5000, false],
    ["fe80::1", 5000, false],
    ["fe80::1%eth0", 5000, false],
    ["ff02::1", 5000, false],
    ["::ffff:127.0.0.1", 5000, false],
    ["example.org", 5000, false],
    ["2130706433", 5000, false],
    ["", 5000, false],
  ])("%s port %d is allowed: %s", (ip, port, isAllowed) => {
    expect(isAllowedCandidate(at(ip, port), true)).toBe(isAllowed);
  });

  test("at loopback are for those who have nothing else", () => {
    for (const ip of ["127.0.0.1", "127.255.0.9", "::1"]) {
      expect([isAllowedCandidate(at(ip), true), isAllowedCandidate(at(ip), false)]).toEqual([true, false]);
    }
  });

  test("are tried once each, ten at most", () => {
    const many = Array.from({ length: 30 }, (_, i) => at(`10.0.0.${i % 15}`));
    expect(allowedCandidates(many, { isLoopback: false }).map(({ address }) => address.ip)).toEqual(
      Array.from({ length: 10 }, (_, i) => `10.0.0.${i}`),
    );
    expect(allowedCandidates(many, { room: 3, isLoopback: false }).length).toBe(3);
  });

  test("of this machine: no loopback, no link-local, two a family", () => {
    const v4 = (address: string, internal = false) =>
      ({ address, internal, family: "IPv4", netmask: "", mac: "", cidr: null }) as const;
    const v6 = (address: string) =>
      ({ address, internal: false, family: "IPv6", netmask: "", mac: "", cidr: null, scopeid: 0 }) as const;
    const interfaces = {
      lo: [v4("127.0.0.1", true)],
      eth0: [v4("10.0.0.5"), v4("10.0.0.6"), v6("fe80::1"), v6("2001:DB8::5")],
      wlan0: [v4("169.254.3.3"), v4("192.168.1.7")],
      tun0: [v4("100.64.0.2")],
    };
    expect(usableAddresses(interfaces)).toEqual(["10.0.0.5", "192.168.1.7", "2001:db8::5"]);
    expect(usableAddresses({ lo: [v4("127.0.0.1", true)] })).toEqual(["127.0.0.1"]);
  });
});

describe("STUN", () => {
  // RFC 5769 §2.1: sample request with MESSAGE-INTEGRITY and FINGERPRINT.
  const REQUEST = hex(
    "000100582112a442b7e7a701bc34d686fa87dfae802200105354554e207465737420636c69656e74002400046e0001ff80290008932ff9b151263b36" +
      "000600096576746a3a68367659202020000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a280280004e57a3bcf",
  );
  const key = createSecretKey("VOkJxbRl1RmTxUk/WvJxBt", "utf8");

  test("of RFC 5769 has its name and its integrity", () => {
    const view = viewStun(REQUEST);
    expect(view).toMatchObject({ kind: "request", username: "evtj:h6vY", transactionId: "b7e7a701bc34d686fa87dfae" });
    if (view === undefined) return;
    expect(hasIntegrity(REQUEST, view, key)).toBe(true);
    expect(hasIntegrity(REQUEST, view, createSecretKey("VOkJxbRl1RmTxUk/WvJxBu", "utf8"))).toBe(false);
  });

  test("with any bit changed has none", () => {
    for (let bit = 0; bit < 8 * (REQUEST.length - 8); bit += 1) {
      const changed = Buffer.from(REQUEST);
      changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      const view = viewStun(changed);
      expect(view === undefined || !hasIntegrity(changed, view, key)).toBe(true);
    }
  });

  test("may say nothing after its integrity but a fingerprint, and its name once", () => {
    const signed = (attributes: Buffer, after = ""): Buffer => {
      const header = hex("0001 0000 2112a442 000102030405060708090a0b");
      header.writeUInt16BE(attributes.length + 24, 2);
      const mac = createHmac("sha1", key).update(header).update(attributes).digest();
      const tail = hex(after);
      header.writeUInt16BE(attributes.length + 24 + tail.length, 2);
      return Buffer.concat([header, attributes, hex("00080014"), mac, tail]);
    };
    const name = hex("0006000461626364");
    expect(viewStun(signed(name))?.username).toBe("abcd");
    expect(viewStun(signed(name, "8028000400000000"))?.username).toBe("abcd");
    expect(viewStun(signed(name, "0006000465666768"))).toBeUndefined();
    expect(viewStun(signed(name, "00250000"))).toBeUndefined();
    expect(viewStun(signed(Buffer.concat([name, name])))).toBeUndefined();
    expect(viewStun(hex("0001 0000 2112a442 000102030405060708090a0b"))?.integrityOffset).toBeUndefined();
    for (const type of ["0011", "0003", "0101"]) {
      const view = viewStun(hex(`${type} 0000 2112a442 000102030405060708090a0b`));
      expect(view?.kind).toBe(type === "0101" ? "response" : undefined);
    }
  });

  test("of noise is none, and never throws", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => viewStun(Buffer.from(bytes)) === undefined));
    fc.assert(
      fc.property(fc.nat(REQUEST.length - 1), fc.nat(255), fc.nat(REQUEST.length), (at, value, size) => {
        const changed = Buffer.from(REQUEST.subarray(0, size));
        if (at < changed.length) changed.writeUInt8(value, at);
        viewStun(changed);
      }),
    );
  });
});

describe("DTLS records", () => {
  const record = (type: string, epoch: string, fragment: string): string =>
    `${type}fefd${epoch}000000000001${(fragment.length / 2).toString(16).padStart(4, "0")}${fragment}`;
  const hello = record("16", "0000", "01 000002 0000 000000 000002 abcd".replaceAll(" ", ""));
  const finished = record("16", "0000", "14 000002 0000 000000 000002 abcd".replaceAll(" ", ""));
  const sealed = "11".repeat(25);
  // What passes of each, while the handshake lasts and after it.
  test.each([
    ["a ClientHello", hello, hello, ""],
    ["ChangeCipherSpec", record("14", "0000", "01"), record("14", "0000", "01"), ""],
    ["a plaintext Finished", finished, "", ""],
    ["a message cut short", record("16", "0000", "01000002000000000000"), "", ""],
    ["a message of 1 MiB", record("16", "0000", "01 100000 0000 000000 000002 abcd".replaceAll(" ", "")), "", ""],
    ["a plaintext alert", record("15", "0000", "0100"), "", ""],
    ["plaintext data", record("17", "0000", sealed), "", ""],
    ["an unknown type", record("18", "0000", "0100"), "", ""],
    ["an encrypted unknown type", record("1e", "0001", sealed), "", ""],
    ["encrypted data", record("17", "0001", sealed), record("17", "0001", sealed), record("17", "0001", sealed)],
    ["an encrypted Finished", record("16", "0001", sealed), record("16", "0001", sealed), record("16", "0001", sealed)],
    ["an encrypted alert", record("15", "0001", sealed), "", ""],
    ["what is too short to be encrypted", record("17", "0001", "00"), "", ""],
    ["a later epoch", record("17", "0002", sealed), "", ""],
    ["another version", record("17", "0001", sealed).replace("fefd", "0303"), "", ""],
    ["a record cut short", hello.slice(0, -2), "", ""],
    [
      "both in one datagram",
      hello + record("17", "0001", sealed),
      hello + record("17", "0001", sealed),
      record("17", "0001", sealed),
    ],
    ["good after bad", record("15", "0000", "0100") + hello, hello, ""],
  ])("%s", (_name, datagram, during, after) => {
    expect(screenDtls(hex(datagram), false).passed?.toString("hex") ?? "").toBe(during);
    expect(screenDtls(hex(datagram), true).passed?.toString("hex") ?? "").toBe(after);
  });

  test("an encrypted alert is handed to whoever can open it", () => {
    const alert = record("15", "0001", sealed);
    expect(screenDtls(hex(alert + hello), true).alerts.map((bytes) => bytes.toString("hex"))).toEqual([alert]);
  });

  test("never throws, and passes only whole records of what it was given", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.boolean(), (bytes, isConnected) => {
        const { passed } = screenDtls(Buffer.from(bytes), isConnected);
        expect(passed === undefined || passed.length <= bytes.length).toBe(true);
      }),
    );
  });
});

describe("SCTP packets", () => {
  const packet = (...chunks: string[]): Buffer => hex(`1388138800000001 00000000 ${chunks.join("")}`);
  const data = "00 03 0012 000000ff 0000 0000 00000035 6162 0000".replaceAll(" ", "");
  test.each([
    ["DATA of the channel", [data], "pass"],
    ["DATA of another stream", [data.replace("000000ff0000", "000000ff0001")], "misbehaved"],
    ["unordered DATA", [data.replace("0003", "0007")], "misbehaved"],
    ["DCEP", [data.replace("00000035", "00000032")], "misbehaved"],
    ["text", [data.replace("00000035", "00000033")], "misbehaved"],
    ["empty DATA", ["00030010000000ff0000000000000035"], "misbehaved"],
    ["a SACK", ["03000014000000ff0010000000010000" + "00020003"], "pass"],
    ["a SACK, then DATA", ["03000010000000ff0010000000000000", data], "pass"],
    ["a SACK with a backward gap", ["03000014000000ff0010000000010000" + "00030002"], "drop"],
    ["a SACK with a huge gap", ["03000014000000ff0010000000010000" + "0001ffff"], "drop"],
    ["a SACK that is too short", ["03000014000000ff0010000000020000" + "00010001"], "drop"],
    ["ABORT", ["06000004"], "remote-close"],
    ["SHUTDOWN", ["07000008000000ff"], "remote-close"],
    ["RECONFIG", ["82000010000d000c0000000100000001"], "remote-close"],
    ["FORWARD TSN", ["c000000800000001"], "drop"],
    ["an unknown chunk", ["4d000004"], "drop"],
    ["a chunk of length 0", ["04000000"], "drop"],
    ["a chunk cut short", ["04000010"], "drop"],
    ["HEARTBEAT", ["0400000c0001000800000001"], "pass"],
    ["HEARTBEAT with a parameter of length 0", ["0400000800010000"], "drop"],
    ["nothing", [], "drop"],
  ])("%s", (_name, chunks, verdict) => {
    expect(screenSctp(packet(...chunks), true)).toBe(verdict);
  });

  test("INIT only before the association stands, with sane parameters", () => {
    const init = "01000018 00000001 00100000 ffff ffff 00000001 c0000004".replaceAll(" ", "");
    expect([screenSctp(packet(init), false), screenSctp(packet(init), true)]).toEqual(["pass", "drop"]);
    expect(screenSctp(packet(init.replace("c0000004", "c0000000")), false)).toBe("drop");
  });

  test("tell the first TSN", () => {
    expect(firstTsn(packet("03000010000000ff0010000000000000", data))).toBe(255);
    expect(firstTsn(packet("0400000c0001000800000001"))).toBeUndefined();
  });

  test("never throw", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), fc.boolean(), (bytes, isEstablished) => {
        screenSctp(Buffer.concat([packet(), Buffer.from(bytes)]), isEstablished);
      }),
    );
  });
});

describe("the messages of a DTLS handshake", () => {
  const message = (message_seq: number, msg_type = 11) => ({ msg_type, message_seq, fragment: Buffer.alloc(0) });

  test("are handled in order, each once, however they come", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 11 }), { minLength: 12, maxLength: 60 }), (arrivals) => {
        const order = new HandshakeOrder();
        const handled = arrivals.flatMap((at) => order.take([message(at)])).map(({ message_seq }) => message_seq);
        expect(handled).toEqual(handled.map((_, i) => i));
        const here = new Set(arrivals);
        let whole = 0;
        while (here.has(whole)) whole += 1;
        expect(handled.length).toBe(whole);
      }),
    );
  });

  test("come again only where that makes the other flight come again", () => {
    const order = new HandshakeOrder();
    const [certificate, finished] = [message(0), message(1, 20)];
    expect(order.take([certificate, finished])).toEqual([certificate, finished]);
    expect(order.take([certificate, finished])).toEqual([finished]);
    expect(order.take([certificate])).toEqual([]);
  });

  test("far ahead of the next are not kept", () => {
    const order = new HandshakeOrder();
    expect(order.take([message(16), message(65_535)])).toEqual([]);
    const first = Array.from({ length: 16 }, (_, at) => message(at));
    expect(order.take(first)).toEqual(first);
    expect(order.take([message(17)])).toEqual([]);
  });
});
