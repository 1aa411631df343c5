import { inside } from "./command.ts";
import type { Host } from "./host.ts";
import type { Lab } from "./lab.ts";

export type Forged = {
  /** Where the datagrams say that they come from; with `sources`, that many addresses from this one up, in turn. */
  readonly source: string;
  readonly sources?: number;
  readonly sourcePort: number;
  readonly target: string;
  readonly targetPort: number;
  /** Sent in turn. */
  readonly payloads: readonly Uint8Array[];
  readonly count: number;
  readonly perSecond: number;
};

export type Spoofed = {
  readonly sent: number;
  readonly bytes: number;
  readonly failed: number;
  readonly seconds: number;
};

/** Sends datagrams with a forged source from a host; resolves when all are sent. */
export async function spoof(lab: Lab, from: Host, forged: Forged): Promise<Spoofed> {
  const { source, sources = 1, sourcePort, target, targetPort, payloads, count, perSecond } = forged;
  const args = [`${source}+${sources}`, sourcePort, target, targetPort, count, perSecond].map(String);
  const records = payloads.flatMap((payload) => [Uint8Array.of(payload.length >> 8, payload.length & 0xff), payload]);
  return JSON.parse(await inside(from.namespace, lab.program("spoof"), args, Buffer.concat(records))) as Spoofed;
}
