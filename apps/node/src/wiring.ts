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
import { createLocalServer } from "@starling/local-client/server";
import { InboxAge, type InboxEntry, NodeCore, type NodeInput, type NodeOutput } from "@starling/node-core";
import { type Driver, startDriver, systemNow } from "@starling/node-core/driver";
import { openUdpSocket } from "@starling/udp-transport";
import { formatAddress } from "@starling/wire-protocol";
import { type NodeConfig, socketPathOf } from "./config.ts";
import { loadOrCreateToken, TOKEN_FILE } from "./http/http-token.ts";
import { HandOut } from "./inbox/hand-out.ts";
import { InboxJournal, type Notes } from "./inbox/inbox-journal.ts";
import { lateMetrics } from "./late-metrics.ts";
import { createLinkLog, linkEvent } from "./link-events.ts";
import { createLocalHandlers } from "./local-handlers.ts";
import { Minting } from "./minting.ts";
import { PeerEvents } from "./peer-events.ts";
import { startRtc } from "./rtc.ts";
import { onDisk } from "./state-file.ts";
import { stunServersOf } from "./stun-servers.ts";
import { Submissions } from "./submissions.ts";
import { readVersion } from "./version.ts";

// The whole node, by hand, top to bottom. Whatever is opened is closed in the reverse order, after a failure as well.

/** Links that this node takes from others and for itself. */
const NEIGHBOURS_MAX = 256;
const DAY_MS = 86_400_000;
/** How often programs that subscribed to it hear of the node's status. */
const STATUS_MS = 5000;

export type RunningNode = {
  readonly id: string;
  /** `ip:port`, with the real port. */
  readonly listen: string;
  /** Path of the socket of local programs. */
  readonly socket: string;
  /** `ip:port` of the local API over WebSocket, with the real port; null where it is off. */
  readonly http: string | null;
  /** Fails what programs wait for, says Bye, then closes and frees everything. */
  stop(): Promise<void>;
};

