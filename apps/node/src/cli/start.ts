import { whenStopped } from "@starling/daemon";
import { addFlags, configOf, type Parent, wantsJson } from "./options.ts";

export function addStart(program: Parent): void {
  const command = program
    .command("start")
    .description("run the node until Ctrl-C or SIGTERM; it logs JSON lines, and to a terminal readable ones");
  addFlags(command, {
    examples: [
      ["start", "a first node; it prints the contact that others bootstrap from"],
      ["start --bootstrap ID@192.0.2.1:4100", "joins the network that this node is in"],
      ["start --listen 0.0.0.0:4100 --announce 192.0.2.1:4100", "reachable for all"],
      ["start --http 127.0.0.1:8420", "with a page; 'starling dashboard' prints its address"],
    ],
    settings: "all",
  });
  command.action(async () => {
    const config = configOf(command);
    // From here on a signal means an orderly end, also while the node is still starting.
    const stopped = whenStopped();
    // Only now: the other commands need nothing of the node, and are to answer fast.
    const { runNode } = await import("./run-node.ts");
    await runNode(config, stopped, process.stdout.isTTY === true && !wantsJson(command));
  });
}
