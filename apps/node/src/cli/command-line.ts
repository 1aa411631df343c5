import { Command, CommanderError } from "@commander-js/extra-typings";
import { EXIT, exitCodeHelp, exitCodeOf, reportError } from "@starling/daemon";
import { readVersion } from "../version.ts";
import { addBroadcast } from "./broadcast.ts";
import { addCompletion } from "./completion.ts";
import { addConfig } from "./config.ts";
import { addDashboard } from "./dashboard.ts";
import { addDoctor } from "./doctor.ts";
import { asCommandError } from "./failure.ts";
import { addId } from "./id.ts";
import { addLinks } from "./links.ts";
import { addListen } from "./listen.ts";
import { exampleHelp, refuseUsage } from "./options.ts";
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
  addLinks,
  addSend,
  addRequest,
  addReply,
  addBroadcast,
  addListen,
  addPing,
  addTrace,
  addDoctor,
  addDashboard,
  addConfig,
  addCompletion,
];

const BEGINNING: readonly (readonly [string, string])[] = [
  ["start --bootstrap ID@IP:PORT", "run a node; the first of a network needs no --bootstrap"],
  ["id", "your id, which others send to"],
  ["send ID 'hello'", "exits 0 only with a receipt"],
  ["listen", "what others send to you"],
  ["doctor", "what is wrong, and what to do"],
];

export function createProgram(): Command {
  const program = new Command(PROGRAM)
    .description("A node of a Starling network, and what a person asks of it.")
    .version(readVersion())
    .exitOverride()
    .configureOutput({ outputError: refuseUsage(PROGRAM) })
    .addHelpText("after", `\n${exampleHelp(BEGINNING)}\n\n${exitCodeHelp()}`);
  for (const add of COMMANDS) add(program);
  return program;
}

/** Runs a command line and gives the exit code; an error has been written to standard error by then. */
export async function runCommandLine(args: readonly string[]): Promise<number> {
  try {
    await createProgram().parseAsync(args, { from: "user" });
    return EXIT.ok;
  } catch (error) {
    // Commander has written its own: help and version, or the help that a command line without a command is told.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    const told = asCommandError(error);
    return asksForJson(args) ? reportJson(told) : reportError(PROGRAM, told);
  }
}

/** What stands behind -- is a text. */
function asksForJson(args: readonly string[]): boolean {
  const end = args.indexOf("--");
  return args[0] !== "start" && args.slice(0, end < 0 ? args.length : end).includes("--json");
}

/** An error as one JSON line, for a program that asked for JSON. */
function reportJson(error: unknown): number {
  const exitCode = exitCodeOf(error);
  const { code = "E_INTERNAL", message }: { code?: string; message: string } =
    error instanceof Error ? error : { message: String(error) };
  process.stderr.write(`${JSON.stringify({ error: { code, message, exitCode } })}\n`);
  return exitCode;
}
