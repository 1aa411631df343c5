// Nodes as a user runs them, and what a program of theirs sees.
import { connect, type LocalClient } from "@starling/local-client";
import { until } from "./deadline.ts";
import type { Daemon, Host } from "./net/host.ts";
import { NETWORK, type Target } from "./targets.ts";

const LINK_MS = 45_000;

export type Node = { readonly host: Host; readonly daemon: Daemon; readonly id: string; readonly client: LocalClient };

/** A node on each host that knows the relays; ready when each has a link to all of them. Their clients end with `use`. */
export async function withNodes<T>(
  hosts: readonly Host[],
  relays: readonly Target[],
  use: (nodes: readonly Node[]) => Promise<T>,
): Promise<T> {
  const clients: LocalClient[] = [];
  const start = async (host: Host): Promise<Node> => {
    const node = await startNode(host, relays);
    clients.push(node.client);
    await linked(
      node,
      relays.map(({ id }) => id),
    );
    return node;
  };
  try {
    const started = await Promise.allSettled(hosts.map(start));
    return await use(started.map(outcomeOf));
  } finally {
    for (const client of clients) client.close();
  }
}

/** A node that knows the relays, whether it reaches them or not. */
export async function startNode(host: Host, relays: readonly Target[]): Promise<Node> {
  const bootstrap = relays.flatMap(({ id, host: { ip }, port }) => ["--bootstrap", `${id}@${ip}:${port}`]);
  const daemon = await host.daemon("node", ["--network", NETWORK, ...bootstrap]);
  return { host, daemon, id: daemon.id, client: await connect(daemon.socket) };
}

/** Resolves when the node has a link to each of these. */
export async function linked({ client, host }: Node, ids: readonly string[]): Promise<void> {
  const missing = async () => {
    const peers = await client.peers();
    return ids.filter((wanted) => !peers.some(({ id }) => id === wanted));
  };
  await until(LINK_MS, `${host.name}: its links`, missing, (left) => left.length === 0);
}

function outcomeOf<T>(settled: PromiseSettledResult<T>): T {
  if (settled.status === "rejected") throw settled.reason;
  return settled.value;
}
