import type { LinkInfo } from "@starling/local-client";
import { addFlags, askDaemon, type Parent, wantsJson } from "./options.ts";
import { printJson } from "./output.ts";
import { duration, sizeText, table } from "./text.ts";

export function addLinks(program: Parent): void {
  const command = program
    .command("links")
    .description("list every session and every channel of the running node: round trip, traffic, when heard last");
  addFlags(command, {
    examples: [
      ["links", "a peer may have two: a session over UDP, and a channel"],
      ["links --json | jq '.[] | select(.link == \"channel\")'", "the channels"],
    ],
  });
  command.action(async () => {
    const links = await askDaemon(command, (client) => client.links());
    if (wantsJson(command)) printJson(links);
    else process.stdout.write(linkTable(links, Date.now()));
  });
}

function linkTable(links: readonly LinkInfo[], nowMs: number): string {
  if (links.length === 0) return "no links; 'starling doctor' says what is wrong\n";
  const rows = links.map(({ peer, link, address, rttMs, since, heardMs, sentBytes, receivedBytes }) => [
    ...[peer, link, address ?? "-", rttMs === null ? "-" : `${rttMs.toFixed(1)} ms`, duration(nowMs - since)],
    ...[sizeText(sentBytes), sizeText(receivedBytes), `${duration(heardMs)} ago`],
  ]);
  return table(["PEER", "LINK", "ADDRESS", "RTT", "OPEN", "SENT", "RECEIVED", "HEARD"], rows);
}
