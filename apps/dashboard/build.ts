// Builds the page ahead, into the folder from which the daemon serves it: index.html, main.js, style.css.
import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { minify } from "@swc/core";
import { build } from "esbuild";

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));
const out = path("../node/dist/dashboard");

await mkdir(out, { recursive: true });
await build({
  entryPoints: [path("src/main.tsx"), path("src/style.css")],
  outdir: out,
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  platform: "browser",
  conditions: ["@starling/source"],
  jsx: "automatic",
  jsxImportSource: "preact",
  define: { "process.env.NODE_ENV": '"production"' },
  legalComments: "none",
});
// What esbuild leaves: constants that are only passed on, and code that is never reached.
const { code } = await minify(await readFile(`${out}/main.js`, "utf8"), { module: true, compress: true, mangle: true });
await writeFile(`${out}/main.js`, code);
await copyFile(path("src/index.html"), `${out}/index.html`);
