// Writes src/kernel-bytes.ts: node scripts/build-kernel.ts
import { writeFileSync } from "node:fs";
import { kernelSource } from "./kernel-source.ts";

writeFileSync(new URL("../src/kernel-bytes.ts", import.meta.url), kernelSource());
