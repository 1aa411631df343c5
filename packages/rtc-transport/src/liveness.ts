// Is the peer still there? ICE's own answer takes 30 s; here five ticks of 3.5 s without a sign of life are the end, so 17 to 21 s.
// Ticks are counted, not time: a machine that slept, or a process that was stopped, hears the other end before it gives up. Pure.
export const TICK_MS = 3_500;
const QUIET_TICKS_MAX = 5;
/** A message in parts has to be whole after a minute: until then it holds a share of the budget. */
const UNFINISHED_TICKS_MAX = 17;

export class Liveness {
  #signsOfLife: number | undefined;
  #quietTicks = 0;
  #begun = -1;
  #unfinishedTicks = 0;

  constructor(signsOfLife: number | undefined) {
    this.#signsOfLife = signsOfLife;
  }

  /** Signs of life so far, undefined where others count them; messages begun in parts so far, and whether the last is unfinished. */
  tick(signsOfLife: number | undefined, begun: number, isUnfinished: boolean): "alive" | "dead" | "stalled" {
    const isQuiet = signsOfLife !== undefined && signsOfLife === this.#signsOfLife;
    this.#quietTicks = isQuiet ? this.#quietTicks + 1 : 0;
    this.#signsOfLife = signsOfLife;
    this.#unfinishedTicks = isUnfinished && begun === this.#begun ? this.#unfinishedTicks + 1 : 0;
    this.#begun = begun;
    if (this.#quietTicks >= QUIET_TICKS_MAX) return "dead";
    return this.#unfinishedTicks >= UNFINISHED_TICKS_MAX ? "stalled" : "alive";
  }
}
