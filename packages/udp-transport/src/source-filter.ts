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

/** What this machine's interfaces have: their ips, and the broadcast addresses of their IPv4 networks. */
export type LocalAddresses = { readonly ips: ReadonlySet<string>; readonly broadcasts: ReadonlySet<string> };

/** Whether to take a datagram from `from`, at a socket bound to `own`. */
export function acceptsSource(from: Address, own: Address, local: () => LocalAddresses): boolean {
  if (!isUnicastAddress(from)) return false;
  const { ips, broadcasts } = local();
  if (broadcasts.has(from.ip)) return false;
  if (from.port !== own.port) return true;
  const isWildcard = own.ip === "0.0.0.0" || own.ip === "::";
  return isWildcard ? !ips.has(from.ip) : from.ip !== own.ip;
}

/** The broadcast address of an IPv4 network in CIDR form; none for IPv6 and for networks of one or two hosts. */
export function broadcastOf(cidr: string): string | undefined {
  const [ip = "", bits] = cidr.split("/");
  const length = Number(bits);
  if (ip.includes(":") || !Number.isInteger(length) || length < 0 || length > 30) return undefined;
  const hostBits = 2 ** (32 - length) - 1;
  const groups = ip.split(".").map(Number);
  return groups.map((group, index) => group | (Math.floor(hostBits / 2 ** (24 - 8 * index)) & 0xff)).join(".");
}

/** The addresses of this machine, looked up again after half a minute at most. */
export function createLocalAddresses(clock: () => number = () => performance.now()): () => LocalAddresses {
  let local: LocalAddresses = { ips: new Set(), broadcasts: new Set() };
  let sinceMs = Number.NEGATIVE_INFINITY;
  return () => {
    if (clock() - sinceMs < OWN_IPS_MS) return local;
    sinceMs = clock();
    const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
    local = {
      ips: new Set(all.map(({ address }) => canonicalIp(address) ?? address)),
      broadcasts: new Set(all.flatMap(({ cidr }) => (cidr && broadcastOf(cidr)) || [])),
    };
    return local;
  };
}
