import type { LinkInfo } from "@starling/local-client";
import type { DaemonFacts, DirectoryFacts, DoctorFacts } from "./doctor-facts.ts";
import { countOf, duration, sizeText } from "./text.ts";

// What the facts of a node come to: for each matter whether it is well, what was seen, and what to do about it. What peers say of
// us (our address, our clock) is hearsay, so it is told as theirs.

export type Check = {
  readonly name: "daemon" | "data directory" | "UDP" | "bootstrap" | "clock" | "NAT" | "relay latency" | "inbox";
  readonly state: "ok" | "warn" | "fail" | "unknown";
  readonly seen: string;
  /** What to do; none where nothing is wrong. */
  readonly advice?: string;
};

const CLOCK_WARN_MS = 5000;
/** A message dated further ahead is refused. */
const CLOCK_FAIL_MS = 30_000;
/** With three neighbours a node corrects its clock by theirs, so far and no further. */
const CORRECTED_MAX_MS = 120_000;
const CORRECTED_BY = 3;
const RTT_WARN_MS = 300;
const TOPIC_MAX = 1000;
const FREE_FAIL_BYTES = 64 * 1024 * 1024;
/** By then three Hellos to a bootstrap node have gone unanswered. */
const DIAL_MS = 4000;

export function checksOf({ directory, daemon, ownIps }: DoctorFacts): Check[] {
  const first = checkDirectory(directory);
  if ("error" in daemon) {
    return [first, { name: "daemon", state: "fail", seen: daemon.error.message.split(";")[0] ?? "", advice: START }];
  }
  const { version, uptimeMs } = daemon.status;
  const seen = `version ${version}, up ${duration(uptimeMs)}, answered in ${Math.round(daemon.answerMs)} ms`;
  return [
    first,
    { name: "daemon", state: "ok", seen },
    checkUdp(daemon),
    checkBootstrap(daemon),
    checkClock(daemon.links),
    checkNat(daemon, ownIps),
    checkLatency(daemon),
    checkInbox(daemon.status.waiting),
  ];
}

const START =
  "start it with 'starling start'; if it runs, say with --data-dir or --socket which you mean: its log names the socket";

function checkDirectory({ path, mode, isOwn, keyMode, keyPath, freeBytes }: DirectoryFacts): Check {
  const name = "data directory";
  if (mode === undefined)
    return { name, state: "unknown", seen: `${path} is not there yet; 'starling start' makes it` };
  if (!isOwn) {
    return {
      name,
      state: "fail",
      seen: `${path} belongs to another user`,
      advice: "run as its owner, or choose another with --data-dir",
    };
  }
  if ((mode & 0o022) !== 0) {
    return { name, state: "fail", seen: `others may write to ${path}`, advice: `make it private: chmod 700 ${path}` };
  }
  if (keyMode !== undefined && (keyMode & 0o077) !== 0) {
    return {
      name,
      state: "fail",
      seen: `others may read the key ${keyPath}`,
      advice: `make it private: chmod 600 ${keyPath}`,
    };
  }
  const free = freeBytes === undefined ? "" : `, ${sizeText(freeBytes)} free`;
  if (freeBytes !== undefined && freeBytes < FREE_FAIL_BYTES) {
    return {
      name,
      state: "fail",
      seen: `${path}${free}`,
      advice: "free some space: without it messages get no receipt",
    };
  }
  return { name, state: "ok", seen: `${path}${keyMode === undefined ? ", no key yet" : ""}${free}` };
}

function checkUdp({ status, links }: DaemonFacts): Check {
  const name = "UDP";
  const sessions = links.filter(({ link }) => link === "session");
  if (sessions.length > 0) {
    const received = sessions.reduce((sum, { receivedBytes }) => sum + receivedBytes, 0);
    return {
      name,
      state: "ok",
      seen: `${countOf(sessions.length, "session")} on ${status.listen}, ${sizeText(received)} received`,
    };
  }
  if (status.bootstrap.length === 0) {
    return {
      ...{ name, state: "warn", seen: `nobody has a session with ${status.listen}` },
      advice: "start the node with --bootstrap ID@IP:PORT, or others with this node as theirs",
    };
  }
  if (status.uptimeMs < DIAL_MS) {
    return {
      name,
      state: "unknown",
      seen: "no session yet: the node has just started",
      advice: "run doctor again in a while",
    };
  }
  const advice = "look for a firewall that drops UDP on the way out or in, and at the bootstrap line below";
  return { name, state: "fail", seen: `no session: nothing that ${status.listen} sent was answered`, advice };
}

function checkBootstrap({ status, links }: DaemonFacts): Check {
  const name = "bootstrap";
  const { bootstrap, uptimeMs } = status;
  if (bootstrap.length === 0) return { name, state: "ok", seen: "none is configured" };
  const peers = new Set(links.filter(({ link }) => link === "session").map(({ peer }) => peer));
  const missing = bootstrap.filter((contact) => !peers.has(contact.split("@")[0] ?? ""));
  const seen = `${bootstrap.length - missing.length} of ${bootstrap.length} have a session`;
  if (missing.length === 0) return { name, state: "ok", seen };
  if (uptimeMs < DIAL_MS) return { name, state: "unknown", seen: `${seen}; the node has just started` };
  const advice = `check that these run, that address and id are right, and that their --network is ours (${status.network}): ${missing.join(" ")}`;
  // With other links the network is reached all the same.
  return { name, state: peers.size > 0 ? "warn" : "fail", seen, advice };
}

