// Makes the relay into one file that runs with nothing beside it: dist/bundle/starling-relay.js.
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { minify } from "@swc/core";
import { build } from "esbuild";
// @boundaries-ignore both programs are bundled with it, and it is in neither
import { leanPromClient } from "../../tools/lean-prom-client.mjs";

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));
const { version } = JSON.parse(readFileSync(path("package.json"), "utf8"));
const outfile = path("dist/bundle/starling-relay.js");

// What this program never calls, but pino's CommonJS loads: its transports in threads and its own writing. Whoever begins to call one
// finds out at once.
const UNUSED = ["thread-stream", "sonic-boom", "on-exit-leak-free"];
// Pino's second way to write an object, where JSON.stringify has thrown: nothing that is logged here is circular, and pino then
// writes that it could not.
const REFUSES = `module.exports = { configure: () => () => { throw new Error("not in this bundle"); } };`;
const withoutUnused = {
  name: "without-unused",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: new RegExp(`^(${UNUSED.join("|")})$`) }, ({ path: name }) => ({
      path: name,
      namespace: "unused",
    }));
    // Pino asks whether a stream is one of these.
    onLoad({ filter: /./, namespace: "unused" }, () => ({ contents: "module.exports = Symbol;" }));
    onLoad({ filter: /safe-stable-stringify[/\\]index\.js$/ }, () => ({ contents: REFUSES }));
    // A relay opens no channel, and its core makes no table of them.
    onLoad({ filter: /session[/\\]src[/\\]channel-table\.ts$/ }, () => ({
      contents: `export class ChannelTable { constructor() { throw new Error("channels are not in this bundle"); } }`,
    }));
    // Pino asks for its caller, by a stack, for transports only.
    onLoad({ filter: /pino[/\\]lib[/\\]caller\.js$/ }, () => ({ contents: "module.exports = () => [];" }));
    // Pino can also print requests and responses of HTTP.
    onLoad({ filter: /pino-std-serializers[/\\]lib[/\\](req|res)\.js$/ }, () => ({ contents: "module.exports = {};" }));
    // Schemas are never told as JSON Schema.
    onLoad(
      { filter: /zod[/\\]v4[/\\]core[/\\](to-json-schema|json-schema-processors|json-schema-generator)\.js$/ },
      () => ({
        contents: `
        const unused = () => () => { throw new Error("JSON Schema is not in this bundle"); };
        export { unused as createToJSONSchemaMethod, unused as createStandardJSONSchemaMethod, unused as toJSONSchema };
        export { unused as JSONSchemaGenerator, unused as initializeContext, unused as process };
        export { unused as extractDefs, unused as finalize, unused as allProcessors };`,
        loader: "js",
      }),
    );
    onLoad({ filter: /pino[/\\]lib[/\\](transport|multistream)\.js$/ }, () => ({ contents: "module.exports = {};" }));
  },
};

await build({
  entryPoints: [path("src/main.ts")],
  outfile,
  bundle: true,
  minify: true,
  charset: "utf8",
  format: "esm",
  platform: "node",
  target: "node22",
  conditions: ["@starling/source"],
  define: { STARLING_RELAY_VERSION: JSON.stringify(version) },
  // Parts of pino, commander and prom-client are CommonJS and ask for Node's modules by require.
  banner: {
    js: `import { createRequire as createRequireOfBundle } from "node:module"; const require = createRequireOfBundle(import.meta.url);`,
  },
  // The licences of what is in it lie beside it.
  legalComments: "external",
  plugins: [withoutUnused, leanPromClient],
  logLevel: "error",
});
// What esbuild leaves: code that is never reached and constants that are only passed on, a thirtieth of it.
const { code } = await minify(readFileSync(outfile, "utf8"), {
  module: true,
  ecma: 2022,
  compress: { passes: 3 },
  mangle: true,
});
writeFileSync(outfile, code);
chmodSync(outfile, 0o755);
