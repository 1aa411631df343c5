import { createNode } from "@starling/node";
import { startCoreNode } from "./core-node.ts";
import { answer } from "./questions.ts";

// An end of a relayed conversation, as the parent's arguments say: `core CONTACT` the core alone without stamps, `daemon CONTACT` the
// embedded node as it ships. Requests are answered with what they hold.

type End = {
  readonly id: string;
  request(to: string, content: Uint8Array): Promise<unknown>;
  submit(to: string, content: Uint8Array): Promise<unknown>;
};

const NETWORK = "bench";
const TIMEOUT_MS = 60_000;
const [kind = "", contact = ""] = process.argv.slice(2);
const end = kind === "core" ? await startCore() : await startDaemon();

answer({
  ping: async ({ to, count, sizeBytes }) => {
    const content = new Uint8Array(sizeBytes).fill(1);
    const ms: number[] = [];
    for (let i = 0; i < count; i += 1) {
      const start = performance.now();
      await end.request(to, content);
      ms.push(performance.now() - start);
    }
    return { ms };
  },
  receipts: async ({ to, count, sizeBytes, window }) => {
    const content = new Uint8Array(sizeBytes).fill(1);
    const start = performance.now();
    let sent = 0;
    const one = async (): Promise<void> => {
      while (sent < count) {
        sent += 1;
        await end.submit(to, content);
      }
    };
    await Promise.all(Array.from({ length: window }, one));
    return { ms: performance.now() - start };
  },
});
process.send?.({ id: end.id });

async function startCore(): Promise<End> {
  const open = new Map<string, { resolve: () => void; reject: (error: Error) => void }>();
  let linked = (): void => {};
  const isLinked = new Promise<void>((resolve) => {
    linked = resolve;
  });
  const node = await startCoreNode({
    network: NETWORK,
    bootstrap: [contact],
    pool: undefined,
    onOutput: (output) => {
      switch (output.type) {
        case "link-opened":
          linked();
          break;
        case "deliver": {
          const { kind, messageId, content } = output.message;
          if (kind === "request") node.feed({ type: "reply", id: `reply:${messageId}`, requestId: messageId, content });
          break;
        }
        case "receipt":
        case "answered":
          open.get(output.id)?.resolve();
          open.delete(output.id);
          break;
        case "failed":
          open.get(output.id)?.reject(new Error(`${output.code}: ${output.message}`));
          open.delete(output.id);
          break;
      }
    },
  });
  await isLinked;
  let last = 0;
  const ask = (type: "submit" | "request", to: string, content: Uint8Array): Promise<void> => {
    last += 1;
    const id = String(last);
    return new Promise((resolve, reject) => {
      open.set(id, { resolve, reject });
      node.feed({ type, id, to: to as typeof node.id, content, topic: "", via: "relay", timeoutMs: TIMEOUT_MS });
    });
  };
  return {
    id: node.id,
    request: (to, content) => ask("request", to, content),
    submit: (to, content) => ask("submit", to, content),
  };
}

async function startDaemon(): Promise<End> {
  const node = await createNode({ listen: "127.0.0.1:0", bootstrap: [contact], network: NETWORK, maxChannels: 0 });
  const { client } = node;
  const links = await client.subscribe({ events: ["link"] });
  if ((await client.peers()).length === 0) await links.next();
  await links.unsubscribe();
  const arriving = await client.subscribe({ events: ["message", "request"] });
  void (async () => {
    for await (const event of arriving) if (event.type === "request") void client.reply(event.requestId, event.content);
  })();
  return {
    id: node.id,
    request: (to, content) => client.request({ to, content, timeoutMs: TIMEOUT_MS }),
    submit: (to, content) => client.submit({ to, content, via: "relay", timeoutMs: TIMEOUT_MS }),
  };
}
