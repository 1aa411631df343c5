import { parseArgs } from "node:util";
import { replaceModules } from "./stand-in/replace-modules.ts";

// What is to be replaced is replaced before the first import of it.
const { values } = parseArgs({ strict: false, options: { crypto: { type: "string" } } });
if (values.crypto === "stand-in") replaceModules();
const [, , scenario, ...args] = process.argv;
if (scenario === "broadcast") (await import("./mesh/report.ts")).broadcastReport(args);
else if (scenario === "admission") (await import("./admission/report.ts")).admissionReport(args);
else await import("./cli.ts");
