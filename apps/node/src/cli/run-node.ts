import { EXIT, type Log, type StopReason } from "@starling/daemon";
import { createLog } from "@starling/daemon/log";
import type { NodeConfig } from "../config.ts";
import { contactOf } from "../contact.ts";
import { startNode } from "../wiring.ts";
import { logLine } from "./log-line.ts";
import { PROGRAM } from "./program.ts";

/** Five seconds after a SIGTERM the process is gone, one way or the other. */
const STOP_TIMEOUT_MS = 4_500;

/** Runs the node until `stopped`; logs lines for people, or JSON. */
export async function runNode(config: NodeConfig, stopped: Promise<StopReason>, isForPeople: boolean): Promise<void> {
  const destination = isForPeople ? { write: (line: string) => process.stdout.write(logLine(line)) } : undefined;
  const log = createLog({ level: config.logLevel, name: PROGRAM, ...(destination && { destination }) });
  dieOfFaults(log);
  const node = await startNode(config, log);
  const { id, listen, socket, http } = node;
  log.info({ id, listen, socket, http, pid: process.pid }, "ready");
  if (config.bootstrap.length === 0) {
    const contact = contactOf(id, listen, config.announce);
    log.info({ contact }, "no --bootstrap given: waiting for a first peer, which names this contact");
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
