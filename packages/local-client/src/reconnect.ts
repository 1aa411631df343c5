import { aborted } from "./calls.ts";

// How long a lost connection is tried again: for as long as its program wants, less and less often.

const FIRST_DELAY_MS = 50;
const MAX_DELAY_MS = 5000;

/** What `dial` gives once it succeeds; undefined once the signal says that nobody wants it any more. */
export async function retry<T>(dial: () => Promise<T>, unwanted: AbortSignal): Promise<T | undefined> {
  for (let delayMs = FIRST_DELAY_MS; !unwanted.aborted; delayMs = Math.min(2 * delayMs, MAX_DELAY_MS)) {
    try {
      return await dial();
    } catch {
      // Half of it by chance, so that programs of one daemon do not come back all at once.
      await pause(delayMs * (0.5 + Math.random() / 2), unwanted);
    }
  }
  return undefined;
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
