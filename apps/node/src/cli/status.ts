import { SEND_FLOOR } from "@starling/hashcash";
import type { NodeStatus } from "@starling/local-client";
import { addFlags, askDaemon, type Parent, wantsJson } from "./options.ts";
import { paint, printJson } from "./output.ts";
import { peerTable } from "./peers.ts";
import { countOf, duration, table } from "./text.ts";

export function addStatus(program: Parent): void {
  const command = program.command("status").description("show the running node and its peers");
  addFlags(command, {
    examples: [
      ["status", "the node of this user"],
      ["status --counters", "with all that it counts"],
      ["status --json | jq .sessions", "for a script; the counters are in it"],
    ],
  });
  command.option("--counters", "show what the node counts as well").action(async ({ counters }) => {
    const [status, peers] = await askDaemon(command, (client) => Promise.all([client.status(), client.peers()]));
    if (wantsJson(command)) {
      printJson({ ...status, peers });
      return;
    }
    process.stdout.write(`${statusText(status)}\n${peerTable(peers, Date.now())}`);
    if (counters) process.stdout.write(`\n${countersText(status)}`);
  });
}

function statusText(status: NodeStatus): string {
  const { id, network, version, uptimeMs, listen, observed, sessions, channels, anchors, waiting, price, counters } =
    status;
  const seen = observed === null ? "" : `, seen by others as ${observed}`;
  const linkCounts = [
    countOf(sessions, "session"),
    countOf(channels, "channel"),
    countOf(anchors.length, "anchor"),
  ].join(", ");
  const rows = [
    ["id", paint("bold", id)],
    ["network", network],
    ["version", `${version}, up ${duration(uptimeMs)}`],
    ["listens", `${listen}${seen}`],
    ["reachable", reachabilityText(status)],
    ["links", sessions + channels === 0 ? paint("yellow", "none") : linkCounts],
    ...(price.send > SEND_FLOOR
      ? [["price", `${(price.send / SEND_FLOOR).toFixed(1)} times the least: the network is congested`]]
      : []),
    ["inbox", waiting === 0 ? "empty" : `${waiting} waiting; read with: starling listen`],
    ...((counters["clock.set-back"] ?? 0) > 0
      ? [["clock", paint("yellow", "E_CLOCK: it was set back by more than 150 s; set it right (NTP)")]]
      : []),
  ];
  return rows.map(([name = "", value = ""]) => `${name.padEnd(10)}${value}\n`).join("");
}

function reachabilityText({ reachability }: NodeStatus): string {
  switch (reachability) {
    case "announced":
      return "yes, as the operator says (--announce); no stranger has got through yet";
    case "reachable":
      return paint("green", "yes, strangers get through");
    case "unknown":
      return "not known to be, which is usual behind a router: messages go over relays or channels";
  }
}

function countersText({ counters }: NodeStatus): string {
  const rows = Object.entries(counters)
    .filter(([, count]) => count > 0)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, count]) => [name, String(count)]);
  return rows.length === 0 ? "nothing counted yet\n" : table(["COUNTER", "TOTAL"], rows);
}
