import type { PeerInfo } from "@starling/local-client";
import { addFlags, askDaemon, type Parent, wantsJson } from "./options.ts";
import { printJson } from "./output.ts";
import { duration, table } from "./text.ts";

export function addPeers(program: Parent): void {
  const command = program.command("peers").description("list the peers of the running node");
  addFlags(command, {
    examples: [
      ["peers", "anchors keep this node's presence; reachable ones carry messages for others"],
      ["peers --json | jq -r '.[].id'", "their ids"],
    ],
  });
  command.action(async () => {
    const peers = await askDaemon(command, (client) => client.peers());
    if (wantsJson(command)) printJson(peers);
    else process.stdout.write(peerTable(peers, Date.now()));
  });
}

export function peerTable(peers: readonly PeerInfo[], nowMs: number): string {
  if (peers.length === 0) return "no peers; 'starling doctor' says what is wrong\n";
  const rows = peers.map(({ id, address, link, rttMs, since, anchor, reachable }) => {
    const roles = [anchor ? "anchor" : [], reachable ? "reachable" : []].flat();
    const rtt = rttMs === null ? "-" : `${rttMs.toFixed(1)} ms`;
    return [id, address ?? "-", link, rtt, duration(nowMs - since), roles.join(", ") || "-"];
  });
  return table(["PEER", "ADDRESS", "LINK", "RTT", "SINCE", "IS"], rows);
}
