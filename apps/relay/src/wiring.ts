import { systemRandom as random } from "@starling/crypto-identity";
import { loadOrCreateKeyFile } from "@starling/crypto-identity/key-file";

import {
  CLOCK_SET_BACK,
  createLineBudget,
  freshnessFile,
  type Log,
  openDataDir,
  savedPeersFile,
} from "@starling/daemon";

import { RelayCore, type RelayCoreInput, type RelayCoreOptions, type RelayOutput } from "@starling/node-core";
import { type Driver, startDriver, systemNow } from "@starling/node-core/driver";
import { openUdpSocket } from "@starling/udp-transport";
import { type Contact, formatAddress } from "@starling/wire-protocol";
import { readAccessLists } from "./access-lists.ts";
import type { RelayConfig } from "./config.ts";
import { DatagramQueue } from "./datagram-queue.ts";
import { type Descriptor, describeRelay, shedCounts } from "./descriptor.ts";
import { type Health, openHttpServer } from "./http-server.ts";
import { coreLimits, limitsOf } from "./limit-settings.ts";
import { createLinkLog } from "./link-log.ts";
import { relayMetrics } from "./metrics.ts";
import { relayTables } from "./tables.ts";
import { readVersion } from "./version.ts";

// The whole relay, by hand, top to bottom. Whatever is opened is closed in the reverse order, after a failure as well.

/** How long a relay that stops goes on forwarding what it holds. */
const DRAIN_MS = 2_000;
const DRAIN_LOOK_MS = 20;

export type Relay = {
  readonly id: string;
  /** `ip:port`, with the real ports. */
  readonly listen: string;
  readonly http: string | null;
  /** Reads the lists of who may connect again, and hangs up on those who may not any more. A list that cannot be read changes nothing. */
  reload(): void;
  /** Forwards what it holds, says Bye, then closes and frees everything. */
  stop(): Promise<void>;
};

/** `changes` are for measuring: what an operator cannot set. */
export async function startRelay(
  config: RelayConfig,
  log: Log,
  changes: Pick<RelayCoreOptions, "floor"> = {},
): Promise<Relay> {
  const closers: (() => void | Promise<void>)[] = [];
  let health: Health = "starting";
  const closeAll = async (): Promise<void> => {
    for (const close of closers.splice(0).reverse()) await close();
  };
  try {
    let lists = readAccessLists(config);
    const dataDir = await openDataDir(config.dataDir);
    closers.push(() => dataDir.release());

    const { identity, created } = await loadOrCreateKeyFile(dataDir.keyPath, { random });
    if (created) log.info({ id: identity.id, path: dataDir.keyPath }, "made a new key; keep a copy of this file");

    const savedPeers = savedPeersFile(dataDir);
    const saved = await savedPeers.read();
    closers.push(() => savedPeers.settled());

    const freshness = freshnessFile(dataDir);
    const freshnessBoundMs = (await freshness.read(systemNow().wall)) ?? 0;
    closers.push(() => freshness.settled());

    const { network, bootstrap, announce, passive } = config;
    const core = new RelayCore(
      {
        ...{ identity, network, bootstrap, announce, passive, saved, freshnessBoundMs, random },
        ...coreLimits(config),
        ...changes,
        // Who is connected may stay to the end of a drain; nobody else comes in.
        admits: (id) => health !== "draining" && lists.admitsId(id),
      },
      systemNow(),
    );

    // Until the driver runs, what arrives is ignored; neighbours repeat what matters.
    let driver: Driver<RelayCoreInput> | undefined;
    const arrived = new DatagramQueue({
      peerOf: (bytes) => core.peerOf(bytes),
      handle: (batch) => driver?.feedAll(batch),
      // Behind the turn of the event loop in which the socket was read.
      soon: setImmediate,
    });
    let deniedCount = 0;
    const socketErrors = createLineBudget();
    const socket = await openUdpSocket({
      host: config.listen.ip,
      port: config.listen.port,
      onDatagram(bytes, from) {
        if (lists.admitsIp(from.ip)) arrived.push(bytes, from);
        else deniedCount += 1;
      },
      onError(error) {
        const { allowed, suppressed } = socketErrors(systemNow().mono);
        if (allowed) log.error({ error: error.message, suppressed }, "UDP socket");
      },
    });
    closers.push(() => socket.close());

    const version = readVersion();
    const metrics = relayMetrics({
      version,
      limits: limitsOf(config),
      counts: () => ({
        ...core.counts(),
        "dropped.denied-address": deniedCount,
        "dropped.link-turn": arrived.droppedCount,
      }),
      socketCounters: () => socket.counters,
      tables: () => relayTables(core, lists),
      prices: () => core.askedPrices(systemNow().mono),
      isDraining: () => health === "draining",
    });
    const described = describeRelay({ identity, config, version, wallMs: systemNow().wall, random });
    const descriptor = (): Descriptor => ({
      ...described,
      price: core.askedPrices(systemNow().mono),
      shed: shedCounts(core.counts()),
    });
    const http =
      config.http &&
      (await openHttpServer(config.http, {
        health: () => health,
        metrics: () => metrics.read(),
        metricsContentType: metrics.contentType,
        descriptor,
      }));
    if (http) closers.push(() => http.close());

    const logLink = createLinkLog(log, () => systemNow().mono);
    const savePeers = (peers: readonly Contact[]): void => {
      savedPeers.write(peers).catch((error) => log.warn({ err: error }, "the peers could not be saved"));
    };
    const perform = (output: RelayOutput): void => {
      switch (output.type) {
        case "transmit":
          if (lists.admitsIp(output.to.ip)) socket.send(output.datagram, output.to);
          break;
        case "save-peers":
          savePeers(output.peers);
          break;
        case "save-freshness-bound":
          freshness
            .write(output.boundMs, systemNow().wall)
            .catch((error) => log.warn({ err: error }, "the time could not be saved"));
          break;
        case "clock-set-back":
          log.warn({ code: "E_CLOCK" }, CLOCK_SET_BACK);
          break;
        default:
          logLink(output);
      }
    };
    driver = startDriver({ core, perform });
    const running = driver;
    closers.push(() => running.close());

    const { counts } = lists;
    if (counts.allow + counts.deny > 0) log.info(counts, "who may connect is limited");
    health = "ok";
    return {
      id: identity.id,
      listen: formatAddress(socket.address),
      http: http ? formatAddress(http.address) : null,
      reload() {
        let next: typeof lists;
        try {
          next = readAccessLists(config);
        } catch (error) {
          log.error({ err: error }, "the lists stay as they were");
          return;
        }
        const unwanted = core
          .sessions()
          .filter(({ peer, address }) => !next.admitsId(peer) || !next.admitsIp(address.ip));
        // Before the new lists are in force, for the Bye has to leave.
        for (const { peer } of unwanted) running.feed({ type: "hang-up", peer });
        lists = next;
        log.info({ ...next.counts, closed: unwanted.length }, "read the lists of who may connect");
      },
      async stop() {
        health = "draining";
        const untilMono = systemNow().mono + DRAIN_MS;
        while (core.openCount > 0 && systemNow().mono < untilMono) {
          await new Promise((resolve) => setTimeout(resolve, DRAIN_LOOK_MS));
        }
        return closeAll();
      },
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
}
