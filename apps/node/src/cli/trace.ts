import { parseNodeId } from "@starling/crypto-identity";
import { addFlags, type Parent, wantsJson, withClient } from "./options.ts";
import { table, visible } from "./text.ts";

export function addTrace(program: Parent): void {
  const command = program.command("trace").description("which way a message would take, and the first step that fails");
  addFlags(command);
  command.argument("<ID>", "the recipient: 64 hexadecimal digits").action(async (to) => {
    parseNodeId(to);
    const steps = await withClient(command, (client) => client.trace(to));
    if (wantsJson(command)) {
      process.stdout.write(`${JSON.stringify({ steps })}\n`);
      return;
    }
    const rows = steps.map(({ node, asked, answer, ms }) => [node, asked, visible(answer), `${ms} ms`]);
    process.stdout.write(table(["NODE", "ASKED FOR", "ANSWER", "TOOK"], rows));
  });
}
