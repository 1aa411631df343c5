import type { NodeStatus } from "@starling/local-client";
import { addFlags, type Parent, wantsJson, withClient } from "./options.ts";
import { peerTable } from "./peers.ts";
import { duration, table } from "./text.ts";

const REACHABILITY = {
  reachable: "yes, strangers get through",
  announced: "yes, as the operator says",
  unknown: "not known to be",
} as const;

export function addStatus(program: Parent): void {
  const command = program.command("status").description("show the running node: its links, and what it counts");
  addFlags(command);
  command.action(async () => {
    const [status, peers] = await withClient(command, (client) => Promise.all([client.status(), client.peers()]));
    if (wantsJson(command)) process.stdout.write(`${JSON.stringify({ ...status, peers })}\n`);
    else process.stdout.write(`${statusText(status)}\n${peerTable(peers, Date.now())}\n${countersText(status)}`);
  });
}

function statusText(status: NodeStatus): string {
  const { id, network, version, uptimeMs, listen, observed, reachability, waiting } = status;
  const seen = observed === null ? "" : `, seen by others as ${observed}`;
  return [
    `id        ${id}`,
    `network   ${network}`,
    `version   ${version}, up ${duration(uptimeMs)}`,
    `listens   ${listen}${seen}`,
    `reachable ${REACHABILITY[reachability]}`,
    `inbox     ${waiting === 0 ? "empty" : `${waiting} waiting; read with: starling listen`}`,
    "",
  ].join("\n");
}

function countersText({ counters }: NodeStatus): string {
  const rows = Object.entries(counters)
    .filter(([, count]) => count > 0)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, count]) => [name, String(count)]);
  return rows.length === 0 ? "nothing counted yet\n" : table(["COUNTER", "TOTAL"], rows);
}
