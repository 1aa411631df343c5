import { contentOf, parseRecipient, parseTimeout } from "./arguments.ts";
import { addFlags, type Parent, wantsJson, withClient } from "./options.ts";
import { printJson } from "./output.ts";
import { phaseOf, withProgress } from "./progress.ts";

export function addRequest(program: Parent): void {
  const command = program.command("request").description("send a request and print the reply to it, byte by byte");
  addFlags(command, {
    examples: [
      ["request ID 'what time is it?'", "a program there answers, such as 'starling reply'"],
      ["request ID - --topic thumbnail < photo.jpg > small.jpg", "bytes in, bytes out"],
    ],
  });
  command
    .argument("<ID>", "whom to ask: 64 hexadecimal digits")
    .argument("<TEXT>", "what to ask, at most 60,000 bytes; - reads standard input")
    .option("--topic <TOPIC>", "what it is about, for programs that answer one topic", "")
    .option("--timeout <TIME>", "how long to wait for the reply, such as 500ms, 10s or 2m", "10s")
    .action(async (id, text, { topic, timeout }) => {
      const to = parseRecipient(id);
      const timeoutMs = parseTimeout(timeout);
      const content = await contentOf(text);
      const answer = await withClient(command, (client) =>
        withProgress(client.request({ to, content, topic, timeoutMs }), phaseOf(client, to)),
      );
      if (wantsJson(command)) {
        const { receipt } = answer;
        printJson({ content: Buffer.from(answer.content).toString("base64"), receipt });
      } else {
        // As it came, for it may be a file; who wants it to be a line pipes it on.
        process.stdout.write(answer.content);
      }
    });
}
