import { createSocket } from "node:dgram";
import type { RawEnd } from "@starling/bench/rtc/raw";
import { sctpPacket } from "@starling/bench/rtc/sctp-packet";
import { pass } from "@starling/lab/deadline";
import { type Attack, atLeast, atMost, type Scene } from "../attack.ts";
import { openChannel, record } from "../tools/open-channel.ts";

// A peer whose key is known gets a channel by the book, with a WebRTC stack of its own, and then sends SCTP that is none, messages that
// are too large, channels without end. Beside it strangers send noise, STUN and DTLS to the port of that channel.

const MALFORMED = 3_000;
const FORGED = 10_000;
const CHANNELS = 200;
const LARGE_BYTES = 1024 * 1024;
const PER_STEP = 40;
const STEP_MS = 4;
const HOST = "127.0.0.1";

export const channelAbuse: Attack = {
  name: "channel-abuse",
  does: "a peer abuses an open channel: malformed SCTP, large messages, channels without end; strangers send STUN, DTLS and noise to it",
  on: "node",
  async run(scene) {
    const first = await openChannel(scene.node, scene.network);
    const forged = await fromStrangers(first.port);
    const malformed = await malformedSctp(first.end, scene);
    first.close();
    const second = await openChannel(scene.node, scene.network);
    const rude = await rudeMessages(second.end);
    second.close();
    const third = await openChannel(scene.node, scene.network);
    third.close();
    return {
      badCount: forged.sent + malformed + rude,
      amplification: forged.gotBytes / forged.sentBytes,
      checks: [
        atLeast("S3", "channels that opened by the book, before, between and after", third.isOpen ? 3 : 0, 3),
        atMost(
          "S2",
          "bytes to strangers at the channel's port, for each that they sent",
          forged.gotBytes / forged.sentBytes,
          1,
          "x",
        ),
      ],
    };
  },
};

type Forged = { readonly sent: number; readonly sentBytes: number; readonly gotBytes: number };

async function fromStrangers(port: number): Promise<Forged> {
  const stranger = createSocket("udp4");
  await new Promise<void>((resolve) => stranger.bind(0, "127.0.0.99", resolve));
  let [sentBytes, gotBytes] = [0, 0];
  stranger.on("message", (bytes) => {
    gotBytes += bytes.length + 28;
  });
  for (let sent = 0; sent < FORGED; sent += 1) {
    const bytes = noiseOfKind(sent);
    sentBytes += bytes.length + 28;
    stranger.send(bytes, port, HOST, () => undefined);
    if (sent % PER_STEP === 0) await pass(STEP_MS);
  }
  await pass(200);
  stranger.close();
  return { sent: FORGED, sentBytes, gotBytes };
}

/** What begins as STUN, as DTLS (handshake, alert, data), as RTP, or as nothing. */
function noiseOfKind(index: number): Buffer {
  const bytes = Buffer.from(Array.from({ length: 20 + (index % 180) }, (_, i) => (index * 31 + i * 17) & 0xff));
  const kind = index % 6;
  if (kind === 0) {
    bytes.writeUInt16BE([0x0001, 0x0101, 0x0011, 0x0111][(index / 6) & 3] ?? 1, 0);
    bytes.writeUInt16BE(bytes.length - 20, 2);
    bytes.writeUInt32BE(0x2112a442, 4);
  } else if (kind < 4) {
    bytes.writeUInt8([22, 21, 23][kind - 1] ?? 22, 0);
    bytes.writeUInt16BE(0xfefd, 1);
    bytes.writeUInt16BE(index % 2, 3);
    bytes.writeUInt16BE(bytes.length - 13, 11);
  } else if (kind === 4) bytes.writeUInt8(128, 0);
  return bytes;
}

async function malformedSctp({ connection }: RawEnd, { random }: Scene): Promise<number> {
  const tag = Number(Reflect.get(connection.sctpTransport?.sctp ?? {}, "remoteVerificationTag"));
  for (let sent = 0; sent < MALFORMED; sent += 1) {
    const value = Buffer.from(random(sent % 40));
    const type = [0, 1, 2, 3, 4, 5, 9, 10, 11, 64, 130, 192][sent % 12] ?? 0;
    const packet = sctpPacket(sent % 7 === 0 ? 5 : tag, type, value, sent % 5 === 0 ? 0 : value.length + 4);
    // The other end may well have closed by now.
    await connection.dtlsTransports[0]?.sendData(packet).catch(() => undefined);
    if (sent % PER_STEP === 0) await pass(STEP_MS);
  }
  return MALFORMED;
}

async function rudeMessages({ connection, channel }: RawEnd): Promise<number> {
  const send = (bytes: Buffer): void => {
    try {
      channel.send(bytes);
    } catch {
      // Closed by the other end, as it should be.
    }
  };
  send(record(Buffer.alloc(0)));
  send(Buffer.from([0xff, 0xff, 1]));
  for (let i = 0; i < CHANNELS; i += 1) connection.createDataChannel(`more ${i}`);
  for (let i = 0; i < 4; i += 1) send(Buffer.alloc(LARGE_BYTES, 0x61));
  await pass(1_000);
  return CHANNELS + 6;
}
