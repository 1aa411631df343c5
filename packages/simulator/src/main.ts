import { parseArgs } from "node:util";
import { replaceModules } from "./stand-in/replace-modules.ts";
import { USAGE } from "./usage.ts";

// What is to be replaced is replaced before the first import of it.
const { values } = parseArgs({
  strict: false,
  options: { crypto: { type: "string" }, help: { type: "boolean", short: "h" } },
});
if (values.crypto === "stand-in") replaceModules();
const [, , scenario, ...args] = process.argv;
try {
  if (values.help === true) process.stdout.write(USAGE);
  else if (scenario === "broadcast") (await import("./mesh/report.ts")).broadcastReport(args);
  else if (scenario === "admission") (await import("./admission/report.ts")).admissionReport(args);
  else await import("./cli.ts");
} catch (error) {
  if (!(error instanceof Error && `${(error as NodeJS.ErrnoException).code}`.startsWith("ERR_PARSE_ARGS"))) throw error;
  process.stderr.write(`sim: ${error.message}\n${USAGE}`);
  process.exitCode = 2;
}
