import { CommandError, EXIT } from "@starling/daemon";
import { CONTENT_MAX_BYTES, TIMEOUT_MAX_MS, type Via } from "@starling/local-client";

// What several commands read from their arguments. Each throws a usage error that says how to write it.

const VIAS: readonly Via[] = ["any", "channel", "relay"];
const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000 };

export const VIA_HELP: string = `one of ${VIAS.join(", ")}`;

export function parseVia(way: string): Via {
  const via = VIAS.find((known) => known === way);
  if (via === undefined) throw usage(`--via '${way}' is no way; write ${VIA_HELP}`);
  return via;
}

/** The bytes of an argument, or of standard input for `-`. */
export async function contentOf(text: string): Promise<Uint8Array> {
  return text === "-" ? readInput() : new TextEncoder().encode(text);
}

export function parseTimeout(text: string): number {
  const [, count, unit] = /^(\d{1,6})(ms|s|m)$/.exec(text) ?? [];
  const timeoutMs = Number(count) * (UNITS_MS[unit ?? ""] ?? Number.NaN);
  if (timeoutMs >= 1 && timeoutMs <= TIMEOUT_MAX_MS) return timeoutMs;
  throw usage(`--timeout '${text}' is no time; write 500ms, 10s or 2m, at most ${TIMEOUT_MAX_MS / 60_000}m`);
}

async function readInput(): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of process.stdin) {
    chunks.push(chunk);
    sizeBytes += chunk.length;
    if (sizeBytes > CONTENT_MAX_BYTES) {
      throw usage(`standard input has more than ${CONTENT_MAX_BYTES} bytes; send it in parts`);
    }
  }
  return Buffer.concat(chunks);
}

function usage(message: string): CommandError {
  return new CommandError("E_USAGE", message, EXIT.usage);
}
