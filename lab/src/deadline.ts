/** Waits for something, and fails with what it waited for rather than for ever. */
export async function within<T>(timeoutMs: number, what: string, happening: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: nothing within ${timeoutMs / 1000} s`)), timeoutMs);
  });
  try {
    return await Promise.race([happening, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Lets time pass that is itself what is tested: a flood that lasts, a mapping that runs out. */
export function pass(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

/** For what is awaited later: should something else fail before that, its own failure is no fault of the program. */
export function quietly(happening: Promise<unknown>): void {
  happening.catch(() => undefined);
}

/** Asks again until the answer is the wanted one, for what nobody announces. */
export async function until<T>(
  timeoutMs: number,
  what: string,
  ask: () => Promise<T>,
  wanted: (answer: T) => boolean,
): Promise<T> {
  const endMs = performance.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (wanted(answer)) return answer;
    if (performance.now() > endMs) {
      throw new Error(`${what}: not so after ${timeoutMs / 1000} s, but ${JSON.stringify(answer)}`);
    }
    await pass(20);
  }
}
