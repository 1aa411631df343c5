#!/usr/bin/env node
import { countBuffersWithHeap, tolerateClosedOutput } from "@starling/daemon";
import { runCommandLine } from "./cli/command-line.ts";

tolerateClosedOutput();
countBuffersWithHeap();
process.exitCode = await runCommandLine(process.argv.slice(2));
