import type { Figure } from "./figure.ts";
import { descriptions } from "./rtc/descriptions.ts";
import { hostile } from "./rtc/hostile.ts";
import { scale } from "./rtc/scale.ts";
import { throughput } from "./rtc/throughput.ts";

/** The figures of rtc-transport. */
export async function rtc(progress: (done: number, of: number) => void): Promise<Figure[]> {
  let done = 0;
  const step = () => {
    done += 1;
    progress(done, 35);
  };
  const figures = [...(await throughput(step)), ...(await descriptions())];
  step();
  return [...figures, ...(await scale(step)), ...(await hostile(step))];
}
