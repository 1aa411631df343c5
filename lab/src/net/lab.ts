// The laboratory's topology. One namespace is the public net, a router that translates and filters nothing and keeps no state; each
// host and each site hangs on it by a cable of its own, in a /24 of its own, with addresses that look like anybody's:
//
//   host k     50.0.k.10      site k     60.0.k.2, behind it 10.k.0.10 and up, or 70.0.k.10 and up when it does not translate
//
// They exist inside the namespaces only: nothing here touches the machine's own network.
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ip, sysctl, tryCommand } from "./command.ts";
import { Host } from "./host.ts";
import { HostProcess } from "./host-process.ts";
import { nameOfRun, removeNamespaces } from "./namespaces.ts";
import type { NatOptions, NatType } from "./nat.ts";
import { Site } from "./site.ts";
import { Wire, type WireSettings, wireArguments } from "./wire.ts";

export class Lab {
  readonly #prefix: string;
  readonly #programs: string;
  readonly #inet: string;
  readonly #processes: HostProcess[] = [];
  #folder: string | undefined;
  #count = 0;
  #isClosed = false;

  private constructor(prefix: string, programs: string) {
    this.#prefix = prefix;
    this.#programs = programs;
    this.#inet = this.namespace("inet");
  }

  /** An empty public net. `programs` is the folder of the compiled wire and spoof. */
  static async open(programs: string): Promise<Lab> {
    const lab = new Lab(nameOfRun(), programs);
    await lab.#addNamespace("inet");
    await sysctl(lab.#inet, { "ipv4/ip_forward": 1 });
    return lab;
  }

  namespace(name: string): string {
    return `${this.#prefix}${name}`;
  }

  program(name: "wire" | "spoof"): string {
    return join(this.#programs, name);
  }

  /** Sees to it that the process ends with the laboratory. */
  track(process: HostProcess): HostProcess {
    this.#processes.push(process);
    if (this.#isClosed) void process.stop();
    return process;
  }

  /** A folder that is removed with the laboratory. */
  async makeFolder(name: string): Promise<string> {
    this.#folder ??= await mkdtemp(join(tmpdir(), "starling-lab-"));
    const path = join(this.#folder, name);
    await mkdir(path, { recursive: true, mode: 0o700 });
    return path;
  }

  /** A host in the public net. */
  async host(name: string): Promise<Host> {
    const index = this.#nextIndex();
    const host = new Host(this, name, `50.0.${index}.10`);
    await this.#addNamespace(name);
    await this.#plug(host.namespace, "eth0", index, `50.0.${index}`, 10);
    return host;
  }

  /** A host in the public net behind an impairing wire. */
  async wiredHost(name: string, settings: WireSettings): Promise<{ host: Host; wire: Wire }> {
    const index = this.#nextIndex();
    const host = new Host(this, name, `50.0.${index}.10`);
    await this.#addNamespace(name);
    const wire = await this.#plugByWire(host.namespace, "eth0", index, `50.0.${index}`, 10, settings);
    return { host, wire };
  }

  /** A router of this kind and hosts behind it. */
  async site(
    name: string,
    type: NatType,
    hostNames: readonly string[],
    options: Partial<NatOptions> = {},
  ): Promise<Site> {
    const index = this.#nextIndex();
    const router = this.namespace(name);
    await this.#addNamespace(name);
    await sysctl(router, { "ipv4/ip_forward": 1 });
    await this.#plug(router, "wan", index, `60.0.${index}`, 2);
    await ip(this.#inet, [`route add 70.0.${index}.0/24 via 60.0.${index}.2`]);
    await ip(router, ["link add lan type bridge", "link set lan up"]);
    const hosts: Host[] = [];
    for (const [at, hostName] of hostNames.entries()) {
      const host = new Host(this, hostName, "");
      await this.#addNamespace(hostName);
      await ip(undefined, [`link add eth0 netns ${host.namespace} type veth peer name h${at} netns ${router}`]);
      await ip(host.namespace, ["link set eth0 up"]);
      await ip(router, [`link set h${at} master lan up`]);
      hosts.push(host);
    }
    const site = new Site(router, index, `60.0.${index}.2`, hosts);
    await site.setNat(type, options);
    return site;
  }

  /** Ends every process and removes every namespace. May be called at any time, and again. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all(this.#processes.splice(0).map((process) => process.stop()));
    await removeNamespaces(this.#prefix);
    if (this.#folder !== undefined) await rm(this.#folder, { recursive: true, force: true });
  }

  #nextIndex(): number {
    this.#count += 1;
    return this.#count;
  }

  async #addNamespace(name: string): Promise<void> {
    if (this.#isClosed) throw new Error("the laboratory is closed");
    const namespace = this.namespace(name);
    await ip(undefined, [`netns add ${namespace}`]);
    // Forged sources have to arrive: the defence that is tested is the node's own, not the kernel's.
    await sysctl(namespace, { "ipv4/conf/all/rp_filter": 0, "ipv4/conf/default/rp_filter": 0 });
    await ip(namespace, ["link set lo up"]);
  }

  /** A cable from a namespace to the public net, whose end there has number 1. */
  async #plug(namespace: string, name: string, index: number, net: string, number: number): Promise<void> {
    await ip(undefined, [`link add ${name} netns ${namespace} type veth peer name u${index} netns ${this.#inet}`]);
    await this.#number(namespace, name, index, net, number);
  }

  async #plugByWire(
    namespace: string,
    name: string,
    index: number,
    net: string,
    number: number,
    settings: WireSettings,
  ): Promise<Wire> {
    const between = `wire${index}`;
    const wireNamespace = this.namespace(between);
    await this.#addNamespace(between);
    await ip(undefined, [
      `link add ${name} netns ${namespace} type veth peer name w0 netns ${wireNamespace}`,
      `link add u${index} netns ${this.#inet} type veth peer name w1 netns ${wireNamespace}`,
    ]);
    await ip(wireNamespace, ["link set w0 up", "link set w1 up"]);
    for (const [where, end] of [
      [namespace, name],
      [this.#inet, `u${index}`],
    ] as const) {
      const off = ["tx", "off", "tso", "off", "gso", "off", "gro", "off"];
      const done = await tryCommand("ip", ["netns", "exec", where, "ethtool", "-K", end, ...off]);
      if (done.code !== 0) throw new Error(`ethtool: ${done.stderr}`);
    }
    await this.#number(namespace, name, index, net, number);
    const args = ["w0", "w1", ...wireArguments(settings)];
    const process = this.track(new HostProcess(wireNamespace, this.program("wire"), args, `wire of ${namespace}`));
    await process.line("ready", (line) => line.type === "wire", 5_000);
    return new Wire(process);
  }

  async #number(namespace: string, name: string, index: number, net: string, number: number): Promise<void> {
    await ip(this.#inet, [`link set u${index} up`, `address add ${net}.1/24 dev u${index}`]);
    await ip(namespace, [
      `link set ${name} up`,
      `address add ${net}.${number}/24 dev ${name}`,
      `route add default via ${net}.1`,
    ]);
  }
}
