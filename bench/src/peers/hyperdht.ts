import { type Figure, median, number } from "../figure.ts";
import { ratios } from "../race.ts";
import { installPeers, versionOf } from "./install.ts";
import { Processes } from "./processes.ts";

// A key that nobody has heard of before is dialled, on loopback, in turn: ten nodes of HyperDHT's testnet and two ends of it beside ten
// relays and two embedded nodes as they ship, three processes each. The end that dials has run all the time, the other has just said
// where it is.
//
// HyperDHT's way: a look-up in the DHT, a Noise handshake through its nodes, a stream over UDX. Ours: a stamped message over the relays,
// whose receipt says that the other has written it to disk; and a channel: offer and answer in stamped messages, ICE, DTLS, SCTP.

const DIALS = 20;
const NODES = 10;
const SIZE_BYTES = 100;

type Dialled = { readonly openMs: number; readonly firstByteMs: number };
type Listening = { readonly to: string };

export async function hyperdht(progress: (done: number, of: number) => void): Promise<Figure[]> {
  const fault = await installPeers();
  const name = "a key not known before: beside HyperDHT";
  if (fault !== undefined) return [{ name, unit: "x", samples: [], skipped: fault }];
  const processes = new Processes();
  const theirs: Dialled[] = [];
  const receiptMs: number[] = [];
  const ours: Dialled[] = [];
  try {
    const testnet = await processes.peer<{ readonly bootstrap: object }>("hyperdht-testnet.mjs", String(NODES));
    const bootstrap = JSON.stringify(testnet.ready.bootstrap);
    const [server, client] = [
      await processes.peer("hyperdht-end.mjs", bootstrap),
      await processes.peer("hyperdht-end.mjs", bootstrap),
    ];
    const relays = await processes.ours<{ readonly contacts: readonly string[] }>("relays-child.ts", String(NODES));
    const [firstContact = "", secondContact = ""] = relays.ready.contacts;
    const [other, own] = [
      await processes.ours("dial-child.ts", secondContact),
      await processes.ours("dial-child.ts", firstContact),
    ];
    const listen = { type: "listen" };
    for (let dial = -1; dial < DIALS; dial += 1) {
      const { to: key } = await server.ask<Listening>(listen);
      const dialled = await client.ask<Dialled>({ type: "dial", to: key, sizeBytes: SIZE_BYTES });
      const { to: first } = await other.ask<Listening>(listen);
      const { ms } = await own.ask<{ readonly ms: number }>({ type: "submit", to: first, sizeBytes: SIZE_BYTES });
      const { to: second } = await other.ask<Listening>(listen);
      const opened = await own.ask<Dialled>({ type: "channel", to: second, sizeBytes: SIZE_BYTES });
      if (dial >= 0) {
        theirs.push(dialled);
        receiptMs.push(ms);
        ours.push(opened);
      }
      progress(dial + 2, DIALS + 1);
    }
  } finally {
    await processes.stop();
  }
  const peerMs = (key: keyof Dialled): number[] => theirs.map((dialled) => dialled[key]);
  const compared = (what: string, mine: readonly number[], peer: readonly number[]): Figure => ({
    name: `a key not known before: ${what}`,
    unit: "x",
    samples: ratios(mine, peer),
    ours: `${number(median(mine))} ms`,
    peer: `${versionOf("hyperdht")}: ${number(median(peer))} ms`,
  });
  return [
    compared(
      "first receipt, over relays, to its first byte back, over a direct stream",
      receiptMs,
      peerMs("firstByteMs"),
    ),
    compared(
      "open channel to its open stream",
      ours.map(({ openMs }) => openMs),
      peerMs("openMs"),
    ),
    compared(
      "first receipt over that channel to its first byte back",
      ours.map(({ firstByteMs }) => firstByteMs),
      peerMs("firstByteMs"),
    ),
  ];
}
