// A chat between two terminals: what you type goes to the peer, what the peer types is shown.
//
//   node chat.ts SOCKET ID      SOCKET is what `starling start` logs, ID what `starling id` prints at the other end
import { createInterface } from "node:readline";
import { connect, LocalClientError } from "@starling/local-client";

const [socket, peer] = process.argv.slice(2);
if (socket === undefined || peer === undefined) throw new Error("usage: node chat.ts SOCKET ID");

const client = await connect(socket);
const messages = await client.subscribe({ events: ["message"], topic: "chat" });
const keyboard = createInterface({ input: process.stdin });
console.log(`chatting with ${peer.slice(0, 8)}…; end with Ctrl-D`);

keyboard.on("line", async (line) => {
  try {
    const content = new TextEncoder().encode(line);
    const { path, elapsedMs } = await client.submit({ to: peer, content, topic: "chat", timeoutMs: 60_000 });
    console.log(`  ✓ ${path}, ${Math.round(elapsedMs)} ms`);
  } catch (error) {
    if (!(error instanceof LocalClientError)) throw error;
    console.log(`  ✗ not delivered: ${error.message}`);
  }
});
keyboard.on("close", () => client.close());

// A node may get messages of anybody who knows its id: only the peer's are of this chat.
for await (const { from, content } of messages) {
  if (from === peer) console.log(`${from.slice(0, 8)}: ${new TextDecoder().decode(content)}`);
}
