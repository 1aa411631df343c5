import { inside, ip, sysctl, tryCommand } from "./command.ts";
import type { Host } from "./host.ts";
import { type NatOptions, type NatType, natRules } from "./nat.ts";

/** A router and the hosts behind it. */
export class Site {
  readonly namespace: string;
  /** The router's address towards the public net. */
  readonly publicIp: string;
  readonly #index: number;
  readonly #hosts: ReadonlyMap<string, Host>;
  #type: NatType | undefined;

  /** For Lab.site. Interfaces and routes towards the public net are there already, and `lan` is a bridge without address. */
  constructor(namespace: string, index: number, publicIp: string, hosts: readonly Host[]) {
    this.namespace = namespace;
    this.publicIp = publicIp;
    this.#index = index;
    this.#hosts = new Map(hosts.map((host) => [host.name, host]));
  }

  host(name: string): Host {
    const host = this.#hosts.get(name);
    if (host === undefined) throw new Error(`no host ${name} behind this router`);
    return host;
  }

  /** Makes the router one of this kind, in place, forgetting every mapping. */
  async setNat(type: NatType, options: Partial<NatOptions> = {}): Promise<void> {
    const { timeoutS = 120, refuses = false } = options;
    if (this.#isPublic(type) !== this.#isPublic(this.#type) || this.#type === undefined) await this.#renumber(type);
    this.#type = type;
    await inside(this.namespace, "nft", ["-f", "-"], `flush ruleset\n${natRules(type, { timeoutS, refuses })}`);
    // The second is for flows that have seen both directions; one value for both makes the life of a mapping one figure.
    await sysctl(this.namespace, {
      "netfilter/nf_conntrack_udp_timeout": timeoutS,
      "netfilter/nf_conntrack_udp_timeout_stream": timeoutS,
      // Every one is told: Linux would say so once a second.
      "ipv4/icmp_ratelimit": refuses ? 0 : 1000,
    });
    await this.#forgetFlows();
  }

  /** What switching it off and on does: every mapping is gone. */
  async reboot(): Promise<void> {
    const rules = await inside(this.namespace, "nft", ["list", "maps"]);
    if (rules.includes("map inner"))
      await inside(this.namespace, "nft", ["flush", "map", "ip", "translation", "inner"]);
    await this.#forgetFlows();
  }

  async #forgetFlows(): Promise<void> {
    // Exits 1 when there was nothing to forget.
    const done = await tryCommand("ip", ["netns", "exec", this.namespace, "conntrack", "-F"]);
    if (done.code !== 0 && !/flow entries|No such/i.test(done.stderr + done.stdout)) {
      throw new Error(`conntrack: ${done.stderr}`);
    }
  }

  #isPublic(type: NatType | undefined): boolean {
    return type === "none";
  }

  /** Behind a router that translates hosts have private addresses, behind one that does not public ones. */
  async #renumber(type: NatType): Promise<void> {
    const net = this.#isPublic(type) ? `70.0.${this.#index}` : `10.${this.#index}.0`;
    await ip(this.namespace, ["address flush dev lan", `address add ${net}.1/24 dev lan`]);
    let number = 10;
    for (const host of this.#hosts.values()) {
      host.ip = `${net}.${number}`;
      await ip(host.namespace, [
        "address flush dev eth0",
        `address add ${host.ip}/24 dev eth0`,
        `route replace default via ${net}.1`,
      ]);
      number += 1;
    }
  }
}
