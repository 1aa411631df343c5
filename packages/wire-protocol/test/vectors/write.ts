// Writes the vectors: `pnpm --filter @starling/wire-protocol run vectors`. Whoever runs it has changed the protocol.
import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { VECTOR_FILES, vectorText } from "./files.ts";

const folder = fileURLToPath(new URL("../../vectors/", import.meta.url));
mkdirSync(folder, { recursive: true });
for (const file of VECTOR_FILES) writeFileSync(`${folder}${file}`, vectorText(file));
