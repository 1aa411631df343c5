// Routers that say by ICMP what they do not let in. A hole is punched by datagrams that come too early for the other side's router: to a
// program that took such an answer for the end of a path there would be none.
import { until } from "../deadline.ts";
import { inside } from "../net/command.ts";
import type { Scenario } from "../trial.ts";
import { tryPair } from "./pairs.ts";

const STEP_MS = 5_000;
const PAIRS = [
  ["addr", "addr"],
  ["addr", "port"],
  ["port", "port"],
] as const;

/** How often a namespace was told that something cannot be reached. */
async function refusals(namespace: string): Promise<number> {
  const lines = (await inside(namespace, "cat", ["/proc/net/snmp"]))
    .split("\n")
    .filter((line) => line.startsWith("Icmp:"));
  const [names = [], counts = []] = lines.map((line) => line.split(" "));
  return Number(counts[names.indexOf("InDestUnreachs")]);
}

export const refusingRouters: Scenario = {
  name: "refusing-routers",
  shows:
    "two nodes behind routers that answer by ICMP what they do not let in: a channel as behind those that are silent",
  deadlineS: 300,
  async run(trial) {
    const lab = await trial.lab();
    const host = await lab.host("host");
    for (const refuses of [false, true]) {
      const name = refuses ? "refusing" : "silent";
      const site = await lab.site(name, "port", [`behind-${name}`], { refuses });
      await inside(host.namespace, "bash", ["-c", `echo > /dev/udp/${site.publicIp}/5000`]);
    }
    const isTold = (count: number) => count > 0;
    await until(STEP_MS, "an answer of the refusing router", () => refusals(host.namespace), isTold);
    trial.check("of two routers one refuses", (await refusals(host.namespace)) === 1);
    for (const pair of PAIRS) await tryPair(trial, pair, pair.join("-"), { refuses: true });
  },
};
