import { connect, type LocalClient } from "@starling/local-client";
import { until, within } from "./deadline.ts";
import type { LocalNetwork, Member, NetworkLauncher } from "./network.ts";
import { relayMetric } from "./relay-metrics.ts";
import { type Reporter, table } from "./reporter.ts";

// The steps of the demonstration, in the order in which a network comes to life. Each checks what it shows.

const STEP_MS = 20_000;
const short = (id: string) => `${id.slice(0, 8)}…`;

export type Story = {
  /** The step under way: what a failure is reported as. */
  step: string;
};

/** Plays every step; rejects with the first that does not come true. */
export async function play(launcher: NetworkLauncher, reporter: Reporter, story: Story): Promise<LocalNetwork> {
  story.step = "relay";
  const relay = await launcher.startRelay();
  reporter.step("relay", `listens on ${relay.ready.listen}, key ${short(relay.ready.id)}`, idAndAddress(relay));

  story.step = "nodes";
  const nodes = await launcher.startNodes(relay);
  reporter.step("nodes", `three processes, keys ${nodes.map(({ ready }) => short(ready.id)).join(" ")}`, {
    nodes: nodes.map(idAndAddress),
  });

  const clients = await Promise.all(nodes.map(({ ready }) => connect(String(ready.socket))));
  try {
    story.step = "bootstrap";
    for (const client of clients) {
      const isLinked = (peers: readonly { id: string }[]) => peers.some(({ id }) => id === relay.ready.id);
      await until(STEP_MS, "a link to the relay", () => client.peers(), isLinked);
    }
    reporter.step("bootstrap", "each node has an encrypted session with the relay");

    story.step = "relayed-message";
    await relayedMessage(relay, nodes, clients, reporter);

    story.step = "status";
    await showStatus(relay, nodes, clients, reporter);
  } finally {
    for (const client of clients) client.close();
  }
  return { relay, nodes };
}

async function relayedMessage(
  relay: Member,
  [from, to]: readonly Member[],
  [sender, recipient]: readonly LocalClient[],
  reporter: Reporter,
): Promise<void> {
  if (from === undefined || to === undefined || sender === undefined || recipient === undefined) {
    throw new Error("two nodes are needed");
  }
  const http = String(relay.ready.http);
  const forwarded = () => relayMetric(http, "starling_forwarded_total", 'class="send"');
  const text = `hello from ${from.name}`;
  const before = await forwarded();
  const messages = await recipient.subscribe({ events: ["message"] });
  const receipt = await within(
    STEP_MS,
    "no receipt",
    sender.submit({ to: to.ready.id, content: new TextEncoder().encode(text), topic: "demo", via: "relay" }),
  );
  const { value: event } = await within(STEP_MS, "the message did not arrive", messages[Symbol.asyncIterator]().next());
  if (event?.type !== "message" || new TextDecoder().decode(event.content) !== text || event.from !== from.ready.id) {
    throw new Error(`what arrived is not what was sent: ${JSON.stringify(event)}`);
  }
  if (receipt.path !== "relayed" || receipt.hops < 1) {
    throw new Error(`the receipt says ${receipt.path} over ${receipt.hops} hops, not relayed`);
  }
  const rise = (await forwarded()) - before;
  if (rise !== 1) throw new Error(`the relay's forwarded count rose by ${rise}, not by this one message`);
  await messages.unsubscribe();
  const words = `${from.name} → relay → ${to.name}: “${text}”, receipt after ${receipt.elapsedMs} ms over ${receipt.hops} links`;
  reporter.step("relayed-message", words, { receipt, forwarded: rise });
}

async function showStatus(
  relay: Member,
  nodes: readonly Member[],
  clients: readonly LocalClient[],
  reporter: Reporter,
): Promise<void> {
  const rows = [
    [relay.name, short(relay.ready.id), relay.ready.listen, String(nodes.length), "-", String(relay.process.pid)],
  ];
  const statuses: object[] = [];
  for (const [index, client] of clients.entries()) {
    const node = nodes[index];
    const peers = await client.peers();
    const status = await client.status();
    const rtt = peers[0]?.rttMs;
    statuses.push({ name: node?.name, ...status });
    rows.push([
      node?.name ?? "",
      short(node?.ready.id ?? ""),
      node?.ready.listen ?? "",
      String(peers.length),
      rtt === undefined || rtt === null ? "-" : `${rtt.toFixed(1)} ms`,
      String(node?.process.pid),
    ]);
  }
  reporter.step("status", "the network as it stands", { status: statuses });
  reporter.note(table(["", "key", "address", "links", "rtt", "pid"], rows));
}

function idAndAddress({ name, ready }: Member): { name: string; id: string; listen: string } {
  return { name, id: ready.id, listen: ready.listen };
}
