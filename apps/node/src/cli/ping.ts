import { parseNodeId } from "@starling/crypto-identity";
import { parseTimeout, parseVia, VIA_HELP } from "./arguments.ts";
import { addFlags, type Parent, wantsJson, withClient } from "./options.ts";
import { wayOf } from "./send.ts";

const COUNT = 4;

export function addPing(program: Parent): void {
  const command = program.command("ping").description("ask whether a node is there: round trip and way");
  addFlags(command);
  command
    .argument("<ID>", "the node: 64 hexadecimal digits")
    .option("--count <N>", "how often", String(COUNT))
    .option("--timeout <TIME>", "how long to wait each time, such as 500ms, 10s or 2m", "5s")
    .option("--via <WAY>", VIA_HELP, "any")
    .action(async (to, { count, timeout, via: way }) => {
      parseNodeId(to);
      const options = { to, via: parseVia(way), timeoutMs: parseTimeout(timeout) };
      const times = Math.max(1, Math.min(1000, Math.floor(Number(count)) || COUNT));
      await withClient(command, async (client) => {
        for (let i = 0; i < times; i += 1) {
          const receipt = await client.ping(options);
          const line = wantsJson(command) ? JSON.stringify(receipt) : `${receipt.elapsedMs} ms, ${wayOf(receipt)}`;
          process.stdout.write(`${line}\n`);
        }
      });
    });
}
