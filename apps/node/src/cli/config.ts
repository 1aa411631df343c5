import { type ExplainedSetting, printDefaults } from "@starling/daemon";
import { explainNodeConfig, nodeSettings } from "../config.ts";
import { addFlags, type Parent, wantsJson } from "./options.ts";
import { printJson } from "./output.ts";
import { PROGRAM } from "./program.ts";
import { table, visible } from "./text.ts";

export function addConfig(program: Parent): void {
  const command = program
    .command("config")
    .description("show what `start` would use with these flags, this environment and file, and where each comes from");
  addFlags(command, {
    examples: [
      ["config", "flags go before environment, that before the file, that before defaults"],
      ["config --config node.toml", "checks a file: a wrong key or value is named with its line"],
      ["config print-defaults > node.toml", "a file to begin with"],
    ],
    settings: "all",
  });
  command.action(() => {
    const flags = command.opts();
    const settings = explainNodeConfig(flags, process.env);
    if (wantsJson(command)) printJson(settings);
    else process.stdout.write(settingTable(settings));
  });
  command
    .command("print-defaults")
    .description("print a TOML file with every setting and its default")
    .action(() => {
      process.stdout.write(printDefaults(nodeSettings(process.env), PROGRAM));
    });
}

function settingTable(settings: readonly ExplainedSetting[]): string {
  const rows = settings.map(({ name, value, place }) => [name, valueText(value), place]);
  return table(["SETTING", "VALUE", "FROM"], rows);
}

function valueText(value: unknown): string {
  const text = Array.isArray(value) ? value.join(" ") : String(value ?? "");
  return text === "" ? "-" : visible(text);
}
