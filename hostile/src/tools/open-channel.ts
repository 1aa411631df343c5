import { isOpen, type RawEnd, rawEnd } from "@starling/bench/rtc/raw";
import { within } from "@starling/lab/deadline";
import { fromSdp, toSdp } from "@starling/rtc-transport/codec";
import { channelLabel } from "@starling/wire-protocol";
import type { Target } from "../attack.ts";
import { Caller } from "./caller.ts";

// A channel to the attacked node by the book, of a peer that it has never heard of: Offer and Answer by the protocol, ICE, DTLS and
// SCTP by werift, the label as the first record.

const OPEN_MS = 10_000;
/** Nothing of what a crafted peer sends is sent again where it gets lost. */
const AGAIN_MS = 1_000;
const HOST = "127.0.0.1";

export type Opened = { readonly end: RawEnd; readonly port: number; readonly isOpen: boolean; close(): void };

export async function openChannel(node: Target, network: string): Promise<Opened> {
  const caller = await Caller.open(node, network);
  const end = await rawEnd(HOST);
  const close = (): void => {
    caller.close();
    end.connection.close().catch(() => undefined);
  };
  try {
    await end.connection.setLocalDescription(await end.connection.createOffer());
    const description = fromSdp(end.connection.localDescription.sdp);
    if (description === undefined) throw new Error("the attacker's own description cannot be read");
    const { answered, repeat } = caller.offer(description);
    const again = setInterval(repeat, AGAIN_MS);
    const { description: theirs } = await within(OPEN_MS, "an Answer", answered).finally(() => clearInterval(again));
    await end.connection.setRemoteDescription({ type: "answer", sdp: toSdp(theirs) });
    await within(OPEN_MS, "an open channel", isOpen(end.channel));
    end.channel.send(record(Buffer.from(channelLabel(caller.peer.id, node.id))));
    return { end, port: theirs.candidates[0]?.address.port ?? 0, isOpen: true, close };
  } catch (error) {
    close();
    throw error;
  }
}

export function record(bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 255]), bytes]);
}
