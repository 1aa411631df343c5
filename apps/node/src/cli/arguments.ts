import { isNodeId, type NodeId, parseNodeId } from "@starling/crypto-identity/node-id";
import { CommandError, EXIT, peerText } from "@starling/daemon";
import { CONTENT_MAX_BYTES, TIMEOUT_MAX_MS } from "@starling/local-client";

// What several commands read from their arguments. Each throws a usage error that says how to write it.

/** What a message may go over. */
export const VIAS = ["any", "channel", "relay"] as const;
const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000 };

/** A node id as it was typed. */
export function parseRecipient(text: string): NodeId {
  if (isNodeId(text)) return text;
  const shown = peerText(text);
  const [before = ""] = text.split("@");
  if (isNodeId(before)) throw badId(`'${shown}' is a contact; write only the id, what stands before the @`);
  if (isNodeId(text.trim().toLowerCase()))
    throw badId(`'${shown}' is an id in another spelling; write ${text.trim().toLowerCase()}`);
  if (!/^[0-9a-f]{64}$/.test(text)) {
    throw badId(
      `'${shown}' is no node id: one has 64 hexadecimal digits (0-9, a-f), ${lengthText(text)}; 'starling id' on the other machine prints it`,
    );
  }
  return parseNodeId(text);
}

/** The bytes of an argument, or of standard input for `-`. */
export async function contentOf(text: string): Promise<Uint8Array> {
  return text === "-" ? readInput() : new TextEncoder().encode(text);
}

export function parseTimeout(text: string, option = "--timeout"): number {
  const [, count, unit] = /^(\d{1,6})(ms|s|m)$/.exec(text) ?? [];
  const timeoutMs = Number(count) * (UNITS_MS[unit ?? ""] ?? Number.NaN);
  if (timeoutMs >= 1 && timeoutMs <= TIMEOUT_MAX_MS) return timeoutMs;
  const shown = peerText(text);
  throw usage(`${option} '${shown}' is no time; write 500ms, 10s or 2m, at most ${TIMEOUT_MAX_MS / 60_000}m`);
}

async function readInput(): Promise<Uint8Array> {
  if (process.stdin.isTTY) process.stderr.write("reading from the terminal; end with Ctrl-D on a line of its own\n");
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

function lengthText({ length }: string): string {
  return length === 64 ? "this has other characters" : `this has ${length} characters`;
}

function badId(message: string): CommandError {
  return new CommandError("E_BAD_ID", message, EXIT.usage);
}

function usage(message: string): CommandError {
  return new CommandError("E_USAGE", message, EXIT.usage);
}
