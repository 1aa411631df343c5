// The browser's own RTCPeerConnection as the other end of a hub's channel: descriptions in their compact bytes, records in frames.
import { FrameReader, FrameWriter, fromSdp, recordsOf, toSdp } from "@starling/rtc-transport/codec";
import { decodeDescription, encodeDescription } from "@starling/wire-protocol";
import { expose } from "./expose.ts";
import { digestOf, exchanged } from "./rtc-messages.ts";

type End = {
  readonly connection: RTCPeerConnection;
  readonly channel: RTCDataChannel;
  readonly received: Uint8Array[];
  closed: boolean;
};

const ends = new Map<string, End>();

function make(name: string): End {
  const connection = new RTCPeerConnection();
  const channel = connection.createDataChannel("", { negotiated: true, id: 0 });
  channel.binaryType = "arraybuffer";
  const end: End = { connection, channel, received: [], closed: false };
  const reader = new FrameReader();
  channel.onmessage = ({ data }) => {
    const messages = reader.read(new Uint8Array(data));
    if (typeof messages === "string") throw new Error(messages);
    end.received.push(...messages);
  };
  channel.onclose = () => {
    end.closed = true;
  };
  ends.set(name, end);
  return end;
}

function endOf(name: string): End {
  const end = ends.get(name);
  if (end === undefined) throw new Error(`no channel ${name}`);
  return end;
}

async function describe({ connection }: End): Promise<{ bytes: number[]; sdpChars: number }> {
  await connection.setLocalDescription();
  while (connection.iceGatheringState !== "complete") {
    await new Promise((resolve) => connection.addEventListener("icegatheringstatechange", resolve, { once: true }));
  }
  const sdp = connection.localDescription?.sdp ?? "";
  const description = fromSdp(sdp);
  if (description === undefined) throw new Error(`not read: ${sdp}`);
  return { bytes: [...encodeDescription(description)], sdpChars: sdp.length };
}

function take({ connection }: End, type: "offer" | "answer", bytes: number[]): Promise<void> {
  const description = decodeDescription(Uint8Array.from(bytes));
  if (!description.ok) throw new Error(description.reason);
  return connection.setRemoteDescription({ type, sdp: toSdp(description.value) });
}

function send(channel: RTCDataChannel, messages: readonly Uint8Array[]): void {
  let writer = new FrameWriter();
  for (const message of messages) {
    for (const [header, bytes] of recordsOf(message)) {
      if (!writer.fits(bytes.length)) {
        channel.send(writer.take());
        writer = new FrameWriter();
      }
      writer.append(header, bytes);
    }
  }
  if (writer.sizeBytes > 0) channel.send(writer.take());
}

expose({
  offer: (name: string) => describe(make(name)),
  async answer({ name, offer }: { name: string; offer: number[] }) {
    const end = make(name);
    await take(end, "offer", offer);
    return describe(end);
  },
  answered: ({ name, answer }: { name: string; answer: number[] }) => take(endOf(name), "answer", answer),
  /** Says the label and the messages, and resolves with a digest of what has come once it is as much. */
  async exchange({ name, label }: { name: string; label: string }): Promise<string> {
    const { channel, received } = endOf(name);
    if (channel.readyState === "connecting") {
      await new Promise((resolve) => channel.addEventListener("open", resolve, { once: true }));
    }
    const messages = exchanged();
    send(channel, [new TextEncoder().encode(label), ...messages]);
    while (received.length < messages.length + 1) {
      await new Promise((resolve) => channel.addEventListener("message", () => setTimeout(resolve), { once: true }));
    }
    return digestOf(received);
  },
  async ended(name: string): Promise<boolean> {
    const end = endOf(name);
    if (!end.closed) await new Promise((resolve) => end.channel.addEventListener("close", resolve, { once: true }));
    end.connection.close();
    return end.closed;
  },
  close: (name: string): void => endOf(name).connection.close(),
});
