import { once } from "node:events";
import { whenStopped } from "@starling/daemon";
import type { BroadcastEvent, MessageEvent } from "@starling/local-client";
import { addFlags, type Parent, wantsJson, withClient } from "./options.ts";
import { outputGone } from "./output.ts";
import { visible } from "./text.ts";

export function addListen(program: Parent): void {
  const command = program
    .command("listen")
    .description("print messages and broadcasts as they arrive, one a line, until Ctrl-C");
  addFlags(command, {
    examples: [
      ["listen", "what has waited in the inbox comes first; what is printed is taken out of it"],
      ["listen --topic news --json | jq -r .text", "for a script"],
    ],
  });
  command.option("--topic <TOPIC>", "only messages and broadcasts of this topic").action(async ({ topic }) => {
    const show = wantsJson(command) ? asJson : asText;
    await withClient(command, async (client) => {
      const messages = await client.subscribe({ events: ["message", "broadcast"], topic });
      // What has arrived is still printed: the daemon has let go of it.
      const gone = outputGone();
      void Promise.race([whenStopped(), gone]).then(() => messages.unsubscribe());
      for await (const message of messages) {
        if (!process.stdout.write(`${show(message)}\n`)) await Promise.race([once(process.stdout, "drain"), gone]);
      }
    });
  });
}

function asJson({ content, ...message }: MessageEvent | BroadcastEvent): string {
  return JSON.stringify({
    ...message,
    content: Buffer.from(content).toString("base64"),
    text: textOf(content) ?? null,
  });
}

function asText({ type, from, topic, content, receivedAt }: MessageEvent | BroadcastEvent): string {
  const about = topic === "" ? "" : ` [${visible(topic)}]`;
  const text = textOf(content);
  const what = text === undefined ? `(${content.length} bytes; see --json)` : visible(text);
  const toAll = type === "broadcast" ? " to all" : "";
  return `${new Date(receivedAt).toISOString()} ${from}${toAll}${about} ${what}`;
}

function textOf(content: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(content);
  } catch {
    return undefined;
  }
}
