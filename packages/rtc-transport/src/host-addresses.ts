import { networkInterfaces } from "node:os";
import { canonicalIp } from "@starling/wire-protocol";

/** Sockets of one channel, and so host candidates in a description: two a family. */
const ADDRESSES_A_FAMILY = 2;

/**
 * Addresses of this machine that a peer could reach: not loopback, not link-local, at most two a family, one an interface and
 * family. Loopback on a machine that has nothing else.
 */
export function usableAddresses(interfaces: ReturnType<typeof networkInterfaces> = networkInterfaces()): string[] {
  const found: { 4: string[]; 6: string[] } = { 4: [], 6: [] };
  for (const addresses of Object.values(interfaces)) {
    for (const family of [4, 6] as const) {
      const [first] = (addresses ?? [])
        .filter(({ address, internal }) => !internal && address.includes(":") === (family === 6))
        .map(({ address }) => canonicalIp(address))
        .filter((ip) => ip !== undefined && !ip.startsWith("169.254.") && !/^fe[89ab]/.test(ip));
      if (first !== undefined && found[family].length < ADDRESSES_A_FAMILY) found[family].push(first);
    }
  }
  const all = [...found[4], ...found[6]];
  return all.length > 0 ? all : ["127.0.0.1"];
}
