import { parseArgs } from "node:util";
import { setFlagsFromString } from "node:v8";
import { replaceModules } from "./stand-in/replace-modules.ts";
import { USAGE } from "./usage.ts";

// V8 would mark the whole heap again whenever it holds 64 MB more of buffers, or a tenth more of objects: half of the time of ten
// thousand nodes. More than by two fifths it is not to grow, or they take more than 12 GB. The first flag is known from V8 13 on.
if (Number.parseInt(process.versions.v8, 10) >= 13) setFlagsFromString("--external-memory-accounted-in-global-limit");
setFlagsFromString("--heap-growing-percent=40");

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
