import { BROADCAST_RULES, type BroadcastRules } from "@starling/peer-manager";
import { pick, seededRandom } from "../seeded-random.ts";
import { percentile } from "../statistics.ts";
import { FloodScheme } from "./flood.ts";
import { GossipMeshScheme } from "./gossip-mesh.ts";
import { overlayGraph, regularGraph } from "./graph.ts";
import { Mesh } from "./mesh.ts";
import { PlumtreeScheme } from "./plumtree.ts";
import type { Scheme } from "./scheme.ts";
import { TreeScheme } from "./tree.ts";

// One run of one scheme over one graph: messages of 400 B from random nodes, evenly, and every one of them counted.

export type SchemeName = "tree" | "flood" | "flood5" | "gossip" | "plumtree";
export type Rules = BroadcastRules & { readonly triesMax: number };
/** As node-core runs it: two tries are the session's (session, PUBLISH_TRIES). */
const SHIPPED: Rules = { ...BROADCAST_RULES, triesMax: 2 };

export type MeshRunOptions = {
  readonly nodes: number;
  readonly seed: number;
  readonly messages: number;
  readonly scheme: SchemeName;
  readonly graph: "overlay" | "regular";
  readonly loss: number;
  readonly perSecond: number;
  readonly rules?: Partial<Rules>;
  /** Happens between warm-up and what is measured; churn goes on. */
  readonly event?: "crash" | "silent" | "churn";
  readonly warmUpMessages?: number;
};

type Message = {
  readonly from: number;
  readonly sentMs: number;
  readonly latenciesMs: number[];
  readonly receivers: Set<number>;
  /** Copies on the wire from this message's sending to the next one's. */
  transmissions: number;
};

const SHARE = 0.2;
const CHURN_A_MINUTE = 0.1;
const DOWN_LEAST_MS = 5000;
const DOWN_SPREAD_MS = 55_000;
const TAIL_MS = 30_000;
const NODES_PER_RELAY = 125;
const RELAYS_MIN = 4;
const NAT_SHARE = 0.5;

export function runMesh(options: MeshRunOptions): Record<string, number> {
  const { nodes, seed, messages: count, scheme: name, graph, loss, perSecond, event } = options;
  const { warmUpMessages = 40 } = options;
  const random = seededRandom(seed);
  const mesh = new Mesh({ nodes, loss, random: random.fork() });
  const { queue, points, isUp } = mesh;
  const graphRandom = random.fork();
  const relays = Math.max(RELAYS_MIN, Math.ceil(nodes / NODES_PER_RELAY));
  mesh.topology =
    graph === "regular"
      ? { links: regularGraph(nodes, 8, graphRandom) }
      : overlayGraph({ points, random: graphRandom, relays, natShare: NAT_SHARE, isUp: (node) => isUp[node] === true });
  const all: Message[] = [];
  const delivered = (node: number, index: number): void => {
    const message = all[index] as Message;
    message.latenciesMs.push(queue.nowMs - message.sentMs);
    message.receivers.add(node);
  };
  const schemeRandom = random.fork();
  let tree: TreeScheme | undefined;
  const scheme = makeScheme();
  function makeScheme(): Scheme {
    switch (name) {
      case "tree":
        tree = new TreeScheme(mesh, { ...SHIPPED, ...options.rules }, delivered);
        return tree;
      case "flood":
        return new FloodScheme(mesh, 1, delivered);
      case "flood5":
        return new FloodScheme(mesh, 5, delivered);
      case "gossip":
        return new GossipMeshScheme(mesh, schemeRandom, delivered);
      case "plumtree":
        return new PlumtreeScheme(mesh, delivered);
    }
  }
  let seenTransmissions = 0;
  const send = (): void => {
    const up = points.flatMap((_, node) => (isUp[node] && !tree?.silent.has(node) ? [node] : []));
    const from = pick(random, up);
    charge();
    all.push({ from, sentMs: queue.nowMs, latenciesMs: [], receivers: new Set(), transmissions: 0 });
    scheme.publish(from, all.length - 1);
  };
  function charge(): void {
    const last = all.at(-1);
    if (last !== undefined) last.transmissions += mesh.transmissions - seenTransmissions;
    seenTransmissions = mesh.transmissions;
  }
  const gapMs = 1000 / perSecond;
  mesh.run(1000);
  // The tree forms at one message a second, whatever comes later.
  for (let i = 0; i < warmUpMessages; i += 1) {
    send();
    mesh.run(1000);
  }
  if (perSecond > 1) {
    for (let i = 0; i < 3 * perSecond; i += 1) {
      send();
      mesh.run(gapMs);
    }
  }
  mesh.run(5000);
  charge();
  const first = all.length;
  const startMs = queue.nowMs;
  const startBytes = mesh.bytes;
  if (event === "crash") {
    for (const [node] of points.entries()) if (random.fraction() < SHARE) mesh.stop(node, "nothing");
  } else if (event === "silent") {
    for (const [node] of points.entries()) if (random.fraction() < SHARE) tree?.silent.add(node);
  } else if (event === "churn") {
    churn(startMs + count * gapMs);
  }
  function churn(untilMs: number): void {
    const meanGapMs = 60_000 / (nodes * CHURN_A_MINUTE);
    const atMs = queue.nowMs - Math.log(1 - random.fraction()) * meanGapMs;
    if (atMs > untilMs) return;
    queue.at(atMs, () => {
      const node = random.integer(nodes);
      if (isUp[node]) {
        mesh.stop(node, random.fraction() < 0.5 ? "bye" : "nothing");
        queue.at(queue.nowMs + DOWN_LEAST_MS + random.fraction() * DOWN_SPREAD_MS, () => mesh.start(node));
      }
      churn(untilMs);
    });
  }
  for (let i = 0; i < count; i += 1) {
    send();
    mesh.run(gapMs);
  }
  mesh.run(TAIL_MS);
  charge();
  return figures(mesh, all.slice(first), { startMs, bytes: mesh.bytes - startBytes });
}

/** Over the deliveries to nodes that were up from before a message until the end. */
function figures(
  mesh: Mesh,
  messages: readonly Message[],
  { startMs, bytes }: { readonly startMs: number; readonly bytes: number },
): Record<string, number> {
  let expected = 0;
  let missing = 0;
  const took: number[] = [];
  for (const { from, sentMs, receivers, latenciesMs } of messages) {
    for (const [node] of mesh.points.entries()) {
      if (node === from || !mesh.isUp[node] || (mesh.upSinceMs[node] ?? 0) > sentMs) continue;
      expected += 1;
      if (!receivers.has(node)) missing += 1;
    }
    took.push(...latenciesMs);
  }
  took.sort((a, b) => a - b);
  const sum = (of: readonly Message[]) => ({
    transmissions: of.reduce((total, { transmissions }) => total + transmissions, 0),
    deliveries: of.reduce((total, { latenciesMs }) => total + latenciesMs.length, 0),
  });
  const ratio = ({ transmissions, deliveries }: ReturnType<typeof sum>) => transmissions / deliveries;
  const fromTenth = messages.filter(({ sentMs }) => sentMs >= startMs + 10_000);
  const links = mesh.topology.links.reduce((total, { size }) => total + size, 0) / mesh.points.length;
  return {
    expected,
    missing,
    delivery: 1 - missing / expected,
    transmissions: ratio(sum(messages)),
    transmissionsFromTenth: ratio(sum(fromTenth)),
    bytes: bytes / took.length,
    p50Ms: percentile(took, 0.5),
    p99Ms: percentile(took, 0.99),
    links,
  };
}
