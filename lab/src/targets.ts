// The programs under attack, behind one face.
import { type NodeId, parseNodeId } from "@starling/crypto-identity";
import type { Host } from "./net/host.ts";
import type { HostProcess } from "./net/host-process.ts";

export const NETWORK = "lab";
const PORT = 4_100;

export type Target = {
  readonly name: string;
  readonly host: Host;
  readonly port: number;
  readonly id: NodeId;
  readonly process: HostProcess;
};

/** A node that is udp-transport and nothing more. */
export async function startUdpNode(host: Host): Promise<Target> {
  const process = await host.driver("udp-node", [NETWORK, String(PORT)]);
  const { id } = await process.line("ready", ({ type }) => type === "ready");
  return { name: "udp-transport", host, port: PORT, id: parseNodeId(String(id)), process };
}

export async function startRelay(host: Host): Promise<Target> {
  const listen = ["--listen", `${host.ip}:${PORT}`, "--network", NETWORK];
  const { process, id } = await host.daemon("relay", listen);
  return { name: "relay", host, port: PORT, id: parseNodeId(String(id)), process };
}

/** Whether it runs and lets an honest newcomer in; how long that took. */
export async function connectNewcomer(newcomer: HostProcess, target: Target): Promise<number> {
  if (target.process.isDead) throw new Error(`${target.name} has ended: ${target.process.lastWords()}`);
  const { ms } = await newcomer.ask("visit", { id: target.id, ip: target.host.ip, port: target.port });
  return Number(ms);
}
