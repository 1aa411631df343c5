import type { LocalClient, OpenMessage } from "@starling/local-client";

// What a person is shown while an answer takes its time: one line on standard error that is drawn over, and gone in the end. Only on
// a terminal; a script sees nothing of it.

const BEGIN_MS = 500;
const REDRAW_MS = 250;
const ERASE_LINE = "\r\u001b[K";

const PHASES: Readonly<Record<OpenMessage["phase"], string>> = {
  queued: "waiting for earlier messages to the same recipient",
  opening: "dialling: a channel is being opened",
  direct: "sent over our own link, waiting for the receipt",
  "looking-up": "looking for a node that knows the way",
  minting: "minting a stamp",
  sent: "sent, waiting for the receipt",
  "backing-off": "no way yet, trying again soon",
  "awaiting-reply": "delivered, waiting for the reply",
};

/** Shows what `describe` says, from half a second on, until the work is done. */
export async function withProgress<Result>(
  work: Promise<Result>,
  describe: () => string | Promise<string>,
): Promise<Result> {
  const terminal = process.stderr;
  if (!terminal.isTTY) return work;
  const started = performance.now();
  let isOver = false;
  let isDrawn = false;
  const draw = async (): Promise<void> => {
    const text = await Promise.resolve(describe()).catch(() => "waiting");
    if (isOver) return;
    const line = `${text} (${((performance.now() - started) / 1000).toFixed(1)} s)`;
    terminal.write(`${ERASE_LINE}${line.slice(0, (terminal.columns || 80) - 1)}`);
    isDrawn = true;
    timer = setTimeout(draw, REDRAW_MS);
  };
  let timer = setTimeout(draw, BEGIN_MS);
  try {
    return await work;
  } finally {
    isOver = true;
    clearTimeout(timer);
    if (isDrawn) terminal.write(ERASE_LINE);
  }
}

/** How far the newest message to a node is, as its daemon says. */
export function phaseOf(client: LocalClient, to: string): () => Promise<string> {
  return async () => {
    const message = (await client.openMessages()).findLast((open) => open.to === to);
    if (message === undefined) return "waiting";
    const tries = message.tries > 1 ? `, try ${message.tries}` : "";
    return `${PHASES[message.phase]}${tries}`;
  };
}
