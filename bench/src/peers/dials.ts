import type { Processes } from "./processes.ts";

// A key that nobody has heard of before is dialled: N nodes of HyperDHT's testnet and two ends of it beside N relays and two embedded
// nodes as they ship, three processes each. The end that dials has run all the time, the other has just said where it is.
//
// HyperDHT's way: a look-up in the DHT, a Noise handshake through its nodes, a stream over UDX. Ours: a stamped message over the relays,
// whose receipt says that the other has written it to disk; and a channel: offer and answer in stamped messages, ICE, DTLS, SCTP.

export const WAYS = ["hyperdht", "relays", "channel"] as const;
export type Way = (typeof WAYS)[number];

/** ms; a message over relays opens nothing. */
export type Dialled = { readonly openMs: number; readonly firstByteMs: number };
type Listening = { readonly to: string };

const SIZE_BYTES = 100;

/** Dials a new key that way, at each call. */
export async function openDials(processes: Processes, nodes: number): Promise<(way: Way) => Promise<Dialled>> {
  const testnet = await processes.peer<{ readonly bootstrap: object }>("hyperdht-testnet.mjs", String(nodes));
  const bootstrap = JSON.stringify(testnet.ready.bootstrap);
  const [server, client] = [
    await processes.peer("hyperdht-end.mjs", bootstrap),
    await processes.peer("hyperdht-end.mjs", bootstrap),
  ];
  const relays = await processes.ours<{ readonly contacts: readonly string[] }>("relays-child.ts", String(nodes));
  const [firstContact = "", secondContact = ""] = relays.ready.contacts;
  const [other, own] = [
    await processes.ours("dial-child.ts", secondContact),
    await processes.ours("dial-child.ts", firstContact),
  ];
  return async (way) => {
    const { to } = await (way === "hyperdht" ? server : other).ask<Listening>({ type: "listen" });
    if (way === "hyperdht") return client.ask({ type: "dial", to, sizeBytes: SIZE_BYTES });
    if (way === "channel") return own.ask({ type: "channel", to, sizeBytes: SIZE_BYTES });
    const { ms } = await own.ask<{ readonly ms: number }>({ type: "submit", to, sizeBytes: SIZE_BYTES });
    return { openMs: Number.NaN, firstByteMs: ms };
  };
}
