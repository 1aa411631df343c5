import type { Fleet } from "../fleet.ts";
import type { Progress } from "../world.ts";

export type CellOptions = {
  readonly nodes: number;
  readonly seed: number;
  readonly messages: number;
  readonly crypto: "real" | "stand-in";
  readonly progress?: Progress | undefined;
};

export type Outcome = {
  /** What the run was in, for its trace, its counts and its violations. */
  readonly fleet: Pick<Fleet, "world" | "ledger">;
  readonly figures: Readonly<Record<string, number>>;
  /** To be plotted: 101 quantiles of each, by what it is and its unit. */
  readonly curves?: Readonly<Record<string, readonly number[]>>;
};

export type Scenario = (options: CellOptions) => Outcome;
