import { Option } from "@commander-js/extra-typings";
import type { Receipt } from "@starling/local-client";
import { contentOf, parseRecipient, parseTimeout, VIAS } from "./arguments.ts";
import { addFlags, type Parent, wantsJson, withClient } from "./options.ts";
import { printJson } from "./output.ts";
import { phaseOf, withProgress } from "./progress.ts";

export function addSend(program: Parent): void {
  const command = program
    .command("send")
    .description("send a message and wait for its receipt: the recipient's daemon has written it");
  addFlags(command, {
    examples: [
      ["send ID 'hello'", "exits 0 only with a receipt"],
      ["send ID - --timeout 1m < note.txt", "what standard input says, tried for a minute"],
      ["send ID 'hello' --json | jq .path", "how it went: channel, session or relayed"],
    ],
  });
  command
    .argument("<ID>", "the recipient: 64 hexadecimal digits, as 'starling id' prints")
    .argument("<TEXT>", "what to send, at most 60,000 bytes; - reads standard input")
    .option("--topic <TOPIC>", "what it is about, for programs that listen to one topic", "")
    .option("--timeout <TIME>", "how long to try, such as 500ms, 10s or 2m", "10s")
    .addOption(new Option("--via <WAY>", "what it may go over").choices(VIAS).default("any" as const))
    .action(async (id, text, { topic, timeout, via }) => {
      const to = parseRecipient(id);
      const timeoutMs = parseTimeout(timeout);
      const content = await contentOf(text);
      const receipt = await withClient(command, (client) =>
        withProgress(client.submit({ to, content, topic, timeoutMs, via }), phaseOf(client, to)),
      );
      if (wantsJson(command)) printJson(receipt);
      else process.stdout.write(`delivered in ${receipt.elapsedMs} ms, ${wayOf(receipt)}\n`);
    });
}

/** The way of a receipt, in words. */
export function wayOf({ path, hops }: Receipt): string {
  return path === "relayed" ? `relayed over ${hops} links` : `over our own ${path}`;
}
