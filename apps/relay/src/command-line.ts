import { Command, CommanderError, Option } from "@commander-js/extra-typings";
import { EXIT, exitCodeHelp, type Flag, flagsOf, reportError } from "@starling/daemon";
import { runBench } from "./bench/bench.ts";
import { runForwarder } from "./bench/forwarder.ts";
import { type CommandInput, PROGRAM, showDefaults, showId, showStatus, start } from "./commands.ts";
import { relaySettings } from "./config.ts";
import { readVersion } from "./version.ts";

const EXIT_CODES = [EXIT.ok, EXIT.failure, EXIT.usage, EXIT.unavailable, EXIT.unsafe];

/** Runs a command line and gives the exit code; an error has been written to standard error by then. */
export async function runCommandLine(args: readonly string[]): Promise<number> {
  let exitCode: number = EXIT.ok;
  const program = new Command(PROGRAM)
    .description("Forwards messages between nodes; it cannot read them.")
    .version(readVersion())
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(oneLine(text)) })
    .addHelpText("after", `\n${exitCodeHelp(EXIT_CODES)}`);
  const flags = flagsOf(relaySettings(process.env));

  const startCommand = program.command("start").description("run the relay until SIGTERM or SIGINT");
  addFlags(startCommand, flags);
  startCommand.addHelpText("after", `\n${exitCodeHelp(EXIT_CODES)}`).action(async () => {
    exitCode = await start(inputOf(startCommand));
  });

  const idCommand = program.command("id").description("print the id, making the key on first use");
  addFlags(
    idCommand,
    flags.filter(({ key }) => key === "dataDir"),
  );
  const withJson = idCommand.option("--json", "print JSON");
  withJson.action(async (options) => {
    exitCode = await showId(inputOf(idCommand), options.json === true);
  });

  const statusCommand = program.command("status").description("how a running relay is, over its --http");
  addFlags(
    statusCommand,
    flags.filter(({ key }) => key === "http"),
  );
  statusCommand
    .option("--json", "print JSON, with totals instead of rates")
    .option("--once", "print it once, on a terminal too")
    .action(async (options) => {
      const how = { asJson: options.json === true, once: options.once === true };
      exitCode = await showStatus(inputOf(statusCommand), how);
    });

  const benchCommand = program
    .command("bench")
    .description("measure this relay on this machine, beside plain forwarders");
  benchCommand
    .option("--peers <N>", "how many peers to connect", "500")
    .option("--json", "print JSON")
    .addOption(new Option("--child <MODE>").hideHelp())
    .addOption(new Option("--data-dir <PATH>").hideHelp())
    .action(async ({ peers, json, child, dataDir }) => {
      if (child !== undefined) exitCode = await runForwarder(child, dataDir ?? "");
      else if (!/^\d{2,5}$/.test(peers) || Number(peers) < 17)
        benchCommand.error("--peers is a number from 17 to 10000");
      else exitCode = await runBench({ peers: Math.min(10_000, Number(peers)), asJson: json === true });
    });

  program
    .command("config")
    .description("about the configuration")
    .command("print-defaults")
    .description("print a TOML file with every setting and its default")
    .action(() => {
      exitCode = showDefaults();
    });

  try {
    await program.parseAsync(args, { from: "user" });
    return exitCode;
  } catch (error) {
    // Commander has written its own: help and version end well, all else is wrong usage.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    return reportError(PROGRAM, error);
  }
}

function addFlags(command: Command, flags: readonly Flag[]): void {
  command.option("--config <PATH>", "TOML file with settings (env: STARLING_CONFIG)");
  for (const { flags: written, describe, repeatable } of flags) {
    const option = new Option(written, describe);
    command.addOption(repeatable ? option.argParser(append) : option);
  }
}

function append(value: string, previous: unknown): string[] {
  return [...(Array.isArray(previous) ? previous : []), value];
}

function inputOf(command: Command): CommandInput {
  const flags: Readonly<Record<string, unknown>> = command.opts();
  return { flags, configPath: typeof flags.config === "string" ? flags.config : undefined };
}

function oneLine(text: string): string {
  return `${PROGRAM}: ${text
    .trim()
    .replace(/^error: /, "")
    .replaceAll(/\s*\n\s*/g, " ")}\n`;
}
