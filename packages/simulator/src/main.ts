import { parseArgs } from "node:util";
import { replaceModules } from "./stand-in/replace-modules.ts";

// What is to be replaced is replaced before the first import of it.
const { values } = parseArgs({ strict: false, options: { crypto: { type: "string" } } });
if (values.crypto === "stand-in") replaceModules();
await import("./cli.ts");
