// Two of werift's promises never settle once their connection is closed, so none is awaited bare: each is raced with the signal
// of its channel.

/** What an awaiting step is rejected with when its channel has closed meanwhile. */
class Cancelled extends Error {
  constructor() {
    super("the channel was closed meanwhile");
    this.name = "Cancelled";
  }
}

/** Settles like the promise, or rejects with Cancelled as soon as the signal is aborted. */
export function orCancelled<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = () => reject(new Cancelled());
    if (signal.aborted) cancel();
    signal.addEventListener("abort", cancel, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", cancel));
  });
}

/** Resolves after the time, or with the abort; leaves no timer behind. */
export function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, delayMs);
    signal.addEventListener("abort", end, { once: true });
    if (signal.aborted) end();
  });
}
