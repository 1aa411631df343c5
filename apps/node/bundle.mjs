// Makes the program into one file that runs with nothing beside it, and the library that embeds a node into another:
// dist/bundle/starling.js and dist/bundle/index.js. The dashboard is in both, if it was built.
import { chmodSync, existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
// @boundaries-ignore both programs are bundled with it, and it is in neither
import { leanPromClient } from "../../tools/lean-prom-client.mjs";

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));
const { version } = JSON.parse(readFileSync(path("package.json"), "utf8"));
const pages = Object.fromEntries(
  ["index.html", "main.js", "style.css"]
    .filter((name) => existsSync(path(`dist/dashboard/${name}`)))
    .map((name) => [name, readFileSync(path(`dist/dashboard/${name}`), "utf8")]),
);

// rtc-transport names werift by a variable, to keep werift's own types out; a bundler has to see the name.
const werift = {
  name: "werift",
  setup({ onLoad }) {
    onLoad({ filter: /rtc-transport[/\\]src[/\\]werift\.ts$/ }, ({ path: file }) => {
      const source = readFileSync(file, "utf8");
      const contents = source.replace("import(name)", 'import("werift")');
      if (contents === source) throw new Error(`${file} loads werift in another way; bundle.mjs has to follow`);
      return { contents, loader: "ts" };
    });
  },
};

// In one file every import of Node's modules is for all of it. node:http brings Node's fetch and WebSocket along, and only a daemon with
// a dashboard needs it (wiring.ts imports it late): it is asked for by require, where it is used.
const lateHttp = {
  name: "late-http",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^node:http$/ }, ({ path: name, namespace }) =>
      namespace === "late" ? { path: name, external: true } : { path: name, namespace: "late" },
    );
    onLoad({ filter: /./, namespace: "late" }, ({ path: name }) => ({
      contents: `module.exports = require("${name}");`,
    }));
  },
};

async function bundle(entry, outfile, worker, banner) {
  await build({
    entryPoints: [path(entry)],
    outfile: path(outfile),
    bundle: true,
    minify: true,
    keepNames: true,
    format: "esm",
    platform: "node",
    target: "node22",
    conditions: ["@starling/source"],
    define: { STARLING_BUNDLED: JSON.stringify({ version, pages, worker }) },
    // Parts of werift and pino are CommonJS and ask for Node's modules by require.
    banner: {
      js: `${banner}import { createRequire as createRequireOfBundle } from "node:module"; const require = createRequireOfBundle(import.meta.url);`,
    },
    plugins: [werift, lateHttp, leanPromClient],
    legalComments: "eof",
    logLevel: "warning",
  });
}

await bundle("src/bundle-main.ts", "dist/bundle/starling.js", "", "#!/usr/bin/env node\n");
await bundle("src/index.ts", "dist/bundle/index.js", "./starling.js", "");
chmodSync(path("dist/bundle/starling.js"), 0o755);
