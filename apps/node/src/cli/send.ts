import { parseNodeId } from "@starling/crypto-identity";
import { CommandError, EXIT } from "@starling/daemon";
import { CONTENT_MAX_BYTES, type Receipt, TIMEOUT_MAX_MS, type Via } from "@starling/local-client";
import { addFlags, type Parent, wantsJson, withClient } from "./options.ts";

const VIAS: readonly Via[] = ["any", "channel", "relay"];
const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000 };

export function addSend(program: Parent): void {
  const command = program.command("send").description("send a message and wait for its receipt");
  addFlags(command);
  command
    .argument("<ID>", "the recipient: 64 hexadecimal digits, as 'starling id' prints")
    .argument("<TEXT>", "what to send; - reads standard input")
    .option("--topic <TOPIC>", "what it is about, for programs that listen to one topic", "")
    .option("--timeout <TIME>", "how long to try, such as 500ms, 10s or 2m", "10s")
    .option("--via <WAY>", `one of ${VIAS.join(", ")}`, "any")
    .action(async (to, text, { topic, timeout, via: way }) => {
      parseNodeId(to);
      const via = VIAS.find((known) => known === way);
      if (via === undefined) throw usage(`--via '${way}' is no way; write one of ${VIAS.join(", ")}`);
      const timeoutMs = parseTimeout(timeout);
      const content = text === "-" ? await readInput() : new TextEncoder().encode(text);
      const receipt = await withClient(command, (client) => client.submit({ to, content, topic, timeoutMs, via }));
      process.stdout.write(wantsJson(command) ? `${JSON.stringify(receipt)}\n` : receiptText(receipt));
    });
}

function parseTimeout(text: string): number {
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

function receiptText({ path, hops, elapsedMs }: Receipt): string {
  const way = path === "relayed" ? `relayed over ${hops} links` : `over our own ${path}`;
  return `delivered in ${elapsedMs} ms, ${way}\n`;
}

function usage(message: string): CommandError {
  return new CommandError("E_USAGE", message, EXIT.usage);
}
