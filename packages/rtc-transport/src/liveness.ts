// Is the peer still there? ICE's own answer takes 30 s; here five ticks of 4 s without a sign of life are the end, so 20 to 24 s.
// Ticks are counted, not time: a machine that slept, or a process that was stopped, hears the other end before it gives up. Pure.
export const TICK_MS = 4_000;
const QUIET_TICKS_MAX = 5;
/** A message in parts has to be whole after a minute: until then it holds a share of the budget. */
const UNFINISHED_TICKS_MAX = 15;

export class Liveness {
  #signsOfLife = -1;
  #quietTicks = 0;
  #begun = -1;
  #unfinishedTicks = 0;

  /** Signs of life so far; messages begun in parts so far, and whether the last is unfinished. */
  tick(signsOfLife: number, begun: number, isUnfinished: boolean): "alive" | "dead" | "stalled" {
    this.#quietTicks = signsOfLife === this.#signsOfLife ? this.#quietTicks + 1 : 0;
    this.#signsOfLife = signsOfLife;
    this.#unfinishedTicks = isUnfinished && begun === this.#begun ? this.#unfinishedTicks + 1 : 0;
    this.#begun = begun;
    if (this.#quietTicks >= QUIET_TICKS_MAX) return "dead";
    return this.#unfinishedTicks >= UNFINISHED_TICKS_MAX ? "stalled" : "alive";
  }
}
