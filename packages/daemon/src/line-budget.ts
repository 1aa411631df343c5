/** Milliseconds over which lines are counted. */
const WINDOW_MS = 1000;

/** Asked before each line, with monotonic milliseconds. */
export type LineBudget = (nowMs: number) => {
  readonly allowed: boolean;
  /** Lines that were not allowed since the last one that was. */
  readonly suppressed: number;
};

/** What one cause may write to the log, where strangers decide how often it happens. `nowMs` is monotonic. */
export function createLineBudget(linesPerSecond: number = 100): LineBudget {
  let windowMs = Number.NEGATIVE_INFINITY;
  let lines = 0;
  let suppressed = 0;
  return (nowMs) => {
    if (nowMs - windowMs >= WINDOW_MS) {
      windowMs = nowMs;
      lines = 0;
    }
    lines += 1;
    if (lines > linesPerSecond) {
      suppressed += 1;
      return { allowed: false, suppressed };
    }
    const told = suppressed;
    suppressed = 0;
    return { allowed: true, suppressed: told };
  };
}
