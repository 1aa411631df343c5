import { contentOf } from "./arguments.ts";
import { addFlags, type Parent, wantsJson, withClient } from "./options.ts";

export function addBroadcast(program: Parent): void {
  const command = program
    .command("broadcast")
    .description("tell every node, signed by this one; nobody acknowledges it");
  addFlags(command);
  command
    .argument("<TEXT>", "what to tell, at most 16,384 bytes; - reads standard input")
    .option("--topic <TOPIC>", "what it is about, for programs that listen to one topic", "")
    .action(async (text, { topic }) => {
      const content = await contentOf(text);
      const sent = await withClient(command, (client) => client.broadcast(content, topic));
      process.stdout.write(wantsJson(command) ? `${JSON.stringify(sent)}\n` : `sent as ${sent.messageId}\n`);
    });
}
