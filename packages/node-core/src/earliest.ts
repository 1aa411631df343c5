/** The earliest of these deadlines, monotonic ms; null where none of them is set. */
export function earliest(...deadlines: readonly (number | null)[]): number | null {
  let first: number | null = null;
  for (const deadline of deadlines) if (deadline !== null && (first === null || deadline < first)) first = deadline;
  return first;
}
