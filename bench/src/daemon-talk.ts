import type { LocalClient } from "@starling/local-client";
import { openBareChannel } from "./daemon-bare.ts";
import { openPair, type Pair } from "./daemon-node.ts";
import { type Figure, median, number } from "./figure.ts";
import { ratios } from "./race.ts";

// What two programs get from two daemons of one machine, beside the bare channel under them, in turn within each round.

const ROUNDS = 7;
const PINGS = 100;
const MESSAGES = 6000;
/** As many as one program may have open. */
const WINDOW = 256;
const SIZE_BYTES = 100;

export async function talk(progress: (done: number, of: number) => void): Promise<Figure[]> {
  const [pair, bare] = [await openPair(), await openBareChannel()];
  const [delivery, half, rate, bareRate]: [number[], number[], number[], number[]] = [[], [], [], []];
  try {
    const messages = await pair.recipient.subscribe({ events: ["message"] });
    let onMessage = (): void => {};
    void (async () => {
      for await (const _ of messages) onMessage();
    })();
    for (let round = -1; round < ROUNDS; round += 1) {
      const [halves, deliveries]: [number[], number[]] = [[], []];
      for (let ping = 0; ping < PINGS; ping += 1) {
        halves.push((await timed(() => bare.exchange(1, SIZE_BYTES, 1))) / 2);
        const arrived = new Promise<void>((resolve) => {
          onMessage = resolve;
        });
        const receipt = submit(pair.sender, pair.to);
        deliveries.push(await timed(() => arrived));
        await receipt;
      }
      const bareMs = await timed(() => bare.exchange(MESSAGES, SIZE_BYTES, WINDOW));
      const ms = await timed(() => pipeline(pair));
      if (round < 0) continue;
      half.push(median(halves));
      delivery.push(median(deliveries));
      bareRate.push((MESSAGES * 1000) / bareMs);
      rate.push((MESSAGES * 1000) / ms);
      progress(round + 1, ROUNDS);
    }
  } finally {
    await bare.close();
    await pair.close();
  }
  const ours = `${number(median(rate))}/s`;
  return [
    {
      name: "submit at one program to delivery at the other, over half the bare channel's round trip",
      unit: "x",
      samples: ratios(delivery, half),
      target: { atMost: 2.5 },
      ours: `${number(median(delivery))} ms`,
      peer: `rtc-transport alone: ${number(median(half))} ms`,
    },
    { name: "messages of 100 B with receipts, pipelined", unit: "/s", samples: rate, target: { atLeast: 8000 } },
    {
      name: "the same, over messages that the bare channel's far end sends back",
      unit: "x",
      samples: ratios(rate, bareRate),
      target: { atLeast: 0.25 },
      ours,
      peer: `rtc-transport alone: ${number(median(bareRate))}/s`,
    },
  ];
}

async function timed(run: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await run();
  return performance.now() - start;
}

function submit(sender: LocalClient, to: string): Promise<unknown> {
  return sender.submit({ to, content: new Uint8Array(SIZE_BYTES), timeoutMs: 60_000 });
}

async function pipeline({ sender, to }: Pair): Promise<void> {
  let sent = 0;
  const one = async (): Promise<void> => {
    while (sent < MESSAGES) {
      sent += 1;
      await submit(sender, to);
    }
  };
  await Promise.all(Array.from({ length: WINDOW }, one));
}
