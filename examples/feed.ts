// A feed: everybody hears what anybody publishes under a topic, signed by who it is from.
//
//   node feed.ts SOCKET TOPIC             reads
//   node feed.ts SOCKET TOPIC "news"      publishes; it costs a moment of work, which is what keeps feeds readable
import { connect } from "@starling/local-client";

const [socket, topic, text] = process.argv.slice(2);
if (socket === undefined || topic === undefined) throw new Error("usage: node feed.ts SOCKET TOPIC [TEXT]");

const client = await connect(socket);
if (text !== undefined) {
  const { messageId } = await client.broadcast(new TextEncoder().encode(text), topic);
  console.log(`published ${messageId}`);
  client.close();
} else {
  const broadcasts = await client.subscribe({ events: ["broadcast"], topic });
  console.log(`reading ${topic}`);
  for await (const { from, content, receivedAt } of broadcasts) {
    // A stranger's text may hold what moves a terminal's cursor.
    const line = new TextDecoder().decode(content).replaceAll(/\p{Cc}/gu, " ");
    console.log(`${new Date(receivedAt).toISOString()} ${from.slice(0, 8)} ${line}`);
  }
}
