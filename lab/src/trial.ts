import { type Figure, figureLine } from "./figure.ts";
import { Lab } from "./net/lab.ts";
import { seededBytes } from "./seeded-bytes.ts";

export type TrialOptions = {
  /** The folder of the compiled wire and spoof. */
  readonly programs: string;
  readonly seed: number;
  /** Ten minutes where the short form takes one. */
  readonly isLong: boolean;
  readonly onProgress: (line: string) => void;
};

export type Scenario = {
  readonly name: string;
  /** What it shows, in one line. */
  readonly shows: string;
  readonly deadlineS: number;
  readonly longDeadlineS?: number;
  readonly run: (trial: Trial) => Promise<void>;
};

/** One run of one scenario: its laboratories, and what it finds. */
export class Trial {
  readonly seed: number;
  readonly isLong: boolean;
  readonly figures: Figure[] = [];
  /** The same bytes for the same seed. */
  readonly random: (sizeBytes: number) => Uint8Array;
  readonly #options: TrialOptions;
  readonly #labs: Lab[] = [];
  #isClosed = false;

  constructor(options: TrialOptions) {
    this.seed = options.seed;
    this.isLong = options.isLong;
    this.random = seededBytes(options.seed);
    this.#options = options;
  }

  /** An empty laboratory, which is taken down with the trial. */
  async lab(): Promise<Lab> {
    if (this.#isClosed) throw new Error("the trial is over");
    const lab = await Lab.open(this.#options.programs);
    this.#labs.push(lab);
    return lab;
  }

  /** A number and its limits. */
  measure(
    name: string,
    value: number,
    limits: { atMost?: number; atLeast?: number; unit?: string; detail?: string },
  ): void {
    this.#add({ name, value, unit: "", ...limits });
  }

  /** Something that has to be so. */
  check(name: string, value: boolean, detail?: string): void {
    this.#add({ name, value, unit: "", ...(detail === undefined ? {} : { detail }) });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all(this.#labs.splice(0).map((lab) => lab.close()));
  }

  #add(figure: Figure): void {
    // A scenario that ran out of time may still be running.
    if (this.#isClosed) return;
    this.figures.push(figure);
    this.#options.onProgress(figureLine(figure));
  }
}
