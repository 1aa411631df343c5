// Which remote candidates are never tried, whatever the owner's scope rule said (PROTOCOL §9): a description is written by a
// peer, and each of its candidates makes us send STUN requests there.
import { BlockList } from "node:net";
import { CANDIDATES_MAX, type Candidate, canonicalIp } from "@starling/wire-protocol";

/** Ports below are services'; a candidate's port is ephemeral. */
const PORT_MIN = 1024;

const never = new BlockList();
never.addSubnet("0.0.0.0", 8);
never.addSubnet("169.254.0.0", 16);
never.addSubnet("224.0.0.0", 4);
never.addSubnet("240.0.0.0", 4);
const neverSix = new BlockList();
neverSix.addAddress("::", "ipv6");
neverSix.addSubnet("fe80::", 10, "ipv6");
neverSix.addSubnet("ff00::", 8, "ipv6");

/**
 * False for names, ports below 1024, unspecified, link-local, multicast, broadcast and reserved addresses; for loopback unless
 * this side has nothing but loopback itself.
 */
export function isAllowedCandidate({ address }: Candidate, isLoopback: boolean): boolean {
  const { ip, port } = address;
  if (canonicalIp(ip) !== ip || !Number.isInteger(port) || port < PORT_MIN || port > 65_535) return false;
  if (!isLoopback && (ip === "::1" || ip.startsWith("127."))) return false;
  return ip.includes(":") ? !neverSix.check(ip, "ipv6") : !never.check(ip);
}

/** The candidates that may be tried, each address once, `room` of them at most. */
export function allowedCandidates(
  candidates: readonly Candidate[],
  { room = CANDIDATES_MAX, isLoopback }: { readonly room?: number; readonly isLoopback: boolean },
): Candidate[] {
  const seen = new Set<string>();
  return candidates
    .filter((candidate) => {
      const key = `${candidate.address.ip} ${candidate.address.port}`;
      if (seen.has(key) || !isAllowedCandidate(candidate, isLoopback)) return false;
      seen.add(key);
      return true;
    })
    .slice(0, room);
}
