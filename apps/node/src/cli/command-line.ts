import { Command, CommanderError } from "@commander-js/extra-typings";
import { EXIT, exitCodeHelp, reportError } from "@starling/daemon";
import { readVersion } from "../version.ts";
import { addBroadcast } from "./broadcast.ts";
import { addConfig } from "./config.ts";
import { addDashboard } from "./dashboard.ts";
import { asCommandError } from "./failure.ts";
import { addId } from "./id.ts";
import { addListen } from "./listen.ts";
import { addPeers } from "./peers.ts";
import { addPing } from "./ping.ts";
import { PROGRAM } from "./program.ts";
import { addReply } from "./reply.ts";
import { addRequest } from "./request.ts";
import { addSend } from "./send.ts";
import { addStart } from "./start.ts";
import { addStatus } from "./status.ts";
import { addTrace } from "./trace.ts";

const COMMANDS = [
  addStart,
  addId,
  addStatus,
  addPeers,
  addSend,
  addRequest,
  addReply,
  addBroadcast,
  addListen,
  addPing,
  addTrace,
  addDashboard,
  addConfig,
];

/** Runs a command line and gives the exit code; an error has been written to standard error by then. */
export async function runCommandLine(args: readonly string[]): Promise<number> {
  const program = new Command(PROGRAM)
    .description("A node of a Starling network, and what a person asks of it.")
    .version(readVersion())
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(oneLine(text)) })
    .addHelpText("after", `\n${exitCodeHelp()}`);
  for (const add of COMMANDS) add(program);
  try {
    await program.parseAsync(args, { from: "user" });
    return EXIT.ok;
  } catch (error) {
    // Commander has written its own: help and version end well, all else is wrong usage.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    return reportError(PROGRAM, asCommandError(error));
  }
}

function oneLine(text: string): string {
  const [line = ""] = [text.trim().replace(/^error: /, "")];
  return `${PROGRAM}: ${line.replaceAll(/\s*\n\s*/g, " ")}; see ${PROGRAM} --help\n`;
}
