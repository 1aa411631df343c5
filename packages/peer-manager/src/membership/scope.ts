// Which addresses are believed from whom, PROTOCOL §6 "Scopes". Pure functions over ip literals; every address here was named by
// somebody else and is untrusted. Without these rules a peer could point its neighbours at their own loopback services, at the
// machines of their private network, or at a multicast group.
import type { Address } from "@starling/wire-protocol";
import ipaddr from "ipaddr.js";

/** `never` is no place to send to: unspecified, link-local, multicast, broadcast, reserved. */
export type Scope = "loopback" | "private" | "public" | "never";

const PRIVATE_RANGES = new Set(["private", "uniqueLocal", "carrierGradeNat"]);
// Documentation ranges count as public: laboratories use them as ordinary addresses, and no route leads there from elsewhere.
const PUBLIC_RANGES = new Set(["unicast", "reserved", "documentation", "as112", "amt"]);
/** By the first byte. */
const PRIVATE_V4: Readonly<Record<number, string>> = {
  10: "10/8",
  172: "172.16/12",
  192: "192.168/16",
  100: "100.64/10",
};

type Judged = { readonly scope: Scope; readonly block: string | undefined; readonly privateRange: string | undefined };

// BOUNDED: emptied when full. The same few hundred addresses are asked about with every Pong, and parsing them costs more than all else
// that is done with them. It remembers what follows from the text alone, so nobody can tell whether it is there.
const JUDGED_MAX = 8192;
const judgedByIp = new Map<string, Judged>();

/** The scope of an ip literal; `never` for one that nobody can be reached at, and for what is no ip. */
export function scopeOf(ip: string): Scope {
  return judged(ip).scope;
}

function judged(ip: string): Judged {
  const known = judgedByIp.get(ip);
  if (known !== undefined) return known;
  if (judgedByIp.size >= JUDGED_MAX) judgedByIp.clear();
  const verdict = judge(ip);
  judgedByIp.set(ip, verdict);
  return verdict;
}

function judge(ip: string): Judged {
  const never: Judged = { scope: "never", block: undefined, privateRange: undefined };
  if (!ipaddr.isValid(ip)) return never;
  const parsed = ipaddr.parse(ip);
  const range = parsed.range();
  const bytes = parsed.toByteArray();
  const isV4 = bytes.length === 4;
  const block = bytes.slice(0, isV4 ? 3 : 6).join(".");
  if (range === "loopback") return { scope: "loopback", block, privateRange: undefined };
  if (PRIVATE_RANGES.has(range)) {
    const privateRange = isV4 ? PRIVATE_V4[bytes[0] ?? 0] : "fc00::/7";
    return { scope: "private", block, privateRange };
  }
  if ((isV4 && (bytes[0] ?? 0) >= 240) || !PUBLIC_RANGES.has(range)) return never;
  return { scope: "public", block, privateRange: undefined };
}

/**
 * May an address that a peer named be taken as a contact? Loopback only from a peer on loopback; private only from a peer on
 * loopback or in the same private network; public from anybody.
 */
export function acceptsContact(named: Address, peerAddress: Address): boolean {
  const scope = scopeOf(named.ip);
  const peerScope = scopeOf(peerAddress.ip);
  if (scope === "public") return true;
  if (scope === "loopback") return peerScope === "loopback";
  if (scope === "private") return peerScope === "loopback" || samePrivateNetwork(named.ip, peerAddress.ip);
  return false;
}

/** What a node knows of its own situation when it judges the candidates of an Offer. */
export type CandidateContext = {
  /** Addresses of our open UDP links. */
  readonly linkAddresses: readonly Address[];
  /** Our own public ip as neighbours observe it, where known. */
  readonly observedIp: string | undefined;
  /** Session address of the Offer's author, where we have a session with it. */
  readonly authorAddress: Address | undefined;
};

/**
 * The candidates of an Offer that may be tried. With a session to its author the contact rule holds. Without one: loopback
 * candidates only if all our links are on loopback; private ones only if the Offer also names our own observed public ip (both
 * are behind one NAT), or if all our links are private.
 */
export function acceptedCandidates(candidates: readonly Address[], context: CandidateContext): Address[] {
  const { authorAddress, linkAddresses, observedIp } = context;
  if (authorAddress !== undefined) return candidates.filter((candidate) => acceptsContact(candidate, authorAddress));
  const allLinksIn = (scopes: readonly Scope[]) =>
    linkAddresses.length > 0 && linkAddresses.every((address) => scopes.includes(scopeOf(address.ip)));
  const sameNat = observedIp !== undefined && candidates.some((candidate) => candidate.ip === observedIp);
  return candidates.filter((candidate) => {
    const scope = scopeOf(candidate.ip);
    if (scope === "loopback") return allLinksIn(["loopback"]);
    if (scope === "private") return sameNat || allLinksIn(["private", "loopback"]);
    return scope === "public";
  });
}

/** Two private addresses within one private range (10/8, 172.16/12, 192.168/16, 100.64/10, fc00::/7). */
function samePrivateNetwork(a: string, b: string): boolean {
  const range = judged(a).privateRange;
  return range !== undefined && range === judged(b).privateRange;
}

/** The /24 of an IPv4, the /48 of an IPv6; undefined for what is no place to send to. */
export function blockOf(ip: string): string | undefined {
  return judged(ip).block;
}
