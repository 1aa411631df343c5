// Makes the relay into one file that runs with nothing beside it: dist/bundle/starling-relay.js.
import { chmodSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));
const { version } = JSON.parse(readFileSync(path("package.json"), "utf8"));
const outfile = path("dist/bundle/starling-relay.js");

// Parts of libraries that this program never calls, but that their CommonJS loads: prom-client's exemplars (traces),
// its summaries, pino's transports in threads. Whoever begins to call one finds out at once.
const UNUSED = ["@opentelemetry/api", "tdigest", "thread-stream"];
const withoutUnused = {
  name: "without-unused",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: new RegExp(`^(${UNUSED.join("|")})$`) }, ({ path: name }) => ({
      path: name,
      namespace: "unused",
    }));
    onLoad({ filter: /./, namespace: "unused" }, () => ({ contents: "module.exports = {};" }));
    // Schemas are never told as JSON Schema, metrics never pushed or gathered from a cluster.
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
    onLoad({ filter: /prom-client[/\\]lib[/\\](pushgateway|cluster|summary)\.js$/ }, () => ({
      contents: "module.exports = class {};",
    }));
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
  plugins: [withoutUnused],
  logLevel: "error",
});
chmodSync(outfile, 0o755);
