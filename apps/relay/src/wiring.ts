import { systemRandom as random } from "@starling/crypto-identity";
import { loadOrCreateKeyFile } from "@starling/crypto-identity/key-file";
import { type Log, openDataDir, savedPeersFile } from "@starling/daemon";
import { DEFAULT_LINK_QUOTA, RelayCore, type RelayInput, type RelayOutput } from "@starling/node-core";
import { type Driver, startDriver, systemNow } from "@starling/node-core/driver";
import { openUdpSocket } from "@starling/udp-transport";
import { type Contact, formatAddress } from "@starling/wire-protocol";
import type { RelayConfig } from "./config.ts";
import { describeRelay } from "./descriptor.ts";
import { type Health, openHttpServer } from "./http-server.ts";
import { createLinkLog } from "./link-log.ts";
import { createMetrics } from "./metrics.ts";
import { readVersion } from "./version.ts";

// The whole relay, by hand, top to bottom. Whatever is opened is closed in the reverse order, after a failure as well.

export type Relay = {
  readonly id: string;
  /** `ip:port`, with the real ports. */
  readonly listen: string;
  readonly http: string | null;
  /** Says Bye, then closes and frees everything. */
  stop(): Promise<void>;
};

export async function startRelay(config: RelayConfig, log: Log): Promise<Relay> {
  const closers: (() => void | Promise<void>)[] = [];
  let health: Health = "starting";
  const closeAll = async (): Promise<void> => {
    for (const close of closers.splice(0).reverse()) await close();
  };
  try {
    const dataDir = await openDataDir(config.dataDir);
    closers.push(() => dataDir.release());

    const { identity, created } = await loadOrCreateKeyFile(dataDir.keyPath, { random });
    if (created) log.info({ id: identity.id, path: dataDir.keyPath }, "made a new key; keep a copy of this file");

    const savedPeers = savedPeersFile(dataDir);
    const saved = await savedPeers.read();
    closers.push(() => savedPeers.settled());

    const quota = { ...DEFAULT_LINK_QUOTA, messagesPerSecond: config.maxForward };
    const core = new RelayCore(
      {
        identity,
        network: config.network,
        bootstrap: config.bootstrap,
        announce: config.announce,
        maxNeighbours: config.maxPeers,
        saved,
        quota,
        random,
      },
      systemNow(),
    );

    // Until the driver runs, what arrives is ignored; neighbours repeat what matters.
    let driver: Driver<RelayInput> | undefined;
    const socket = await openUdpSocket({
      host: config.listen.ip,
      port: config.listen.port,
      onDatagram: (bytes, from) => driver?.feed({ type: "datagram", bytes, from }),
      onError: (error) => log.error({ error: error.message }, "UDP socket"),
    });
    closers.push(() => socket.close());

    const metrics = createMetrics({
      coreCounts: () => core.counts(),
      socketCounters: () => socket.counters,
      peerCount: () => core.neighbours().length,
      seenFilterBytes: () => core.seenFilterBytes,
    });
    const { wall: wallMs } = systemNow();
    const descriptor = describeRelay({ identity, config, quota, version: readVersion(), wallMs, random });
    const http =
      config.http &&
      (await openHttpServer(config.http, {
        health: () => health,
        metrics: () => metrics.read(),
        metricsContentType: metrics.contentType,
        descriptor: () => descriptor,
      }));
    if (http) closers.push(() => http.close());

    const logLink = createLinkLog(log, () => systemNow().mono);
    const savePeers = (peers: readonly Contact[]): void => {
      savedPeers.write(peers).catch((error) => log.warn({ err: error }, "the peers could not be saved"));
    };
    const perform = (output: RelayOutput): void => {
      if (output.type === "transmit") socket.send(output.datagram, output.to);
      else if (output.type === "save-peers") savePeers(output.peers);
      else logLink(output);
    };
    driver = startDriver({ core, perform });
    closers.push(() => driver?.close());

    health = "ok";
    return {
      id: identity.id,
      listen: formatAddress(socket.address),
      http: http ? formatAddress(http.address) : null,
      stop: () => {
        health = "draining";
        return closeAll();
      },
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
}
