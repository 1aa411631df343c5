#!/usr/bin/env node
import { tolerateClosedOutput } from "@starling/daemon";
import { runCommandLine } from "./cli/command-line.ts";

tolerateClosedOutput();
process.exitCode = await runCommandLine(process.argv.slice(2));
