// The other end of the test of two processes: says back what it is sent. Seed and port come over the pipe; it ends with its parent.
import { identityFromSeed } from "@starling/crypto-identity";
import { createSecureUdp } from "../../src/index.ts";

process.once("message", async ({ seed, port }: { readonly seed: number; readonly port: number }) => {
  const udp = await createSecureUdp({
    identity: identityFromSeed(new Uint8Array(32).fill(seed)),
    network: "test",
    host: "127.0.0.1",
    port,
    onMessage({ from, bytes, isReliable }) {
      if (isReliable) udp.send(from, bytes).catch(() => undefined);
      else udp.sendOnce(from, bytes);
    },
  });
  process.send?.({ id: udp.id, address: udp.address });
});
process.once("disconnect", () => process.exit(0));
