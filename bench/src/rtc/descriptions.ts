import { fromSdp, toSdp } from "@starling/rtc-transport/codec";
import { type Candidate, type Description, encodeDescription } from "@starling/wire-protocol";
import type { Figure } from "../figure.ts";
import { HubEnd, openHubs } from "./hubs.ts";
import { rawEnd, WERIFT } from "./raw.ts";

// What a description weighs beside the SDP that says the same.

export async function descriptions(): Promise<Figure[]> {
  const [a, b] = [await rawEnd(), await rawEnd()];
  await a.connection.setLocalDescription(await a.connection.createOffer());
  const offer = a.connection.localDescription.sdp;
  await b.connection.setRemoteDescription({ type: "offer", sdp: offer });
  await b.connection.setLocalDescription(await b.connection.createAnswer());
  const answer = b.connection.localDescription.sdp;
  await Promise.all([a.connection.close(), b.connection.close()]);
  const own = await ownDescriptions();
  const candidates = Array.from(
    { length: 4 },
    (_, i): Candidate => ({ type: i === 0 ? "host" : "srflx", address: { ip: `203.0.113.${i}`, port: 40_000 + i } }),
  );
  const sizes = own.map((description) => encodeDescription({ ...description, candidates }).length);
  return [
    { ...overSdp("offer", offer), target: { atMost: 1 / 6 } },
    { ...overSdp("answer", answer), target: { atMost: 1 / 6 } },
    { name: "offer and answer of a hub with four candidates", unit: "B", samples: sizes, target: { atMost: 150 } },
    {
      name: "the same, over the least SDP that a browser takes",
      unit: "x",
      samples: own.map((one, i) => (sizes[i] ?? 0) / toSdp({ ...one, candidates }).length),
    },
  ];
}

function overSdp(name: string, sdp: string): Figure {
  const description = fromSdp(sdp);
  if (description === undefined) throw new Error(`not read: ${sdp}`);
  const size = encodeDescription(description).length;
  const peer = `${sdp.length} B of SDP, ${WERIFT}`;
  return {
    name: `${name} in compact form over its SDP`,
    unit: "x",
    samples: [size / sdp.length],
    ours: `${size} B`,
    peer,
  };
}

async function ownDescriptions(): Promise<readonly Description[]> {
  const [a, b] = [new HubEnd(), new HubEnd()];
  const described = await openHubs(a, b);
  await Promise.all([a.hub.shutdown(), b.hub.shutdown()]);
  return described;
}
