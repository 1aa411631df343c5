import { createNode, type EmbeddedNode } from "@starling/node";
import { answer } from "./questions.ts";

// Embedded nodes as they ship, `dial-child.ts CONTACT`: it starts one with a key made new whenever it is asked to `listen`, or writes to
// one that it does not know.

const options = { listen: "127.0.0.1:0", bootstrap: [process.argv[2] ?? ""], network: "bench" };
const TIMEOUT_MS = 60_000;
let listening: EmbeddedNode | undefined;
const own = await start();

answer({
  listen: async () => {
    await listening?.close();
    listening = await start();
    return { to: listening.id };
  },
  submit: async ({ to, sizeBytes }) => {
    const start = performance.now();
    const { path } = await own.client.submit({ to, content: new Uint8Array(sizeBytes), timeoutMs: TIMEOUT_MS });
    return { ms: performance.now() - start, path };
  },
  channel: async ({ to, sizeBytes }) => {
    const start = performance.now();
    await own.client.connectPeer(to);
    const openMs = performance.now() - start;
    const content = new Uint8Array(sizeBytes);
    const { path } = await own.client.submit({ to, content, via: "channel", timeoutMs: TIMEOUT_MS });
    return { openMs, firstByteMs: performance.now() - start, path };
  },
});
process.send?.({ id: own.id });

async function start(): Promise<EmbeddedNode> {
  const node = await createNode(options);
  const links = await node.client.subscribe({ events: ["link"] });
  if ((await node.client.peers()).length === 0) await links.next();
  await links.unsubscribe();
  return node;
}
