import { gossipsub } from "@libp2p/gossipsub";
import { onTheWire } from "../src/peers/loopback.ts";
import { answer } from "./answer.mjs";
import { startLibp2p } from "./libp2p.mjs";

// N nodes with gossipsub in one process, over TCP on loopback, each dialling others by chance until it has as many as it is told.

const TOPIC = "bench";
const WAIT_MS = 10_000;
const [count, dials] = process.argv.slice(2).map(Number);

// By default a topic that has nobody yet is an error. What is for attackers is off, for here all nodes have one address: more than ten
// peers of one are let out of the mesh, and more than five connections a second from one are refused.
const pubsub = gossipsub({
  allowPublishToZeroTopicPeers: true,
  scoreParams: { IPColocationFactorWhitelist: new Set(["127.0.0.1"]) },
});
const connectionManager = { inboundConnectionThreshold: Number.POSITIVE_INFINITY };
const start = () => startLibp2p({ services: { pubsub }, connectionManager });
const nodes = await Promise.all(Array.from({ length: count }, start));
for (const node of nodes) node.services.pubsub.subscribe(TOPIC);
for (const [index, node] of nodes.entries()) {
  // The next one too, so that the network is one.
  const others = new Set([(index + 1) % count]);
  while (others.size < dials) {
    const other = Math.floor(Math.random() * count);
    if (other !== index) others.add(other);
  }
  for (const other of others) await node.dial(nodes[other].getMultiaddrs());
}

// What arrives, by the number that stands at its beginning.
let onArrival = () => {};
for (const node of nodes) {
  node.services.pubsub.addEventListener("message", ({ detail }) => onArrival(node, detail.data));
}
// The least that gossipsub is content with, or all that a small network has.
const isMeshed = (node) => node.services.pubsub.getMeshPeers(TOPIC).length >= Math.min(4, node.getPeers().length);
const meshed = () => nodes.every(isMeshed);
for (const until = performance.now() + 30_000; !meshed() && performance.now() < until; ) {
  await new Promise((resolve) => setTimeout(resolve, 100));
}

async function broadcast({ count: broadcasts, sizeBytes }) {
  const ms = [];
  for (let i = 0; i < broadcasts; i += 1) {
    const content = new Uint8Array(sizeBytes);
    crypto.getRandomValues(content);
    const author = nodes[i % nodes.length];
    let timer;
    const start = performance.now();
    const all = new Promise((resolve) => {
      timer = setTimeout(resolve, WAIT_MS);
      let missing = nodes.length - 1;
      onArrival = (node, data) => {
        if (node === author || Buffer.compare(data, content) !== 0) return;
        ms.push(performance.now() - start);
        missing -= 1;
        if (missing === 0) resolve();
      };
    });
    await author.services.pubsub.publish(TOPIC, content);
    await all;
    clearTimeout(timer);
  }
  return { ms };
}

answer({
  broadcast: (question) => onTheWire(() => broadcast(question)),
  idle: ({ ms }) => onTheWire(() => new Promise((resolve) => setTimeout(resolve, ms, {}))),
});
const links = nodes.reduce((sum, node) => sum + node.getPeers().length, 0) / count;
process.send({ links });
