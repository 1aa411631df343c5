// Descriptions as SDP and back, with werift's own RTCPeerConnection at the other end. Chromium's is in the browser tests.
import { afterEach, describe, expect, test } from "@jest/globals";
import type { Candidate, Description } from "@starling/wire-protocol";
import { encodeDescription } from "@starling/wire-protocol";
import fc from "fast-check";
import { fromCandidateLine, fromSdp, recordsOf, toCandidateLine, toSdp } from "../src/codec.ts";
import { FrameReader } from "../src/framing.ts";
import { eventually, LABEL, overTheWire, TestHub } from "./support.ts";

const description: Description = {
  setup: "actpass",
  ufrag: "abcd",
  pwd: "0123456789abcdefghijkl",
  fingerprint: Uint8Array.from({ length: 32 }, (_, i) => i * 8),
  candidates: [
    { type: "host", address: { ip: "192.0.2.1", port: 5000 } },
    { type: "srflx", address: { ip: "2001:db8::1", port: 65_535 } },
  ],
};

describe("SDP", () => {
  test("of a description has golden text", () => {
    expect(toSdp(description)).toBe(
      [
        "v=0",
        "o=- 1 1 IN IP4 0.0.0.0",
        "s=-",
        "t=0 0",
        "a=group:BUNDLE 0",
        "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
        "c=IN IP4 0.0.0.0",
        "a=mid:0",
        "a=ice-ufrag:abcd",
        "a=ice-pwd:0123456789abcdefghijkl",
        "a=ice-options:trickle",
        "a=fingerprint:sha-256 00:08:10:18:20:28:30:38:40:48:50:58:60:68:70:78:80:88:90:98:A0:A8:B0:B8:C0:C8:D0:D8:E0:E8:F0:F8",
        "a=setup:actpass",
        "a=sctp-port:5000",
        "a=max-message-size:65536",
        "a=candidate:1 1 udp 2130706431 192.0.2.1 5000 typ host",
        "a=candidate:2 1 udp 1694498559 2001:db8::1 65535 typ srflx raddr :: rport 0",
        "",
      ].join("\r\n"),
    );
  });

  test("gives back every description", () => {
    const text = (min: number, max: number) =>
      fc.string({ unit: fc.constantFrom(..."azAZ09+/"), minLength: min, maxLength: max });
    const candidate = fc.record({
      type: fc.constantFrom("host", "host"),
      address: fc.record({
        ip: fc.oneof(fc.ipV4(), fc.constant("2001:db8::7")),
        port: fc.integer({ min: 1, max: 65_535 }),
      }),
    }) as fc.Arbitrary<Candidate>;
    const any: fc.Arbitrary<Description> = fc.record({
      setup: fc.constantFrom("actpass", "active", "passive"),
      ufrag: text(4, 32),
      pwd: text(22, 64),
      fingerprint: fc.uint8Array({ minLength: 32, maxLength: 32 }),
      candidates: fc.array(candidate, { maxLength: 10 }),
    });
    fc.assert(fc.property(any, (one) => expect(fromSdp(toSdp(one))).toEqual(one)));
  });

  test("of Chromium and node-datachannel is read: names, TCP and more than ten candidates are left out, the preferred first", () => {
    const sdp = toSdp({ ...description, candidates: [] })
      .replace("a=fingerprint:sha-256", "a=extmap-allow-mixed\r\na=fingerprint:SHA-256")
      .concat(
        "a=candidate:1 1 udp 2113937151 5a1b2c3d.local 40000 typ host generation 0 network-cost 999\r\n",
        "a=candidate:2 1 tcp 1518280447 192.0.2.7 9 typ host tcptype active generation 0\r\n",
        "a=candidate:3 1 UDP 7 192.0.2.7 41000 typ host\r\n",
        "a=candidate:4 1 udp 1677729535 203.0.113.5 40000 typ srflx raddr 0.0.0.0 rport 0 generation 0 ufrag abcd\r\n",
        "a=candidate:5 2 udp 9 192.0.2.7 41001 typ host\r\n",
        "a=candidate:6 1 udp 9 192.0.2.7 99999 typ host\r\n",
      );
    expect(fromSdp(sdp)?.candidates).toEqual([
      { type: "srflx", address: { ip: "203.0.113.5", port: 40_000 } },
      { type: "host", address: { ip: "192.0.2.7", port: 41_000 } },
    ]);
    const many = Array.from({ length: 30 }, (_, i) => `a=candidate:9 1 udp ${i} 192.0.2.${i} 5000 typ host\r\n`);
    expect(fromSdp(toSdp(description) + many.join(""))?.candidates.length).toBe(10);
  });

  test.each(["setup", "ice-ufrag", "ice-pwd", "fingerprint"])("without %s is none", (name) => {
    expect(fromSdp(toSdp(description).replace(`a=${name}:`, "a=x:"))).toBeUndefined();
  });

  test("of noise, or too long, is none, and never throws", () => {
    fc.assert(fc.property(fc.string(), (noise) => fromSdp(noise) === undefined));
    expect(fromSdp(toSdp(description) + "a".repeat(20_000))).toBeUndefined();
    expect(fromSdp(toSdp(description).replace("sha-256", "sha-1"))).toBeUndefined();
  });

  test("candidates come one by one as well", () => {
    for (const [rank, candidate] of description.candidates.entries()) {
      expect(fromCandidateLine(toCandidateLine(candidate, rank))).toEqual(candidate);
    }
    expect(fromCandidateLine("candidate:1 1 udp 1 example.org 5000 typ host")).toBeUndefined();
  });
});

