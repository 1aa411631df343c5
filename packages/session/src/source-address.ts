import type { Address } from "@starling/wire-protocol";

export function isSameAddress(a: Address, b: Address): boolean {
  return a.port === b.port && a.ip === b.ip;
}

/**
 * Whether an address can be one peer's: not port 0, unspecified, multicast or broadcast (PROTOCOL §3.3). A sender can forge
 * any of them, and an answer to one would reach nobody or everybody.
 */
export function isUnicastAddress(address: Address): boolean {
  if (address.port < 1 || address.port > 65_535) return false;
  if (address.ip.includes(":")) return address.ip !== "::" && !/^ff[0-9a-f]{2}:/.test(address.ip);
  const first = Number.parseInt(address.ip, 10);
  // 0/8 is "this network" (RFC 1122 §3.2.1.3), 224/4 multicast, and 240/4 is never a host, the broadcast address least.
  return first > 0 && first < 224;
}

/** Whether an address is this machine's own: 127.0.0.0/8 or ::1. */
export function isLoopbackAddress(address: Address): boolean {
  return address.ip.startsWith("127.") || address.ip === "::1";
}

/** The eight groups of an IPv6 literal in its canonical text. */
export function ipv6Groups(ip: string): string[] {
  const [head = "", tail] = ip.split("::");
  const groups = head === "" ? [] : head.split(":");
  const behind = tail === undefined || tail === "" ? [] : tail.split(":");
  while (groups.length + behind.length < 8) groups.push("0");
  return [...groups, ...behind];
}

/** The names under which Hellos of an address are counted: its host (IPv4: itself, IPv6: its /64) and its block (/24, /48). */
export function addressBlocks(ip: string): { readonly host: string; readonly block: string } {
  if (!ip.includes(":")) return { host: ip, block: `${ip.slice(0, ip.lastIndexOf("."))}.0/24` };
  const groups = ipv6Groups(ip);
  return { host: `${groups.slice(0, 4).join(":")}/64`, block: `${groups.slice(0, 3).join(":")}/48` };
}
