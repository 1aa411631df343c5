// Somebody whom a node has never heard of wants a channel with it, in a process of its own so that an attacker's work does not count as
// the node's. Tells how long it took. argv: id and address of the node, network.
import { parseNodeId } from "@starling/crypto-identity";
import { parseAddress } from "@starling/wire-protocol/address";
import { openChannel } from "./open-channel.ts";

/** In milliseconds; null where no channel came about. */
export type Stranger = { readonly tookMs: number | null };

const [id = "", address = "", network = ""] = process.argv.slice(2);
process.on("disconnect", () => process.exit(0));
let tookMs: number | null = null;
try {
  const startedMs = performance.now();
  const opened = await openChannel({ id: parseNodeId(id), address: parseAddress(address) }, network);
  tookMs = performance.now() - startedMs;
  opened.close();
} catch {
  // No channel.
}
process.send?.({ tookMs } satisfies Stranger);
