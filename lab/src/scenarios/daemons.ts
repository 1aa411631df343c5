// Whole programs: a relay in the public net, two nodes behind routers that filter by port.
import { connect, type LocalClient } from "@starling/local-client";
import { until, within } from "../deadline.ts";
import type { Daemon } from "../net/host.ts";
import { NETWORK, startRelay } from "../targets.ts";
import type { Scenario, Trial } from "../trial.ts";

const STEP_MS = 30_000;

async function deliver(from: LocalClient, to: LocalClient, id: string, via: "relay" | "channel"): Promise<string> {
  const content = new TextEncoder().encode(`over the ${via}`);
  const messages = await to.subscribe({ events: ["message"], topic: via });
  try {
    const submitted = from.submit({ to: id, content, topic: via, via, timeoutMs: STEP_MS });
    const receipt = await within(STEP_MS, `a receipt by ${via}`, submitted);
    const { value: event } = await within(STEP_MS, `a message by ${via}`, messages.next());
    const isSame = event !== undefined && Buffer.from(event.content).equals(content);
    return isSame ? receipt.path : "another message";
  } finally {
    await messages.unsubscribe();
  }
}

async function talk(trial: Trial, a: LocalClient, b: LocalClient, ids: { relay: string; b: string }): Promise<void> {
  for (const client of [a, b]) {
    const isLinked = (peers: readonly { id: string }[]) => peers.some(({ id }) => id === ids.relay);
    await until(STEP_MS, "a link to the relay", () => client.peers(), isLinked);
  }
  trial.check("a message by the relay", (await deliver(a, b, ids.b, "relay")) === "relayed");
  const startedMs = performance.now();
  await within(STEP_MS, "a channel", a.connectPeer(ids.b));
  const openMs = performance.now() - startedMs;
  trial.measure("a channel through two routers that filter by port opens in", openMs, { atMost: 5_000, unit: "ms" });
  trial.check("a message by the channel", (await deliver(a, b, ids.b, "channel")) === "channel");
}

export const daemons: Scenario = {
  name: "daemons",
  shows: "two nodes behind port-restricted routers: a message by the relay, then a WebRTC channel between them",
  deadlineS: 120,
  async run(trial) {
    const lab = await trial.lab();
    const relay = await startRelay(await lab.host("relay"));
    const bootstrap = `${relay.id}@${relay.host.ip}:${relay.port}`;
    const nodes: Daemon[] = [];
    for (const name of ["a", "b"]) {
      const site = await lab.site(`router-${name}`, "port", [name]);
      nodes.push(await site.host(name).daemon("node", ["--network", NETWORK, "--bootstrap", bootstrap]));
    }
    const [nodeA, nodeB] = nodes;
    if (nodeA === undefined || nodeB === undefined) throw new Error("two nodes are needed");
    const [a, b] = [await connect(nodeA.socket), await connect(nodeB.socket)];
    try {
      await talk(trial, a, b, { relay: relay.id, b: nodeB.id });
    } finally {
      a.close();
      b.close();
    }
  },
};