export async function startNode(config: NodeConfig, log: Log): Promise<RunningNode> {
  const closers: (() => void | Promise<void>)[] = [];
  const closeAll = async (): Promise<void> => {
    for (const close of closers.splice(0).reverse()) await close();
  };
  try {
    const started = systemNow();
    const dataDir = await openDataDir(config.dataDir);
    closers.push(() => dataDir.release());

    const { identity, created } = await loadOrCreateKeyFile(dataDir.keyPath, { random });
    if (created) log.info({ id: identity.id, path: dataDir.keyPath }, "made a new key; keep a copy of this file");

    const inboxPath = dataDir.path("inbox.journal");
    const wallMs = (): number => systemNow().wall;
    const opened = await onDisk(inboxPath, () => InboxJournal.open({ path: inboxPath, wallMs }));
    const { journal, waiting, given, delivered, damagedCount } = opened;
    closers.push(() => journal.close());
    if (damagedCount > 0) log.warn({ path: inboxPath, damagedCount }, "left out what was not whole in the inbox");
    if (waiting.length > 0) log.info({ count: waiting.length }, "messages wait for a program");

    const savedPeers = savedPeersFile(dataDir);
    const saved = await savedPeers.read();
    closers.push(() => savedPeers.settled());

    const freshness = freshnessFile(dataDir);
    const freshnessBoundMs = (await freshness.read(systemNow().wall)) ?? 0;
    closers.push(() => freshness.settled());

    const inboxAgeMs = config.inboxDays * DAY_MS;
    const core = new NodeCore(
      {
        identity,
        network: config.network,
        bootstrap: config.bootstrap,
        announce: config.announce,
        maxNeighbours: NEIGHBOURS_MAX,
        saved,
        maxChannels: config.maxChannels,
        icePolicy: config.icePolicy,
        random,
        waiting,
        delivered,
        inboxAgeMs,
        freshnessBoundMs,
      },
      systemNow(),
    );

    // Until the driver runs, what arrives is ignored; neighbours and programs repeat what matters.
    let driver: Driver<NodeInput> | undefined;
    const feed = (input: NodeInput): void => driver?.feed(input);
    const later = (input: NodeInput): void => driver?.later(input);
    const socket = await openUdpSocket({
      host: config.listen.ip,
      port: config.listen.port,
      onDatagram: (bytes, from) => feed({ type: "datagram", bytes, from }),
      onError: (error) => log.error({ error: error.message }, "UDP socket"),
    });
    closers.push(() => socket.close());

    const minting = new Minting();
    closers.push(() => minting.close());

    const rtc = startRtc({
      maxChannels: config.maxChannels,
      icePolicy: config.icePolicy,
      listen: socket.address,
      stunServers: () => stunServersOf(core.neighbours()),
      feed,
      onFault: (error) => log.error({ err: error }, "no channels: WebRTC did not load; messages go over relays"),
    });
    closers.push(() => rtc.shutdown());

    // Imported here: a node without it need not load node:http, which brings Node's fetch and WebSocket along.
    const http = config.http && (await (await import("./http/local-http.ts")).openLocalHttp(config.http));
    closers.push(() => http?.close());
    const tokenPath = dataDir.path(TOKEN_FILE);
    const token = http && (await onDisk(tokenPath, () => loadOrCreateToken(tokenPath, random)));

    const version = readVersion();
    const droppedCount = (): number => handOut.droppedCount;
    const socketCounters = (): ReadonlyMap<string, number> => socket.counters;
    const metrics = lateMetrics({ core, rtc, version, socketCounters, droppedCount });
    const submissions = new Submissions(later, (receipt) => {
      // Where nothing can be scraped, nothing is counted. If they cannot be loaded, a scrape says so.
      if (http !== undefined)
        metrics().then(
          ({ received }) => received(receipt),
          () => {},
        );
    });
    const handlers = createLocalHandlers({
      core,
      config,
      version,
      listen: socket.address,
      http: http?.address,
      startedMono: started.mono,
      submissions,
      heldCount: () => handOut.heldCount,
      droppedCount,
      acknowledge: (from, messageId) => handOut.acknowledge(from, messageId),
      socketCounters,
    });
    const socketPath = socketPathOf(config);
    // From here to the driver nothing more is awaited: what a program asks, the core hears.
    const server = await createLocalServer({
      socketPath,
      handlers,
      onInterest: () => handOut.onInterest(),
      onFault: (error) => log.error({ err: error }, "a local request failed by a fault of this program"),
    });
    closers.push(() => server.close());
    const onJournalError = (error: unknown): void => logJournalError(log, inboxPath, error);
    const note = (notes: Notes): void => {
      try {
        journal.note(notes);
      } catch (error) {
        onJournalError(error);
      }
    };
    const handOut = new HandOut({
      server,
      given,
      age: new InboxAge(inboxAgeMs, systemNow()),
      note,
      setListening: (on, except) => feed({ type: "listening", on, except }),
    });
    if (http !== undefined && token !== undefined) {
      server.serveWebSocket(http.server, { token, origins: config.httpOrigin });
      http.serveMetrics({
        token,
        scrape: async () => {
          const { read, contentType } = await metrics();
          return { text: await read(), contentType };
        },
        onFault: (error) => log.error({ err: error }, "a scrape failed by a fault of this program"),
      });
    }

    const peers = new PeerEvents();
    const statusTimer = setInterval(() => {
      handOut.dropOld(systemNow());
      if (server.hasSubscriber("status")) server.publish({ type: "status", status: handlers.status() });
    }, STATUS_MS);
    statusTimer.unref();
    closers.push(() => clearInterval(statusTimer));

    const logLink = createLinkLog(log, () => systemNow().mono);
    // What one step of the core has to store goes into the journal in one write, and what it hands out is noted in one.
    const store = gathered((entries: readonly InboxEntry[]): void => {
      const all = (input: (key: string) => NodeInput): NodeInput[] => entries.map(({ key }) => input(key));
      const onFailed = (error: unknown): void => {
        onJournalError(error);
        driver?.feedAll(all((key) => ({ type: "stored", key, ok: false })));
      };
      let synced: Promise<void>;
      try {
        synced = journal.put(entries);
      } catch (error) {
        onFailed(error);
        return;
      }
      synced.then(() => driver?.feedAll(all((key) => ({ type: "stored", key, ok: true }))), onFailed);
      driver?.feedAll(all((key) => ({ type: "written", key })));
    });
    const handOutAll = gathered((messages: readonly InboxEntry[]) => handOut.take(messages));
    const perform = (output: NodeOutput): void => {
      switch (output.type) {
        case "transmit":
          socket.send(output.datagram, output.to);
          break;
        case "mint":
          minting.start(output, feed);
          break;
        case "cancel-mint":
          minting.cancel(output.job);
          break;
        case "store":
          store(output.entry);
          break;
        case "deliver":
          handOutAll(output.message);
          break;
        case "deliver-broadcast": {
          const { messageId, from, topic, content, receivedAtMs } = output.message;
          server.publish({ type: "broadcast", from, messageId, topic, content, receivedAt: receivedAtMs });
          break;
        }
        case "receipt":
        case "answered":
        case "broadcast-sent":
        case "connected":
        case "traced":
        case "failed":
          submissions.settle(output);
          break;
        case "link-opened":
        case "link-closed":
        case "link-unanswered": {
          const { wall } = systemNow();
          const event = linkEvent(output, wall);
          logLink(event);
          server.publish(event);
          const peer = peers.onLink(output, wall);
          if (peer !== undefined) server.publish(peer);
          break;
        }
        case "save-peers":
          savedPeers.write(output.peers).catch((error) => log.warn({ err: error }, "the peers could not be saved"));
          break;
        case "save-freshness-bound":
          freshness
            .write(output.boundMs, systemNow().wall)
            .catch((error) => log.warn({ err: error }, "the time could not be saved"));
          break;
        case "clock-set-back":
          log.warn({ code: "E_CLOCK" }, CLOCK_SET_BACK);
          break;
        case "discarded":
          note({ out: [output.key] });
          break;
        case "handed-out":
          // Noted when a program takes it, not when the core lets go of it: see HandOut.
          break;
        default:
          rtc.perform(output);
      }
    };
    driver = startDriver({ core, perform });
    closers.push(() => driver?.close());
    closers.push(() => submissions.close());
    handOut.onInterest();

    return {
      id: identity.id,
      listen: formatAddress(socket.address),
      socket: socketPath,
      http: http === undefined ? null : formatAddress(http.address),
      stop: closeAll,
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

/** Hands over what is given to it within one step of the event loop as one list, right behind the step. */
function gathered<Item>(take: (items: readonly Item[]) => void): (item: Item) => void {
  // BOUNDED: by what the core puts out in a step, its inbox at most.
  let items: Item[] = [];
  const hand = (): void => {
    const taken = items;
    items = [];
    take(taken);
  };
  return (item) => {
    if (items.push(item) === 1) process.nextTick(hand);
  };
}

const journalErrorBudget = createLineBudget(1);

function logJournalError(log: Log, path: string, error: unknown): void {
  const { allowed, suppressed } = journalErrorBudget(systemNow().mono);
  if (allowed) log.error({ path, err: error, suppressed }, "the inbox cannot be written; messages get no receipt");
}
