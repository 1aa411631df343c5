/** Edits that a slip of the fingers makes; more is another word. */
const EDITS_MAX = 2;

/** The known name that was probably meant, by edit distance. */
export function nearestName(typed: string, names: readonly string[]): string | undefined {
  // A key of a file can be of any length, and the distance costs the product of both.
  if (typed.length > 64) return undefined;
  const [nearest] = names
    .map((name) => ({ name, edits: editDistance(typed, name) }))
    .filter(({ edits }) => edits <= EDITS_MAX)
    .sort((a, b) => a.edits - b.edits);
  return nearest?.name;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const substituted = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substituted, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
