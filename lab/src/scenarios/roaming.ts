// A router forgets its mappings in the middle of a transfer, and another forgets those that are idle for half a minute.
import { pass, quietly } from "../deadline.ts";
import { sendFlow } from "../flow.ts";
import type { HostProcess } from "../net/host-process.ts";
import { NETWORK, startUdpNode, type Target } from "../targets.ts";
import type { Scenario, Trial } from "../trial.ts";

const COUNT = 1_000;
const PER_SECOND = 200;
const REBOOT_AFTER_MS = 2_000;
// Above the 10 s between two pings of a link: a router with less would need another interval.
const SHORT = { timeoutS: 12, idleS: 30 };
const LONG = { timeoutS: 30, idleS: 600 };

function eventsOf(process: HostProcess, type: string): number {
  return process.lines.filter((line) => line.type === type).length;
}

async function reboot(trial: Trial, inside: HostProcess, outside: Target, forget: () => Promise<void>): Promise<void> {
  const { id } = await inside.line("ready", ({ type }) => type === "ready");
  const options = { count: COUNT, perSecond: PER_SECOND };
  const flows = [
    sendFlow(inside, outside, options),
    sendFlow(outside.process, { id: String(id), process: inside }, options),
  ] as const;
  for (const flow of flows) quietly(flow);
  await pass(REBOOT_AFTER_MS);
  await forget();
  const [outwards, inwards] = await Promise.all(flows);
  for (const [name, flow] of [
    ["outwards", outwards],
    ["inwards", inwards],
  ] as const) {
    trial.measure(`reboot, ${name}: arrived`, flow.unique, { atLeast: COUNT, atMost: COUNT, unit: `of ${COUNT}` });
    trial.measure(`reboot, ${name}: arrived twice`, flow.repeated, { atMost: 0 });
    trial.measure(`reboot, ${name}: longest pause`, flow.longestGapMs / 1_000, { atMost: 10, unit: "s" });
  }
  trial.measure("the peer's address moved", eventsOf(outside.process, "moved"), { atLeast: 1, unit: "times" });
}

export const roaming: Scenario = {
  name: "roaming",
  shows:
    "a session outlives its router's reboot in mid-transfer with nothing lost, and stays alive idle behind a short mapping",
  deadlineS: 90,
  longDeadlineS: 900,
  async run(trial) {
    const lab = await trial.lab();
    const { timeoutS, idleS } = trial.isLong ? LONG : SHORT;
    const outside = await startUdpNode(await lab.host("outside"));
    const at = { id: outside.id, ip: outside.host.ip, port: outside.port };
    // Each flow gets a new port from a router of this kind, so that nothing is as it was after a reboot.
    const movingSite = await lab.site("moving", "sym", ["mover"]);
    const idleSite = await lab.site("idling", "port", ["idler"], { timeoutS });
    const mover = await movingSite.host("mover").driver("udp-node", [NETWORK]);
    const idler = await idleSite.host("idler").driver("udp-node", [NETWORK]);
    await idler.ask("connect", at);
    const idle = pass(idleS * 1_000);
    await mover.ask("connect", at);
    await reboot(trial, mover, outside, () => movingSite.reboot());
    await idle;
    const { id } = await idler.line("ready", ({ type }) => type === "ready");
    const flow = await sendFlow(outside.process, { id: String(id), process: idler }, { count: 1 });
    const name = `idle for ${idleS} s behind a mapping of ${timeoutS} s`;
    trial.measure(`${name}: a message inwards takes`, flow.latenciesMs[0] ?? Number.NaN, { atMost: 1_000, unit: "ms" });
    for (const process of [mover, idler]) {
      trial.measure(`${process.name}: sessions opened`, eventsOf(process, "opened"), { atMost: 1 });
      trial.measure(`${process.name}: sessions closed`, eventsOf(process, "closed"), { atMost: 0 });
    }
    trial.measure("outside: sessions opened, for two peers", eventsOf(outside.process, "opened"), { atMost: 2 });
    trial.measure("outside: sessions closed", eventsOf(outside.process, "closed"), { atMost: 0 });
  },
};
