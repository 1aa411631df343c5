// Which sources a socket takes datagrams from. All of these can be forged, and an answer to one harms somebody: port 0
// cannot be sent to at all, broadcast and multicast reach many, and the own address would make a loop of one.
import { networkInterfaces } from "node:os";
import { isUnicastAddress } from "@starling/session";
import { type Address, canonicalIp } from "@starling/wire-protocol";

const OWN_IPS_MS = 30_000;

/** Text of a source as the system gives it, in the one form that the rest of the code compares. */
export function createIpReader(): (text: string) => string | undefined {
  // BOUNDED: 1024 texts, then it starts anew; a forger of sources gains a parse a datagram by that, no memory.
  const known = new Map<string, string | undefined>();
  return (text) => {
    const cached = known.get(text);
    if (cached !== undefined || known.has(text)) return cached;
    if (known.size >= 1_024) known.clear();
    const ip = canonicalIp(text);
    known.set(text, ip);
    return ip;
  };
}

/**
 * Whether to take a datagram from `from`, at a socket bound to `own`. `localIps` is asked only for a source with the own
 * port where `own` stands for every address of the machine.
 */
export function acceptsSource(from: Address, own: Address, localIps: () => ReadonlySet<string>): boolean {
  if (!isUnicastAddress(from)) return false;
  if (from.port !== own.port) return true;
  const isWildcard = own.ip === "0.0.0.0" || own.ip === "::";
  return isWildcard ? !localIps().has(from.ip) : from.ip !== own.ip;
}

/** The addresses of this machine, looked up again after half a minute at most. */
export function createLocalIps(clock: () => number = () => performance.now()): () => ReadonlySet<string> {
  let ips: ReadonlySet<string> = new Set();
  let sinceMs = Number.NEGATIVE_INFINITY;
  return () => {
    if (clock() - sinceMs < OWN_IPS_MS) return ips;
    sinceMs = clock();
    const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
    ips = new Set(all.map(({ address }) => canonicalIp(address) ?? address));
    return ips;
  };
}
