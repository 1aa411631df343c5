import { contentOf } from "./arguments.ts";
import { addFlags, type Parent, wantsJson, withClient } from "./options.ts";
import { printJson } from "./output.ts";
import { withProgress } from "./progress.ts";

export function addBroadcast(program: Parent): void {
  const command = program
    .command("broadcast")
    .description("tell every node, signed by this one; nobody acknowledges it");
  addFlags(command, {
    examples: [
      ["broadcast 'maintenance at nine' --topic news", "to all who listen"],
      ["broadcast - < note.txt", "what standard input says"],
    ],
  });
  command
    .argument("<TEXT>", "what to tell, at most 16,384 bytes; - reads standard input")
    .option("--topic <TOPIC>", "what it is about, for programs that listen to one topic", "")
    .action(async (text, { topic }) => {
      const content = await contentOf(text);
      const sent = await withClient(command, (client) =>
        withProgress(client.broadcast(content, topic), () => "minting a stamp"),
      );
      if (wantsJson(command)) printJson(sent);
      else process.stdout.write(`sent as ${sent.messageId}\n`);
    });
}
