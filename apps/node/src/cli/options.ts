import { type Command, Option } from "@commander-js/extra-typings";
import { exitCodeHelp, flagsOf } from "@starling/daemon";
import { connect, type LocalClient } from "@starling/local-client";
import { type NodeConfig, nodeSettings, readNodeConfig, socketPathOf } from "../config.ts";

/** A program's command tree, or one command of it, whatever its options. */
export type Parent = Command;

/** Which daemon is meant: every command has these. */
const WHERE = ["data-dir", "socket"];

/** Adds --config and --json, the flags of these settings (all, unless told), and the exit codes. */
export function addFlags(command: Parent, keys: readonly string[] | "all" = WHERE): void {
  const settings = Object.entries(nodeSettings(process.env));
  const chosen = settings.filter(([name]) => keys === "all" || keys.includes(name));
  command.option("--config <PATH>", "TOML file with settings (env: STARLING_CONFIG)");
  for (const { flags, describe, repeatable } of flagsOf(Object.fromEntries(chosen))) {
    const option = new Option(flags, describe);
    command.addOption(repeatable ? option.argParser(append) : option);
  }
  command.option("--json", "print JSON, for programs");
  command.addHelpText("after", `\n${exitCodeHelp()}`);
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
