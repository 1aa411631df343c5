import { ask, startChild } from "../child.ts";
import { type Figure, number } from "../figure.ts";
import { ratios } from "../race.ts";
import { WERIFT } from "./raw.ts";

// What many channels hold, and what is left of those that are gone.

const CHANNELS = 200;
const ROUNDS = 2;
const CYCLES = 1000;
const ABORTS = 120;

export async function scale(progress: () => void): Promise<Figure[]> {
  const [ours, theirs]: [number[], number[]] = [[], []];
  for (let round = 0; round < ROUNDS; round += 1) {
    ours.push(await alone<number>("hubs", CHANNELS));
    theirs.push(await alone<number>("raw", CHANNELS));
    progress();
  }
  const heaps = await alone<number[]>("cycles", CYCLES);
  progress();
  const { slowestMs, sockets, timers, stages } = await alone<{
    slowestMs: number;
    sockets: number;
    timers: number;
    stages: string[];
  }>("aborts", ABORTS);
  progress();
  if (stages.length < 4) throw new Error(`not every stage was met: ${stages}`);
  const kb = (samples: readonly number[]) =>
    `${number(samples.reduce((sum, one) => sum + one, 0) / samples.length / 1024)} KiB`;
  return [
    {
      name: `heap and buffers a channel, both ends, of ${CHANNELS} open, over ${WERIFT}`,
      unit: "x",
      samples: ratios(ours, theirs),
      target: { atMost: 1.15 },
      ours: kb(ours),
      peer: kb(theirs),
    },
    {
      name: `heap that a cycle of open and close leaves, slope over ${CYCLES.toLocaleString("en-US")}`,
      unit: "B",
      samples: [slope(heaps.slice(2)) / 100],
      target: { atMost: 256 },
    },
    {
      name: `slowest promise after an abort, ${ABORTS} at any stage`,
      unit: "ms",
      samples: [slowestMs],
      target: { atMost: 100 },
    },
    { name: "sockets left 1 s after them", unit: "", samples: [sockets], target: { atMost: 0 } },
    { name: "timers left 2 s after them", unit: "", samples: [timers], target: { atMost: 0 } },
  ];
}

async function alone<Answer>(task: string, count: number): Promise<Answer> {
  const child = startChild("./rtc/scale-child.ts");
  try {
    return await ask<Answer>(child, { task, count });
  } finally {
    child.disconnect();
  }
}

/** Of the line of least squares, a step. */
function slope(values: readonly number[]): number {
  const middle = (values.length - 1) / 2;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const rise = values.reduce((sum, value, i) => sum + (i - middle) * (value - mean), 0);
  return rise / values.reduce((sum, _, i) => sum + (i - middle) ** 2, 0);
}
