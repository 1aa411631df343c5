import { printDefaults } from "@starling/daemon";
import { nodeSettings } from "../config.ts";
import type { Parent } from "./options.ts";
import { PROGRAM } from "./program.ts";

export function addConfig(program: Parent): void {
  program
    .command("config")
    .description("about the configuration")
    .command("print-defaults")
    .description("print a TOML file with every setting and its default")
    .action(() => {
      process.stdout.write(printDefaults(nodeSettings(process.env), PROGRAM));
    });
}
