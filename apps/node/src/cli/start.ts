import { networkInterfaces } from "node:os";
import { createLog, EXIT, type Log, whenStopped } from "@starling/daemon";
import { type Address, formatAddress, parseAddress } from "@starling/wire-protocol";
import type { NodeConfig } from "../config.ts";
import { startNode } from "../wiring.ts";
import { addFlags, configOf, type Parent } from "./options.ts";
import { PROGRAM } from "./program.ts";

/** Five seconds after a SIGTERM the process is gone, one way or the other. */
const STOP_TIMEOUT_MS = 4_500;

export function addStart(program: Parent): void {
  const command = program.command("start").description("run the node until SIGTERM or SIGINT; it logs JSON lines");
  addFlags(command, "all");
  command.action(() => start(configOf(command)));
}

async function start(config: NodeConfig): Promise<void> {
  // From here on a signal means an orderly end, also while the node is still starting.
  const stopped = whenStopped();
  const log = createLog({ level: config.logLevel, name: PROGRAM });
  dieOfFaults(log);
  const node = await startNode(config, log);
  const { id, listen, socket, http } = node;
  log.info({ id, listen, socket, http, pid: process.pid }, "ready");
  if (config.bootstrap.length === 0) {
    const [announced] = config.announce;
    const address = announced === undefined ? reachableAddress(parseAddress(listen)) : formatAddress(announced);
    log.info(
      { contact: `${id}@${address}` },
      "no --bootstrap given: waiting for a first peer, which names this contact",
    );
  }
  const reason = await stopped;
  log.info({ reason }, "stopping");
  setTimeout(() => {
    log.error("not stopped in time");
    process.exit(EXIT.failure);
  }, STOP_TIMEOUT_MS).unref();
  await node.stop();
  log.info("stopped");
}

/** A fault that nobody caught leaves the node in an unknown state: say so and end. What has a receipt is on disk. */
function dieOfFaults(log: Log): void {
  process.on("uncaughtException", (error) => {
    log.fatal({ err: error }, "internal error, please report it");
    process.exit(EXIT.failure);
  });
}

/** Where a wildcard is bound, an address of this machine that others may know it by: a hint for people. */
function reachableAddress({ ip, port }: Address): string {
  if (ip !== "0.0.0.0" && ip !== "::") return formatAddress({ ip, port });
  const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const external = own.find(({ family, internal }) => family === "IPv4" && !internal);
  return formatAddress({ ip: external?.address ?? "127.0.0.1", port });
}
