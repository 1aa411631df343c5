// The impairing wire against its own settings. Limits of shares are five standard deviations wide: they do not fail by chance.
import type { Host } from "../net/host.ts";
import type { HostProcess } from "../net/host-process.ts";
import type { Scenario, Trial } from "../trial.ts";

const COUNT = 2_000;
const PORT = 9_000;

type Arrival = readonly [seq: number, delayMs: number, atMs: number];
type Blast = { readonly count?: number; readonly perSecond?: number; readonly sizeBytes?: number };

async function blast(from: HostProcess, to: HostProcess, target: Host, options: Blast = {}): Promise<Arrival[]> {
  const { count = COUNT, perSecond = 4_000, sizeBytes = 100 } = options;
  await to.ask("listen", { port: PORT });
  await from.ask("blast", { ip: target.ip, port: PORT, count, perSecond, sizeBytes });
  // Longer than anything waits in the wire here.
  await from.ask("rest", { ms: 1_200 });
  return (await to.ask("collect")).arrivals as Arrival[];
}

function shareNear(trial: Trial, name: string, share: number, wanted: number, of: number): void {
  const slack = 5 * Math.sqrt((wanted * (1 - wanted)) / of);
  trial.measure(name, share, { atLeast: wanted - slack, atMost: wanted + slack });
}

function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((x, y) => x - y);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
}

/** Mean length of the runs of numbers that did not arrive. */
function meanGap(arrived: ReadonlySet<number>, count: number): number {
  let gaps = 0;
  let missing = 0;
  for (let seq = 0; seq < count; seq += 1) {
    if (arrived.has(seq)) continue;
    missing += 1;
    if (seq === 0 || arrived.has(seq - 1)) gaps += 1;
  }
  return gaps === 0 ? 0 : missing / gaps;
}

export const wire: Scenario = {
  name: "wire",
  shows:
    "the impairing wire loses, delays, doubles, reorders and throttles as it is told, the same way for the same seed",
  deadlineS: 60,
  async run(trial) {
    const lab = await trial.lab();
    const { host: near, wire: line } = await lab.wiredHost("near", {});
    const far = await lab.host("far");
    const a = await near.driver("prober", ["", ""]);
    const b = await far.driver("prober", ["", ""]);

    const clean = await blast(a, b, far);
    trial.measure("a wire that was told nothing loses", COUNT - clean.length, { atMost: 0, unit: `of ${COUNT}` });

    const hard = { loss: 0.2, delay: 50, jitter: 20, dup: 0.05, seed: trial.seed };
    await line.set(hard);
    const there = await blast(a, b, far);
    const seqs = new Set(there.map(([seq]) => seq));
    shareNear(trial, "share lost on the way out, told 0.2", 1 - seqs.size / COUNT, 0.2, COUNT);
    shareNear(trial, "share that came twice, told 0.05", (there.length - seqs.size) / seqs.size, 0.05, seqs.size);
    // A machine that is busy delivers later, never earlier.
    const delays = there.map(([, delayMs]) => delayMs);
    trial.measure("median delay, told 50±20", quantile(delays, 0.5), { atLeast: 47, atMost: 75, unit: "ms" });
    trial.measure("shortest delay", quantile(delays, 0), { atLeast: 29.9, atMost: 40, unit: "ms" });
    trial.measure("1 in 20 is later than", quantile(delays, 0.95), { atLeast: 65, unit: "ms" });
    const back = await blast(b, a, near);
    const backSeqs = new Set(back.map(([seq]) => seq));
    shareNear(trial, "share lost on the way back, told 0.2", 1 - backSeqs.size / COUNT, 0.2, COUNT);
    await line.set({ seed: trial.seed });
    const again = new Set((await blast(a, b, far)).map(([seq]) => seq));
    trial.check(
      "the same seed loses the same ones",
      again.size === seqs.size && [...seqs].every((seq) => again.has(seq)),
    );

    await line.set({ loss: 0, dup: 0, jitter: 0, delay: 20, reorder: 0.1 });
    const turned = (await blast(a, b, far)).filter(([, delayMs]) => delayMs < 15).length;
    shareNear(trial, "share that overtook, told 0.1", turned / COUNT, 0.1, COUNT);

    await line.set({ reorder: 0, delay: 0, burst: 0.01, burstend: 0.15 });
    const bursts = new Set((await blast(a, b, far, { count: 2 * COUNT })).map(([seq]) => seq));
    // Gilbert-Elliott: bursts of 1/q, a share of p/(p+q).
    trial.measure("mean length of a burst of loss, told 1/0.15", meanGap(bursts, 2 * COUNT), {
      atLeast: 4,
      atMost: 10,
    });
    const lost = 1 - bursts.size / (2 * COUNT);
    trial.measure("share lost in bursts, told 0.0625", lost, { atLeast: 0.025, atMost: 0.12 });

    await line.set({ burst: 0, burstend: 1, rate: 100_000, queue: 50 });
    const slow = await blast(a, b, far, { count: 400, perSecond: 1_000, sizeBytes: 958 });
    const spanS = ((slow.at(-1)?.[2] ?? 0) - (slow[0]?.[2] ?? 0)) / 1_000;
    trial.measure("bytes a second, told 100,000", ((slow.length - 1) * 1_000) / spanS, {
      atLeast: 90_000,
      atMost: 110_000,
    });
    trial.check("what does not fit its queue is dropped", slow.length < 150, `${slow.length} of 400 came`);
  },
};
