import { styleText } from "node:util";

// What goes to standard output. Colour is for a terminal alone, and NO_COLOR turns it off: `styleText` asks the stream.

type Colour = "green" | "yellow" | "red" | "bold" | "dim";

export function paint(colour: Colour, text: string): string {
  return styleText(colour, text, { stream: process.stdout });
}

export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

/** Whoever read our output, such as `head`, has had enough. */
export function outputGone(): Promise<void> {
  return new Promise((resolve) => {
    process.stdout.once("error", () => resolve());
  });
}