function checkClock(links: readonly LinkInfo[]): Check {
  const name = "clock";
  const ahead = links.flatMap(({ clockAheadMs }) => clockAheadMs ?? []).toSorted((a, b) => a - b);
  const median = ahead[Math.floor(ahead.length / 2)];
  if (median === undefined) return { name, state: "unknown", seen: "no neighbour has told its time yet" };
  const who = ahead.length === 1 ? "the one neighbour" : `the ${ahead.length} neighbours`;
  const offMs = Math.abs(median);
  const direction = median > 0 ? "behind" : "ahead of";
  const off = offMs < 2000 ? `${offMs} ms` : `${Math.round(offMs / 1000)} s`;
  const seen = `${off} ${direction} ${who}`;
  if (offMs < CLOCK_WARN_MS) return { name, state: "ok", seen };
  const advice = `set this machine's clock, such as by NTP${ahead.length === 1 ? " (or it is that neighbour's that is off)" : ""}: messages that are dated wrong are refused`;
  const failMs = ahead.length < CORRECTED_BY ? CLOCK_FAIL_MS : CORRECTED_MAX_MS;
  return { name, state: offMs < failMs ? "warn" : "fail", seen, advice };
}

/** By where neighbours see the node's one socket: a router that gives each of them another port is a hard one. */
function checkNat({ status, links }: DaemonFacts, ownIps: ReadonlySet<string>): Check {
  const name = "NAT";
  const views = links.flatMap(({ observed, address }) =>
    observed === null || address === null || isLoopback(observed) ? [] : [{ observed, from: hostOf(address) }],
  );
  if (status.reachability === "announced") {
    return {
      name,
      state: "unknown",
      seen: "reached where the operator says (--announce); no stranger has got through yet",
      advice: "if it stays so, see that routers and firewalls let UDP to the announced address through",
    };
  }
  if (views.length === 0) {
    const seen =
      links.length > 0 ? "all neighbours are on this machine" : "no neighbour has told how it sees this node yet";
    return { name, state: links.length > 0 ? "ok" : "unknown", seen };
  }
  const addresses = new Set(views.map(({ observed }) => observed));
  const [only = ""] = addresses;
  const isOpen = status.reachability === "reachable";
  if ([...addresses].every((address) => ownIps.has(hostOf(address)))) {
    if (isOpen) return { name, state: "ok", seen: `none, and reachable at ${only}` };
    return {
      ...{ name, state: "ok", seen: `none; whether strangers reach ${only} is not known yet` },
      advice: `if they should, let UDP to port ${portOf(only)} in, and say so with --announce ${only}`,
    };
  }
  if (isOpen) return { name, state: "ok", seen: `a router that lets others in, at ${only}` };
  if (new Set(views.map(({ from }) => from)).size < 2) {
    const seen = `a router, seen as ${only} by neighbours of one address; its kind takes two to tell`;
    return { name, state: "unknown", seen, advice: "run doctor again when 'starling peers' shows more" };
  }
  if (addresses.size === 1) {
    const advice =
      "nothing to do: channels open through it. To carry messages for others, forward its UDP port and use --announce";
    return { name, state: "ok", seen: `a router that keeps one port for all (easy), ${only}`, advice };
  }
  return {
    ...{
      name,
      state: "warn",
      seen: `a router with another port for each peer (hard): ${[...addresses].slice(0, 3).join(", ")}`,
    },
    advice: `channels to peers behind such routers fail, and messages go over relays. To mend it, forward a UDP port to ${status.listen} and use --announce`,
  };
}

function checkLatency({ peers, links }: DaemonFacts): Check {
  const name = "relay latency";
  const rttOf = new Map(links.filter(({ link }) => link === "session").map(({ peer, rttMs }) => [peer, rttMs]));
  const carriers = peers.filter(({ reachable }) => reachable);
  const times = carriers.flatMap(({ id }) => rttOf.get(id) ?? []).toSorted((a, b) => a - b);
  if (carriers.length === 0) {
    const advice = "messages can only go to nodes that this one has a link to; bootstrap from a relay";
    return {
      name,
      state: links.length === 0 ? "unknown" : "warn",
      seen: "no neighbour carries messages for others",
      advice,
    };
  }
  const [best] = times;
  if (best === undefined)
    return { name, state: "unknown", seen: `${countOf(carriers.length, "relay")}, none measured yet` };
  const farthest = times.length > 1 ? `, ${times.at(-1)?.toFixed(1)} ms to the farthest` : "";
  const seen = `${countOf(times.length, "relay")}, ${best.toFixed(1)} ms to the nearest${farthest}`;
  if (best < RTT_WARN_MS) return { name, state: "ok", seen };
  return {
    name,
    state: "warn",
    seen,
    advice: "bootstrap from a relay that is nearer, or see what fills this machine's uplink",
  };
}

function checkInbox(waiting: number): Check {
  const name = "inbox";
  if (waiting === 0) return { name, state: "ok", seen: "empty" };
  const seen = `${countOf(waiting, "message")} waiting; a topic takes ${TOPIC_MAX} at most`;
  const advice = "read them with 'starling listen'; a topic that is full takes no more";
  // Of several topics: none of them need be full, so this alone is never a failure.
  return { name, state: waiting < TOPIC_MAX / 2 ? "ok" : "warn", seen, advice };
}

function hostOf(address: string): string {
  return address.slice(0, address.lastIndexOf(":")).replace(/^\[(.*)\]$/, "$1");
}

function portOf(address: string): string {
  return address.slice(address.lastIndexOf(":") + 1);
}

function isLoopback(address: string): boolean {
  return hostOf(address).startsWith("127.") || hostOf(address) === "::1";
}
