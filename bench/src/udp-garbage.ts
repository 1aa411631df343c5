import { ask, startChild } from "./child.ts";
import type { Figure } from "./figure.ts";

// Ten million datagrams of garbage and half-truths into one table of sessions that has two links: no crash, no memory, and the links
// still carry frames afterwards. It runs in a process of its own, whose memory is nobody else's.

type Result = {
  readonly datagrams: number;
  /** The most at any look, what the collector of V8 had not taken yet included. */
  readonly grownBytes: number;
  /** The most right after a collection: what the table keeps, and pages that V8 has not given back. */
  readonly keptBytes: number;
  /** The most of heap and buffers in use right after a collection. */
  readonly liveBytes: number;
  readonly perSecond: number;
  readonly isAlive: boolean;
};

const DATAGRAMS = 10_000_000;
const PARTS = 20;
/** V8 enlarges its young generation under any load, up to 60 MB, and gives none of it back: here it has its size from the beginning. */
const YOUNG_MB = 16;
const FLAGS = [`--min-semi-space-size=${YOUNG_MB}`, `--max-semi-space-size=${YOUNG_MB}`];

export async function udpGarbage(progress: (done: number, of: number) => void): Promise<Figure[]> {
  const child = startChild("./udp-garbage-child.ts", [], FLAGS);
  // Its exit before the end is the crash that is looked for.
  const crashed = new Promise<never>((_, reject) =>
    child.once("exit", (code, signal) => reject(new Error(`it ended: ${code ?? signal}`))),
  );
  let result: Result | undefined;
  for (let part = 0; part < PARTS; part += 1) {
    result = await Promise.race([ask<Result>(child, { datagrams: DATAGRAMS / PARTS }), crashed]);
    progress(part + 1, PARTS);
  }
  crashed.catch(() => undefined);
  child.disconnect();
  if (result?.datagrams !== DATAGRAMS || !result.isAlive) throw new Error(`not all well: ${JSON.stringify(result)}`);
  return [
    {
      name: "memory kept over 10,000,000 random, mutated and replayed datagrams, no crash, links alive",
      unit: "MB",
      samples: [result.keptBytes / 2 ** 20],
      target: { atMost: 32 },
    },
    { name: "of it heap and buffers in use", unit: "MB", samples: [result.liveBytes / 2 ** 20] },
    { name: "the same, before V8 collects", unit: "MB", samples: [result.grownBytes / 2 ** 20] },
    { name: "datagrams refused meanwhile", unit: "k/s", samples: [result.perSecond / 1_000] },
  ];
}
