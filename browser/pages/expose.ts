/** What a test may call of a page. */
export function expose(calls: Record<string, (input: never) => unknown>): void {
  Object.assign(globalThis, calls);
}

export function random(sizeBytes: number): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(sizeBytes));
}
