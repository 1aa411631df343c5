import { aborted } from "./calls.ts";

// How long a lost connection is tried again: for as long as its program wants, less and less often.

const FIRST_DELAY_MS = 50;
const MAX_DELAY_MS = 5000;

/** The pauses before dials. They grow from one loss to the next too, for a daemon may take each connection and refuse it then. */
export class Redial {
  #delayMs = FIRST_DELAY_MS;

  /** The daemon serves: what is lost from now on is tried again soon. */
  reset(): void {
    this.#delayMs = FIRST_DELAY_MS;
  }

  /** What `dial` gives once it succeeds; undefined once the signal says that nobody wants it any more. */
  async run<T>(dial: () => Promise<T>, unwanted: AbortSignal): Promise<T | undefined> {
    while (!unwanted.aborted) {
      // Half of it by chance, so that programs of one daemon do not come back all at once.
      await pause(this.#delayMs * (0.5 + Math.random() / 2), unwanted);
      this.#delayMs = Math.min(2 * this.#delayMs, MAX_DELAY_MS);
      if (unwanted.aborted) break;
      try {
        return await dial();
      } catch {
        // The next pause is longer.
      }
    }
    return undefined;
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener("abort", end);
  });
}

/** Waits for something that goes on by itself, for as long as a signal allows. Rejects with `E_ABORTED`. */
export function abortable(waited: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) return waited;
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(aborted(signal));
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    waited.then(() => {
      signal.removeEventListener("abort", onAbort);
      resolve();
    }, reject);
  });
}
