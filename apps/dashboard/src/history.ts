/** What was measured at one moment. */
export type Sample = {
  /** Seconds since 1970. */
  readonly at: number;
  readonly sentPerSecond: number;
  readonly receivedPerSecond: number;
  readonly bytesPerSecond: number;
  readonly channelRttMs: number | null;
  readonly sessionRttMs: number | null;
};

const SPAN_SECONDS = 600;
/** One a second; a page that sleeps in the background takes fewer. */
const SAMPLES_MAX = 700;

/** The last ten minutes. */
export class History {
  // BOUNDED: SAMPLES_MAX.
  #samples: Sample[] = [];

  add(sample: Sample): void {
    const oldest = sample.at - SPAN_SECONDS;
    this.#samples.push(sample);
    const first = this.#samples.findIndex(({ at }) => at >= oldest);
    const surplus = Math.max(first, this.#samples.length - SAMPLES_MAX);
    if (surplus > 0) this.#samples = this.#samples.slice(surplus);
  }

  get samples(): readonly Sample[] {
    return this.#samples;
  }

  /** Rows of one plot: the times, then a row for each value. */
  rows(...of: ((sample: Sample) => number | null)[]): (number | null)[][] {
    return [this.#samples.map(({ at }) => at), ...of.map((value) => this.#samples.map(value))];
  }
}
