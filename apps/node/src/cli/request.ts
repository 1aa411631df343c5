import { parseNodeId } from "@starling/crypto-identity";
import { contentOf, parseTimeout } from "./arguments.ts";
import { addFlags, type Parent, wantsJson, withClient } from "./options.ts";

export function addRequest(program: Parent): void {
  const command = program.command("request").description("send a request and print the reply to it");
  addFlags(command);
  command
    .argument("<ID>", "whom to ask: 64 hexadecimal digits")
    .argument("<TEXT>", "what to ask; - reads standard input")
    .option("--topic <TOPIC>", "what it is about, for programs that answer one topic", "")
    .option("--timeout <TIME>", "how long to wait for the reply, such as 500ms, 10s or 2m", "10s")
    .action(async (to, text, { topic, timeout }) => {
      parseNodeId(to);
      const timeoutMs = parseTimeout(timeout);
      const content = await contentOf(text);
      const answer = await withClient(command, (client) => client.request({ to, content, topic, timeoutMs }));
      if (wantsJson(command)) {
        const { receipt } = answer;
        const reply = { content: Buffer.from(answer.content).toString("base64"), receipt };
        process.stdout.write(`${JSON.stringify(reply)}\n`);
      } else {
        // As it came, for it may be a file; who wants it to be a line pipes it on.
        process.stdout.write(answer.content);
      }
    });
}
