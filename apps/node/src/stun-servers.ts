import type { Address } from "@starling/wire-protocol";

const SERVERS_MAX = 2;

/**
 * The neighbours to ask for the public address of a channel's socket (PROTOCOL §3.5). Only reachable ones: the router of another
 * does not let in what comes from a socket that its node has sent nothing to. On loopback there is no router to ask about.
 */
export function stunServersOf(
  neighbours: readonly { readonly address: Address; readonly reachable: boolean }[],
): Address[] {
  return neighbours
    .filter(({ reachable, address }) => reachable && !address.ip.startsWith("127.") && address.ip !== "::1")
    .map(({ address }) => address)
    .slice(0, SERVERS_MAX);
}
