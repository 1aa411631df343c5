import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Figure } from "../figure.ts";

// What `starling-relay bench` says of stamps and of connected peers, held to targets.

const RELAY = fileURLToPath(new URL("../../../apps/relay/src/main.ts", import.meta.url));
const PEERS = 2_000;
const TIMEOUT_MS = 600_000;

type Own = {
  readonly stampUs: readonly number[];
  readonly digestAndStampUs: readonly number[];
  readonly rssBytes: number;
  readonly bytesPerPeer: number;
  readonly idle: number;
};

export async function relayOwn(): Promise<Figure[]> {
  const flags = ["--disable-warning=ExperimentalWarning", "--conditions=@starling/source"];
  const args = [...flags, RELAY, "bench", "--json", "--peers", String(PEERS)];
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: TIMEOUT_MS });
  const own: Own = JSON.parse(stdout);
  const peers = `${PEERS.toLocaleString("en-US")} connected peers`;
  return [
    {
      name: "relay: stamps checked, with the digest of a message of 800 B",
      unit: "/s",
      samples: own.digestAndStampUs.map(perSecond),
      target: { atLeast: 100_000 },
    },
    { name: "relay: stamps checked, the digest given", unit: "/s", samples: own.stampUs.map(perSecond) },
    {
      name: `relay with ${peers}: resident memory`,
      unit: "MB",
      samples: [own.rssBytes / 1e6],
      target: { atMost: 250 },
    },
    { name: "a connected peer", unit: "kB", samples: [own.bytesPerPeer / 1e3] },
    {
      name: `relay with ${peers}, idle: processor, of a core`,
      unit: "%",
      samples: [100 * own.idle],
      target: { atMost: 5 },
    },
  ];
}

function perSecond(us: number): number {
  return 1e6 / us;
}
