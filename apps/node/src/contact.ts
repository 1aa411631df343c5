import { networkInterfaces } from "node:os";
import { type Address, formatAddress, parseAddress } from "@starling/wire-protocol";

/**
 * `ID@IP:PORT` by which others may know this node: what it announces, else what it listens at, and where that is every address of
 * the machine, the first that is not loopback. A hint for people: nobody has tried it.
 */
export function contactOf(id: string, listen: string, announce: readonly Address[]): string {
  const [announced] = announce;
  if (announced !== undefined) return `${id}@${formatAddress(announced)}`;
  const { ip, port } = parseAddress(listen);
  if (ip !== "0.0.0.0" && ip !== "::") return `${id}@${listen}`;
  const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const external = own.find(({ family, internal }) => family === "IPv4" && !internal);
  return `${id}@${formatAddress({ ip: external?.address ?? "127.0.0.1", port })}`;
}
