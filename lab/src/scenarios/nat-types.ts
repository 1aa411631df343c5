// The routers, held against RFC 4787's words by a check of mapping and filtering as RFC 5780 describes it.
import { quietly } from "../deadline.ts";
import { ip } from "../net/command.ts";
import type { Host } from "../net/host.ts";
import type { HostProcess } from "../net/host-process.ts";
import type { Lab } from "../net/lab.ts";
import type { NatType } from "../net/nat.ts";
import type { Scenario } from "../trial.ts";

const THEORY: readonly (readonly [NatType, string, string])[] = [
  ["none", "independent", "independent"],
  ["full", "independent", "independent"],
  ["addr", "independent", "address"],
  ["port", "independent", "address-port"],
  ["sym", "address-port", "address-port"],
  ["udpblock", "blocked", "blocked"],
];
const SHORT_MAPPING_S = 2;

/** A host with two addresses and the servers on it; what to hand to probers. */
export async function startRendezvous(lab: Lab): Promise<readonly [string, string]> {
  const server = await lab.host("server");
  const second = server.ip.replace(/10$/, "11");
  await ip(server.namespace, [`address add ${second}/24 dev eth0`]);
  await server.driver("rendezvous", [server.ip, second]);
  return [server.ip, second];
}

export function startProber(host: Host, servers: readonly [string, string]): Promise<HostProcess> {
  return host.driver("prober", servers);
}

export const natTypes: Scenario = {
  name: "nat-types",
  shows: "each kind of router maps and filters as RFC 4787 says, and forgets a mapping in time and when it is rebooted",
  deadlineS: 60,
  async run(trial) {
    const lab = await trial.lab();
    const servers = await startRendezvous(lab);
    const site = await lab.site("router", "none", ["host"]);
    const host = site.host("host");
    const prober = await startProber(host, servers);
    for (const [type, mapping, filtering] of THEORY) {
      await site.setNat(type);
      const found = await prober.ask("classify");
      const words = `mapping ${String(found.mapping)}, filtering ${String(found.filtering)}`;
      trial.check(`${type} is ${type}`, found.mapping === mapping && found.filtering === filtering, words);
      const seenIp = String(found.seen).split(":")[0];
      if (type !== "udpblock") {
        trial.check(
          `${type} is seen at the right address`,
          seenIp === (type === "none" ? host.ip : site.publicIp),
          seenIp,
        );
      }
    }
    await site.setNat("port", { timeoutS: SHORT_MAPPING_S });
    const within = await prober.ask("outlives", { silenceMs: SHORT_MAPPING_S * 500 });
    const beyond = await prober.ask("outlives", { silenceMs: SHORT_MAPPING_S * 1_000 + 1_500 });
    trial.check(`a mapping of ${SHORT_MAPPING_S} s is there after ${SHORT_MAPPING_S / 2} s`, within.isAlive === true);
    trial.check(`and gone after ${SHORT_MAPPING_S + 1.5} s`, beyond.isAlive === false);
    await site.setNat("port");
    const asked = prober.ask("outlives", { silenceMs: 600 });
    quietly(asked);
    await site.reboot();
    trial.check("a reboot forgets mappings", (await asked).isAlive === false);
  },
};
