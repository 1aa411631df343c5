// What a host received in the name of another, and what it sent there, in IP bytes, whatever the protocol: counted by the kernel of
// the host itself, so that nothing on the way can hide an answer.
import { until } from "../deadline.ts";
import type { Host } from "./host.ts";

export type Traffic = {
  readonly inPackets: number;
  readonly inBytes: number;
  readonly outPackets: number;
  readonly outBytes: number;
};

export class Meter {
  readonly #host: Host;

  private constructor(host: Host) {
    this.#host = host;
  }

  /** Counts at `host` what comes by UDP with source `ip` and what goes to `ip` by any protocol. One for each host. */
  static async at(host: Host, ip: string): Promise<Meter> {
    const rules = `
table ip metering {
  counter received { }
  counter answered { }
  chain arriving { type filter hook prerouting priority -400; ip saddr ${ip} meta l4proto udp counter name received; }
  chain leaving { type filter hook output priority 400; ip daddr ${ip} counter name answered; }
}
`;
    await host.run("nft", ["-f", "-"], `table ip metering\ndelete table ip metering\n${rules}`);
    return new Meter(host);
  }

  async read(): Promise<Traffic> {
    const listed = JSON.parse(await this.#host.run("nft", ["-j", "list", "counters"])) as {
      nftables: { counter?: { name: string; packets: number; bytes: number } }[];
    };
    const named = (name: string) => listed.nftables.find(({ counter }) => counter?.name === name)?.counter;
    const [received, answered] = [named("received"), named("answered")];
    return {
      inPackets: received?.packets ?? 0,
      inBytes: received?.bytes ?? 0,
      outPackets: answered?.packets ?? 0,
      outBytes: answered?.bytes ?? 0,
    };
  }

  async reset(): Promise<void> {
    await this.#host.run("nft", ["reset", "counters"]);
  }

  /** The traffic once nothing was added to it for a while. */
  async settled(quietMs: number, timeoutMs: number): Promise<Traffic> {
    let last = await this.read();
    let sinceMs = performance.now();
    await until(
      timeoutMs,
      "an end of the answers",
      async () => {
        const next = await this.read();
        if (next.inPackets !== last.inPackets || next.outPackets !== last.outPackets) sinceMs = performance.now();
        last = next;
        return performance.now() - sinceMs;
      },
      (quiet) => quiet >= quietMs,
    );
    return last;
  }
}
