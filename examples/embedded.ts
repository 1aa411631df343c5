// A node inside a program, without a daemon: two of them on this machine, one message.   node embedded.ts
import { testnet } from "@starling/node";

const { nodes, close } = await testnet(2);
const [alice, bob] = nodes;
if (alice === undefined || bob === undefined) throw new Error("two nodes were asked for");
const inbox = await bob.client.subscribe({ events: ["message"] });
const receipt = await alice.client.submit({ to: bob.id, content: new TextEncoder().encode("hello, bob") });
const { value: message } = await inbox.next();
console.log(
  `bob has ${JSON.stringify(new TextDecoder().decode(message?.content))}, ${receipt.path}, ${receipt.hops} hops`,
);
await close();
