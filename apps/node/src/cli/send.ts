import { parseNodeId } from "@starling/crypto-identity";
import type { Receipt } from "@starling/local-client";
import { contentOf, parseTimeout, parseVia, VIA_HELP } from "./arguments.ts";
import { addFlags, type Parent, wantsJson, withClient } from "./options.ts";

export function addSend(program: Parent): void {
  const command = program.command("send").description("send a message and wait for its receipt");
  addFlags(command);
  command
    .argument("<ID>", "the recipient: 64 hexadecimal digits, as 'starling id' prints")
    .argument("<TEXT>", "what to send; - reads standard input")
    .option("--topic <TOPIC>", "what it is about, for programs that listen to one topic", "")
    .option("--timeout <TIME>", "how long to try, such as 500ms, 10s or 2m", "10s")
    .option("--via <WAY>", VIA_HELP, "any")
    .action(async (to, text, { topic, timeout, via: way }) => {
      parseNodeId(to);
      const via = parseVia(way);
      const timeoutMs = parseTimeout(timeout);
      const content = await contentOf(text);
      const receipt = await withClient(command, (client) => client.submit({ to, content, topic, timeoutMs, via }));
      process.stdout.write(wantsJson(command) ? `${JSON.stringify(receipt)}\n` : receiptText(receipt));
    });
}

function receiptText(receipt: Receipt): string {
  return `delivered in ${receipt.elapsedMs} ms, ${wayOf(receipt)}\n`;
}

/** The way of a receipt, in words. */
export function wayOf({ path, hops }: Receipt): string {
  return path === "relayed" ? `relayed over ${hops} links` : `over our own ${path}`;
}
