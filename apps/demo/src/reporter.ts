/** How the demonstration shows itself: to eyes, or as one JSON object a line. */
export type Reporter = {
  /** A step was seen; `words` for people, `fields` for programs. */
  readonly step: (name: string, words: string, fields?: Readonly<Record<string, unknown>>) => void;
  readonly note: (words: string) => void;
  readonly done: () => void;
  readonly failed: (step: string, error: string) => void;
};

export function createReporter(json: boolean): Reporter {
  const startedMs = performance.now();
  let lastMs = startedMs;
  const line = (object: Readonly<Record<string, unknown>>) => process.stdout.write(`${JSON.stringify(object)}\n`);
  const elapsed = () => Math.round(performance.now() - startedMs);
  if (json) {
    return {
      step: (name, _words, fields = {}) => line({ step: name, ms: elapsed(), ...fields }),
      note: () => {},
      done: () => line({ step: "done", ok: true, ms: elapsed() }),
      failed: (step, error) => line({ step: "done", ok: false, failed: step, error, ms: elapsed() }),
    };
  }
  const paint = (code: number, text: string) =>
    process.stdout.isTTY && process.env.NO_COLOR === undefined ? `\u001b[${code}m${text}\u001b[0m` : text;
  const seconds = (ms: number) => `${(ms / 1000).toFixed(2)} s`.padStart(8);
  return {
    step: (name, words) => {
      const now = performance.now();
      const took = paint(2, `+${((now - lastMs) / 1000).toFixed(2)} s`);
      lastMs = now;
      process.stdout.write(`${seconds(now - startedMs)}  ${paint(32, "✓")} ${name.padEnd(16)} ${words}  ${took}\n`);
    },
    note: (words) => process.stdout.write(`${words}\n`),
    done: () => process.stdout.write(`${seconds(elapsed())}  ${paint(32, "✓")} every step was seen\n`),
    failed: (step, error) => process.stdout.write(`${seconds(elapsed())}  ${paint(31, "✗")} ${step}: ${error}\n`),
  };
}

/** Columns of text under headings, each as wide as its widest cell. */
export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [headings, ...rows];
  const widths = headings.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all
    .map((row) => `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ")}`.trimEnd())
    .join("\n");
}