type DataChannel = {
  readyState: string;
  onMessage: { subscribe(listener: (data: Buffer) => void): void };
  send(data: Buffer): void;
};
type PeerConnection = {
  createDataChannel(label: string, options: { negotiated: boolean; id: number }): DataChannel;
  createOffer(): Promise<object>;
  createAnswer(): Promise<object>;
  setLocalDescription(description: object): Promise<{ sdp: string }>;
  setRemoteDescription(description: { type: string; sdp: string }): Promise<void>;
  close(): Promise<void>;
  readonly iceTransports: readonly { readonly connection: { stunServer: unknown } }[];
  readonly localDescription: { readonly sdp: string };
};

describe("werift's own RTCPeerConnection", () => {
  const open: { close(): Promise<void> }[] = [];
  const hub = new TestHub();
  afterEach(() => Promise.all(open.splice(0).map((one) => one.close())));

  async function connection(): Promise<{ pc: PeerConnection; dc: DataChannel }> {
    const name: string = "werift";
    const { RTCPeerConnection } = await import(name);
    const pc: PeerConnection = new RTCPeerConnection({ iceServers: [], iceAdditionalHostAddresses: ["127.0.0.1"] });
    open.push(pc);
    const dc = pc.createDataChannel("", { negotiated: true, id: 0 });
    // Its default is Google's; waiting for it takes five seconds where there is no internet.
    for (const transport of pc.iceTransports) transport.connection.stunServer = undefined;
    return { pc, dc };
  }

  async function exchange(channel: string, dc: DataChannel): Promise<void> {
    const reader = new FrameReader();
    const got: string[] = [];
    dc.onMessage.subscribe((frame) => {
      for (const message of reader.read(frame)) got.push(Buffer.from(message).toString("latin1"));
    });
    await eventually(() => (dc.readyState === "open" ? true : undefined), "werift's channel");
    for (const text of [LABEL, "from werift"]) {
      for (const [header, bytes] of recordsOf(Buffer.from(text)))
        dc.send(Buffer.from([header >> 8, header & 255, ...bytes]));
    }
    await hub.seen("opened", channel);
    hub.hub.send(channel, Buffer.from("from the hub"));
    expect(Buffer.from((await hub.seen("message", channel)).bytes).toString()).toBe("from werift");
    await eventually(() => (got.length === 2 ? true : undefined), "the hub's message");
    expect(got).toEqual([LABEL, "from the hub"]);
    hub.hub.close(channel);
    await hub.seen("closed", channel);
  }

  test("answers a hub", async () => {
    const { pc, dc } = await connection();
    hub.hub.offer("1", LABEL);
    const { description: offer } = await hub.seen("described", "1");
    await pc.setRemoteDescription({ type: "offer", sdp: toSdp(overTheWire(offer)) });
    await pc.setLocalDescription(await pc.createAnswer());
    const answer = fromSdp(pc.localDescription.sdp);
    if (answer === undefined) throw new Error(pc.localDescription.sdp);
    hub.hub.answer("1", overTheWire(answer));
    await exchange("1", dc);
  });

  test("offers to a hub", async () => {
    const { pc, dc } = await connection();
    await pc.setLocalDescription(await pc.createOffer());
    const offer = fromSdp(pc.localDescription.sdp);
    if (offer === undefined) throw new Error(pc.localDescription.sdp);
    hub.hub.accept("2", LABEL, overTheWire(offer));
    const { description: answer } = await hub.seen("described", "2");
    await pc.setRemoteDescription({ type: "answer", sdp: toSdp(overTheWire(answer)) });
    await exchange("2", dc);
  });

  test("writes an SDP six times as long as the description, which with four candidates is at most 150 bytes", async () => {
    const { pc } = await connection();
    await pc.setLocalDescription(await pc.createOffer());
    const { sdp } = pc.localDescription;
    const compact = fromSdp(sdp);
    if (compact === undefined) throw new Error(sdp);
    expect(sdp.length / encodeDescription(compact).length).toBeGreaterThanOrEqual(6);
    hub.hub.offer("3", LABEL);
    const { description: own } = await hub.seen("described", "3");
    const four = Array.from(
      { length: 4 },
      (_, i): Candidate => ({ type: "srflx", address: { ip: `203.0.113.${i}`, port: 5000 } }),
    );
    expect(encodeDescription({ ...own, candidates: four }).length).toBeLessThanOrEqual(150);
    await hub.hub.shutdown();
  });
});
