import { type Command, InvalidArgumentError, Option } from "@commander-js/extra-typings";
import { CommandError, EXIT, exitCodeHelp, flagsOf } from "@starling/daemon";
import { connect, type LocalClient } from "@starling/local-client";
import { type NodeConfig, nodeSettings, readNodeConfig, socketPathOf } from "../config.ts";
import { PROGRAM } from "./program.ts";

/** A program's command tree, or one command of it, whatever its options. */
export type Parent = Command;

/** Which daemon is meant: every command that asks one has these. */
const WHERE = ["data-dir", "socket"];
/** A daemon that is well answers what needs no other node within milliseconds. */
const ANSWER_MS = 10_000;

export type CommandHelp = {
  /** Command lines without the program's name, and what each does. */
  readonly examples: readonly (readonly [string, string])[];
  /** Settings that are flags of it: all, none, or those that say which daemon is meant, unless told. */
  readonly settings?: "all" | "none" | undefined;
};

/** Adds --config and --json, the flags of settings, examples and the exit codes. */
export function addFlags(command: Parent, { examples, settings }: CommandHelp): void {
  const all = Object.entries(nodeSettings(process.env));
  const chosen = settings === "none" ? [] : all.filter(([name]) => settings === "all" || WHERE.includes(name));
  if (settings !== "none") command.option("--config <PATH>", "TOML file with settings (env: STARLING_CONFIG)");
  for (const { flags, describe, repeatable } of flagsOf(Object.fromEntries(chosen))) {
    const option = new Option(flags, describe);
    command.addOption(repeatable ? option.argParser(append) : option);
  }
  if (settings !== "none") command.option("--json", "print JSON, for programs; errors too");
  command.addHelpText("after", `\n${exampleHelp(examples)}\n\n${exitCodeHelp()}`);
  command.configureOutput({ outputError: refuseUsage(`${PROGRAM} ${command.name()}`) });
}

export function exampleHelp(examples: CommandHelp["examples"]): string {
  const width = Math.max(...examples.map(([line]) => line.length));
  return ["Examples:", ...examples.map(([line, what]) => `  ${PROGRAM} ${line.padEnd(width)}  # ${what}`)].join("\n");
}

/** Makes what commander says of a wrong command line an error like any other, on one line, with where to read on. */
export function refuseUsage(name: string): (text: string) => never {
  return (text) => {
    throw new CommandError("E_USAGE", usageLine(text, name), EXIT.usage);
  };
}

function usageLine(text: string, name: string): string {
  const line = text
    .trim()
    .replace(/^error: /, "")
    .replaceAll(/\s*\n\s*/g, " ")
    .replace(/\.$/, "");
  const isUnknown = line.startsWith("unknown option") && !line.includes("Did you mean");
  const dashes = isUnknown ? " (a text that begins with - goes behind --)" : "";
  return `${line}${dashes}; see ${name} --help`;
}

export function integerOption(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (value >= least && value <= most) return value;
    throw new InvalidArgumentError(`Write a whole number from ${least} to ${most}.`);
  };
}

function append(value: string, previous: unknown): string[] {
  return [...(Array.isArray(previous) ? previous : []), value];
}

export function configOf(command: Parent): NodeConfig {
  return readNodeConfig(command.opts(), process.env);
}

export function wantsJson(command: Parent): boolean {
  const flags: Readonly<Record<string, unknown>> = command.opts();
  return flags.json === true;
}

/** Runs something with a client of the daemon that the flags name, and ends the connection whatever happens. */
export async function withClient<Result>(
  command: Parent,
  use: (client: LocalClient) => Promise<Result>,
): Promise<Result> {
  const client = await connect(socketPathOf(configOf(command)));
  try {
    return await use(client);
  } finally {
    client.close();
  }
}

/** The same for what the daemon answers by itself: one that does not is stuck, and is told of. */
export function askDaemon<Result>(command: Parent, use: (client: LocalClient) => Promise<Result>): Promise<Result> {
  return withClient(command, async (client) => {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        const socket = socketPathOf(configOf(command));
        const message = `what listens on ${socket} has not answered for ${ANSWER_MS / 1000} s; if it is a ${PROGRAM} daemon, look at its log and start it anew`;
        reject(new CommandError("E_NO_ANSWER", message, EXIT.unavailable));
      }, ANSWER_MS);
    });
    return Promise.race([use(client), late]).finally(() => clearTimeout(timer));
  });
}
