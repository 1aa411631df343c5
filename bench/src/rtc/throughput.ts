import type { Figure } from "../figure.ts";
import { number } from "../figure.ts";
import { ratios } from "../race.ts";
import { HubEnd, openHubs, pumpHubs } from "./hubs.ts";
import { openRaw, pumpRaw, type RawEnd, useKeyObjects, WERIFT } from "./raw.ts";

// Messages from one end to the other, both in this process, on loopback: hubs beside werift's own RTCPeerConnection, in turn.

const ROUNDS = 5;
/** The ratio of large ones is held to 5 %, and one round of both varies by 30 %: many, each second one the other way round. */
const LARGE_ROUNDS = 20;
const SMALL = 256;
const LARGE = 16_384;
const WINDOWS = [2_048, 4_096, 16_384];

type Run = { readonly perSecond: number; readonly cpuMsPerMb: number };

export async function throughput(progress: () => void): Promise<Figure[]> {
  const [a, b] = [new HubEnd(), new HubEnd()];
  await openHubs(a, b);
  const [raw, keyed] = [await openRaw(), await openRaw()];
  useKeyObjects(keyed.a, keyed.b);
  const small: Run[] = [];
  const rawSmall = new Map<number, Run[]>(WINDOWS.map((window) => [window, []]));
  const large: Run[] = [];
  const unhardened: Run[] = [];
  const unpatched: Run[] = [];
  // The first round is not counted.
  for (let round = -1; round < ROUNDS; round += 1) {
    const keep = (runs: Run[] | undefined, run: Run) => round >= 0 && runs?.push(run);
    keep(small, await ofHubs(a, b, 20_000, SMALL));
    for (const window of WINDOWS) keep(rawSmall.get(window), await ofRaw(raw, 1_000, SMALL, window));
    progress();
  }
  for (let round = -1; round < LARGE_ROUNDS; round += 1) {
    const turns = [
      async () => [large, await ofHubs(a, b, 400, LARGE)] as const,
      async () => [unhardened, await ofRaw(keyed, 400, LARGE, 65_536)] as const,
      async () => [unpatched, await ofRaw(raw, 200, LARGE, 65_536)] as const,
    ];
    for (const turn of round % 2 === 0 ? turns : turns.toReversed()) {
      const [runs, run] = await turn();
      if (round >= 0) runs.push(run);
    }
    progress();
  }
  await Promise.all([a.hub.shutdown(), b.hub.shutdown(), raw.close(), keyed.close()]);

  const rates = (runs: readonly Run[]) => runs.map(({ perSecond }) => perSecond);
  const cpu = (runs: readonly Run[]) => runs.map(({ cpuMsPerMb }) => cpuMsPerMb);
  const best = WINDOWS.map((window) => rawSmall.get(window) ?? []).reduce((least, runs) =>
    mean(cpu(runs)) < mean(cpu(least)) ? runs : least,
  );
  const at16 = rawSmall.get(16_384) ?? [];
  const perSecond = (runs: readonly Run[]) => `${number(mean(rates(runs)))} messages/s`;
  const perMb = (runs: readonly Run[]) => `${number(mean(cpu(runs)))} ms CPU per MB`;
  const mb = (runs: readonly Run[]) => `${number((mean(rates(runs)) * LARGE) / 1e6)} MB/s`;
  const x = (
    name: string,
    samples: readonly number[],
    target: Figure["target"],
    ours: string,
    peer: string,
  ): Figure => ({
    name,
    unit: "x",
    samples,
    ...(target === undefined ? {} : { target }),
    ours,
    peer,
  });
  return [
    x(
      `messages of ${SMALL} B over ${WERIFT} at a window of 16 KiB`,
      ratios(rates(small), rates(at16)),
      { atLeast: 8 },
      perSecond(small),
      perSecond(at16),
    ),
    x(
      `CPU of both ends for them, over ${WERIFT} at its best window of ${WINDOWS.map((size) => size / 1024).join(", ")} KiB`,
      ratios(cpu(small), cpu(best)),
      { atMost: 1 / 6 },
      perMb(small),
      perMb(best),
    ),
    x(
      `messages of 16 KiB over ${WERIFT} with KeyObjects and no screen`,
      ratios(rates(large), rates(unhardened)),
      { atLeast: 0.95 },
      mb(large),
      mb(unhardened),
    ),
    x(
      `messages of 16 KiB over ${WERIFT} as it is`,
      ratios(rates(large), rates(unpatched)),
      { atLeast: 1.8 },
      mb(large),
      mb(unpatched),
    ),
  ];
}

function ofHubs(a: HubEnd, b: HubEnd, count: number, size: number): Promise<Run> {
  return measure(count, size, () => pumpHubs(a, b, count, Buffer.alloc(size, 7)));
}

function ofRaw({ a, b }: { a: RawEnd; b: RawEnd }, count: number, size: number, window: number): Promise<Run> {
  return measure(count, size, () => pumpRaw(a, b, count, Buffer.alloc(size, 7), window));
}

async function measure(count: number, size: number, run: () => Promise<void>): Promise<Run> {
  const started = performance.now();
  const before = process.cpuUsage();
  await run();
  const { user, system } = process.cpuUsage(before);
  const seconds = (performance.now() - started) / 1000;
  return { perSecond: count / seconds, cpuMsPerMb: (user + system) / 1000 / ((count * size) / 1e6) };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
