import { randomBytes } from "node:crypto";
import { createMintPool } from "@starling/hashcash/pool";
import { type CoreNode, startCoreNode } from "./core-node.ts";
import { onTheWire } from "./loopback.ts";
import { answer, type Question } from "./questions.ts";

// N cores in one process, over UDP on loopback, that know only the first of them: `COUNT free` asks for no stamps, `COUNT stamped`
// mints them as the protocol says.

const WAIT_MS = 10_000;
/** How long nobody has linked, when all are thought to have those they want. */
const QUIET_MS = 3_000;
/** Of many nodes one or other is always looking for a better link. */
const LINKING_MAX_MS = 20_000;
const LINK_LOOK_MS = 100;

const [count = "", stamps] = process.argv.slice(2);
const pool = stamps === "stamped" ? createMintPool() : undefined;
let onArrival: (node: number, content: Uint8Array) => void = () => {};
let linkedMono = performance.now();

const nodes: CoreNode[] = [];
for (let index = 0; index < Number(count); index += 1) {
  const bootstrap = nodes.slice(0, 1).map(({ contact }) => contact);
  const node = await startCoreNode({
    network: "bench",
    bootstrap,
    pool,
    onOutput: (output) => {
      if (output.type === "deliver-broadcast") onArrival(index, output.message.content);
      else if (output.type === "link-opened" || output.type === "link-closed") linkedMono = performance.now();
      else if (output.type === "failed") throw new Error(`${output.code}: ${output.message}`);
    },
  });
  nodes.push(node);
}
const startedMono = performance.now();
const isLinking = (): boolean => performance.now() - Math.max(linkedMono, startedMono) < QUIET_MS;
while (isLinking() && performance.now() - startedMono < LINKING_MAX_MS) {
  await new Promise((resolve) => setTimeout(resolve, LINK_LOOK_MS));
}

async function broadcast({ count: broadcasts, sizeBytes }: Question): Promise<{ readonly ms: readonly number[] }> {
  const ms: number[] = [];
  for (let i = 0; i < broadcasts; i += 1) {
    const content = randomBytes(sizeBytes);
    const author = i % nodes.length;
    let timer: NodeJS.Timeout | undefined;
    const start = performance.now();
    const all = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, WAIT_MS);
      let missing = nodes.length - 1;
      onArrival = (node, arrived) => {
        if (node === author || !content.equals(arrived)) return;
        ms.push(performance.now() - start);
        missing -= 1;
        if (missing === 0) resolve();
      };
    });
    nodes[author]?.feed({ type: "broadcast", id: `broadcast:${i}`, content, topic: "" });
    await all;
    clearTimeout(timer);
  }
  return { ms };
}

answer({
  broadcast: (question) => onTheWire(() => broadcast(question)),
  idle: ({ ms }) => onTheWire(() => new Promise<object>((resolve) => setTimeout(resolve, ms, {}))),
});
const links = nodes.reduce((sum, { core }) => sum + core.neighbours().length, 0) / nodes.length;
process.send?.({ links });
