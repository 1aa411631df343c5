// A node under fire, in a process of its own: counts the messages that reach it, and tells what it cost when it is asked.
import { identityFromSeed } from "@starling/crypto-identity";
import { createSecureUdp } from "@starling/udp-transport";

let messages = 0;
const udp = await createSecureUdp({
  identity: identityFromSeed(new Uint8Array(32).fill(1)),
  network: "bench",
  host: "127.0.0.1",
  port: 0,
  onMessage() {
    messages += 1;
  },
});
process.on("message", () => {
  const { user, system } = process.cpuUsage();
  const counters = Object.fromEntries(udp.counters);
  process.send?.({ messages, counters, rssBytes: process.memoryUsage.rss(), cpuUs: user + system });
});
process.on("disconnect", () => process.exit(0));
process.send?.({ id: udp.id, address: udp.address });
