// For esbuild: prom-client without what neither program calls, but its CommonJS loads at once, Node's cluster and TLS among it. Whoever
// begins to call such a part finds out at once.
const UNUSED = /^(@opentelemetry\/api|tdigest)$/; // exemplars (traces), and what summaries are made of
const NEVER_CALLED = /prom-client[/\\]lib[/\\](pushgateway|cluster|summary|bucketGenerators|metricAggregators)\.js$/;

export const leanPromClient = {
  name: "lean-prom-client",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: UNUSED }, ({ path }) => ({ path, namespace: "prom-client-unused" }));
    onLoad({ filter: /./, namespace: "prom-client-unused" }, () => ({ contents: "module.exports = {};" }));
    onLoad({ filter: NEVER_CALLED }, () => ({ contents: "module.exports = class {};" }));
  },
};
