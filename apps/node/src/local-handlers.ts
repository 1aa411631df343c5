import { isNodeId } from "@starling/crypto-identity";
import type { LinkInfo, LocalHandlers } from "@starling/local-client/server";
import type { NodeCore } from "@starling/node-core";
import { systemNow } from "@starling/node-core/driver";
import { type Address, formatAddress } from "@starling/wire-protocol";
import type { NodeConfig } from "./config.ts";
import { countsOf } from "./counts.ts";
import type { Submissions } from "./submissions.ts";

export type LocalHandlersOptions = {
  readonly core: NodeCore;
  readonly config: Pick<NodeConfig, "network" | "announce" | "bootstrap">;
  readonly version: string;
  /** Where the UDP socket is bound. */
  readonly listen: Address;
  /** Where the dashboard is served. */
  readonly http: Address | undefined;
  readonly startedMono: number;
  readonly submissions: Submissions;
  /** Messages that the core has handed out and no program has taken. */
  readonly heldCount: () => number;
  /** Messages among them that waited too long. */
  readonly droppedCount: () => number;
  /** A program has dealt with a message. */
  readonly acknowledge: (from: string, messageId: string) => void;
  readonly socketCounters: () => ReadonlyMap<string, number>;
};

/** What local programs ask of this node, read from the core at the moment of asking. */
export function createLocalHandlers(options: LocalHandlersOptions): LocalHandlers {
  const { core, config, version, startedMono, submissions, heldCount, acknowledge, socketCounters } = options;
  const counters = (): Record<string, number> => ({
    ...countsOf(core, options.droppedCount()),
    ...prefixed("udp.", socketCounters()),
  });
  const { network, announce } = config;
  const bootstrap = config.bootstrap.map(({ id, address }) => `${id}@${formatAddress(address)}`);
  const { id } = core;
  const listen = formatAddress(options.listen);
  const http = options.http === undefined ? null : formatAddress(options.http);
  const uptimeMs = (): number => Math.round(systemNow().mono - startedMono);
  const reachability = (): "reachable" | "announced" | "unknown" => {
    if (core.isReachable(systemNow().mono)) return "reachable";
    return announce.length > 0 ? "announced" : "unknown";
  };
  return {
    info: () => ({
      id,
      version,
      network,
      addresses: [listen, ...announce.map(formatAddress)],
      uptimeMs: uptimeMs(),
      http,
    }),
    status: () => ({
      id,
      network,
      version,
      uptimeMs: uptimeMs(),
      listen,
      observed: core.observed === undefined ? null : formatAddress(core.observed),
      reachability: reachability(),
      bootstrap,
      sessions: core.neighbours().length,
      channels: core.channelPeers().length,
      anchors: core.anchors(),
      waiting: core.waitingCount + heldCount(),
      counters: counters(),
      price: core.toldPrices(),
    }),
    peers: () => {
      const { mono, wall } = systemNow();
      const anchors = new Set(core.anchors());
      const neighbours = new Map(core.neighbours().map((neighbour) => [neighbour.id, neighbour]));
      return [...new Set([...neighbours.keys(), ...core.channelPeers()])].map((peer) => {
        const neighbour = neighbours.get(peer);
        const channel = core.channel(peer);
        const best = channel ?? core.session(peer);
        return {
          id: peer,
          address: neighbour === undefined ? null : formatAddress(neighbour.address),
          link: linkOf(neighbour !== undefined, channel !== undefined),
          rttMs: best?.rttMs ?? null,
          since: Math.round(wall - (mono - (neighbour?.sinceMono ?? best?.sinceMono ?? mono))),
          anchor: anchors.has(peer),
          reachable: neighbour?.reachable ?? false,
        };
      });
    },
    links: () => {
      const sessions = core.neighbours().map(({ id: peer }) => describeLink(core, "session", core.session(peer)));
      const channels = core.channelPeers().map((peer) => describeLink(core, "channel", core.channel(peer)));
      return [...sessions, ...channels].flat();
    },
    openMessages: () => core.openMessages(systemNow().mono),
    submit: (request, signal) => submissions.submit(request, signal),
    request: (request, signal) => submissions.request(request, signal),
    reply: (request, signal) => submissions.reply(request, signal),
    ping: (request, signal) => submissions.ping(request, signal),
    broadcast: (request) => submissions.broadcast(request),
    async connect(request) {
      const { id: peer } = request;
      await submissions.connect(request);
      if (!isNodeId(peer)) throw new Error("a link to what is no node");
      return { link: linkOf(core.session(peer) !== undefined, core.channel(peer) !== undefined) };
    },
    disconnect: (request) => submissions.disconnect(request),
    trace: (to) => submissions.trace(to),
    ack: ({ from, messageId }) => acknowledge(from, messageId),
  };
}

function describeLink(core: NodeCore, link: "session" | "channel", info: ReturnType<NodeCore["session"]>): LinkInfo[] {
  if (info === undefined) return [];
  const { peer, address, rttMs, sinceMono, lastHeardMono, traffic, queuedBytes } = info;
  const { mono, wall } = systemNow();
  const view = link === "session" ? core.viewOf(peer) : undefined;
  return [
    {
      peer,
      link,
      address: link === "session" ? formatAddress(address) : null,
      rttMs: rttMs ?? null,
      since: Math.round(wall - (mono - sinceMono)),
      heardMs: Math.max(0, Math.round(mono - lastHeardMono)),
      sentBytes: traffic.sentBytes,
      receivedBytes: traffic.receivedBytes,
      queuedBytes,
      observed: view === undefined ? null : formatAddress(view.observed),
      clockAheadMs: view === undefined ? null : Math.round(view.clockAheadMs),
    },
  ];
}

function linkOf(hasSession: boolean, hasChannel: boolean): "session" | "channel" | "both" {
  if (hasSession && hasChannel) return "both";
  return hasChannel ? "channel" : "session";
}

function prefixed(prefix: string, counters: ReadonlyMap<string, number>): Record<string, number> {
  return Object.fromEntries([...counters].map(([name, count]) => [`${prefix}${name}`, count]));
}
