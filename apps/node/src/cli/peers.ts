import type { PeerInfo } from "@starling/local-client";
import { addFlags, type Parent, wantsJson, withClient } from "./options.ts";
import { duration, table } from "./text.ts";

export function addPeers(program: Parent): void {
  const command = program.command("peers").description("list the links of the running node");
  addFlags(command);
  command.action(async () => {
    const peers = await withClient(command, (client) => client.peers());
    process.stdout.write(wantsJson(command) ? `${JSON.stringify(peers)}\n` : peerTable(peers, Date.now()));
  });
}

export function peerTable(peers: readonly PeerInfo[], nowMs: number): string {
  if (peers.length === 0) return "no links; give the node a --bootstrap ID@HOST:PORT, or others its own contact\n";
  const rows = peers.map(({ id, address, link, rttMs, since, anchor, reachable }) => {
    const roles = [anchor ? "anchor" : [], reachable ? "reachable" : []].flat();
    const rtt = rttMs === null ? "-" : `${rttMs.toFixed(1)} ms`;
    return [id, address ?? "-", link, rtt, duration(nowMs - since), roles.join(", ") || "-"];
  });
  return table(["PEER", "ADDRESS", "LINK", "RTT", "SINCE", "IS"], rows);
}
