import { PUBLISH_FLOOR, SEND_FLOOR } from "@starling/hashcash";
import type { LocalHandlers } from "@starling/local-client/server";
import type { NodeCore } from "@starling/node-core";
import { systemNow } from "@starling/node-core/driver";
import { type Address, formatAddress } from "@starling/wire-protocol";
import type { NodeConfig } from "./config.ts";
import type { Submissions } from "./submissions.ts";

export type LocalHandlersOptions = {
  readonly core: NodeCore;
  readonly config: Pick<NodeConfig, "network" | "announce">;
  readonly version: string;
  /** Where the UDP socket is bound. */
  readonly listen: Address;
  readonly startedMono: number;
  readonly submissions: Submissions;
  /** Messages that the core has handed out and no program has taken. */
  readonly heldCount: () => number;
  readonly socketCounters: ReadonlyMap<string, number>;
};

/** What local programs ask of this node, read from the core at the moment of asking. */
export function createLocalHandlers(options: LocalHandlersOptions): LocalHandlers {
  const { core, config, version, startedMono, submissions, heldCount, socketCounters } = options;
  const { network, announce } = config;
  const { id } = core;
  const listen = formatAddress(options.listen);
  const uptimeMs = (): number => Math.round(systemNow().mono - startedMono);
  return {
    info: () => ({ id, version, network, addresses: [listen, ...announce.map(formatAddress)], uptimeMs: uptimeMs() }),
    status: () => ({
      id,
      network,
      version,
      uptimeMs: uptimeMs(),
      listen,
      observed: core.observed === undefined ? null : formatAddress(core.observed),
      reachability: announce.length > 0 ? "announced" : "unknown",
      sessions: core.neighbours().length,
      channels: 0,
      anchors: core.anchors(),
      waiting: core.waitingCount + heldCount(),
      counters: { ...core.counts(), ...prefixed("udp.", socketCounters) },
      price: { send: SEND_FLOOR, publish: PUBLISH_FLOOR },
    }),
    peers: () => {
      const { mono, wall } = systemNow();
      const anchors = new Set(core.anchors());
      return core.neighbours().map((neighbour) => ({
        id: neighbour.id,
        address: formatAddress(neighbour.address),
        link: "session",
        rttMs: core.session(neighbour.id)?.rttMs ?? null,
        since: Math.round(wall - (mono - neighbour.sinceMono)),
        anchor: anchors.has(neighbour.id),
        reachable: neighbour.reachable,
      }));
    },
    submit: (request, signal) => submissions.submit(request, signal),
  };
}

function prefixed(prefix: string, counters: ReadonlyMap<string, number>): Record<string, number> {
  return Object.fromEntries([...counters].map(([name, count]) => [`${prefix}${name}`, count]));
}
