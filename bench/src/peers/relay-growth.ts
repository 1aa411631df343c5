import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { grow, type Place, type Plan } from "../grow.ts";
import type { Growth } from "../growth.ts";
import { installPeers, peerVersionOf } from "./install.ts";
import { Namespace, whyNoLoss } from "./namespace.ts";
import { LOSS, LOST, sizeOver } from "./parameters.ts";
import { Processes } from "./processes.ts";
import { KINDS, type Kind, measure, openTalks, type Sample } from "./relay-talk.ts";

// Through a relay, by the size of a message and by what is lost on the way: few messages at each point.

/** The greatest that a message of ours holds is 60,000 B. */
const SIZE = sizeOver("content of a message", [100, 1_000, 10_000, 50_000]);
const MESSAGE_BYTES = 800;
const PINGS = 30;
const MESSAGES = 200;
/** Those that are stamped take as long as minting them. */
const STAMPED_MESSAGES = 60;
/** The first point is not to be the one at which code is still cold. */
const WARM_UPS = 3;

export async function relayGrowth(progress: (done: number, of: number) => void): Promise<Growth[]> {
  const plan: Omit<Plan<Kind, Sample>, "open" | "whyNot"> = {
    names: { libp2p: "js-libp2p", core: "Starling, without stamps", daemon: "Starling, as shipped" },
    rounds: 3,
    charts: [
      { name: "request and reply, p50", unit: "ms", of: ({ p50 }) => p50 },
      { name: "request and reply, p99", unit: "ms", of: ({ p99 }) => p99 },
      { name: "messages with a receipt each", unit: "/s", of: ({ perSecond }) => perSecond },
      { name: "CPU of the three processes, a message", unit: "µs", of: ({ cpuUs }) => cpuUs },
    ],
    isApart: false,
    versions: () => `js-libp2p: ${peerVersionOf("libp2p")}, ${peerVersionOf("@libp2p/circuit-relay-v2")}.`,
    progress,
  };
  const [size, loss] = [
    { name: "size", title: "Through a relay, by the size of a message", over: SIZE },
    { name: "loss", title: "Through a relay, by what is lost on each hop", over: LOSS },
  ];
  return [
    await grow({ ...size, note: "Requests and messages alike." }, { ...plan, open: openQuiet, whyNot: installPeers }),
    await grow(
      { ...loss, note: `${MESSAGE_BYTES} B each. ${LOST}` },
      { ...plan, open: openLossy, whyNot: async () => (await installPeers()) ?? (await whyNoLoss()) },
    ),
  ];
}

function openQuiet(): Promise<Place<Kind, Sample>> {
  return openWarm(new Processes(), (sizeBytes) => sizeBytes);
}

async function openLossy(): Promise<Place<Kind, Sample>> {
  const namespace = await Namespace.open();
  const place = await openWarm(new Processes(namespace), () => MESSAGE_BYTES);
  return { ...place, set: (percent) => namespace?.lose(percent / 100) };
}

async function openWarm(processes: Processes, sizeAt: (value: number) => number): Promise<Place<Kind, Sample>> {
  const folder = mkdtempSync(join(tmpdir(), "starling-bench-"));
  const talks = await openTalks(processes, folder);
  const measureWith = (kind: Kind, bytes: number): Promise<Sample> => {
    const messages = kind === "daemon" ? STAMPED_MESSAGES : MESSAGES;
    return measure(talks[kind], { pings: PINGS, pingBytes: bytes, messages, messageBytes: bytes });
  };
  for (let i = 0; i < WARM_UPS; i += 1) for (const kind of KINDS) await measureWith(kind, MESSAGE_BYTES);
  return {
    measure: (kind, value) => measureWith(kind, sizeAt(value)),
    close: async () => {
      await processes.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
