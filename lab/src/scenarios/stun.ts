// The one answer that is larger than its question (PROTOCOL §3.5): 1.25 times, for ips with a live session only, and not often.
import { Meter } from "../net/meter.ts";
import { spoof } from "../net/spoof.ts";
import { stunBindingRequest } from "../stun.ts";
import { NETWORK, startUdpNode } from "../targets.ts";
import type { Scenario } from "../trial.ts";

const PER_SECOND = 40;
const SECONDS = 3;
const ALLOWED_PER_SECOND = 5;

export const stun: Scenario = {
  name: "stun",
  shows: "a node tells an ip with a live session its address by STUN, at most 5 times a second, and nobody else",
  deadlineS: 60,
  async run(trial) {
    const lab = await trial.lab();
    const node = await startUdpNode(await lab.host("node"));
    const site = await lab.site("router", "port", ["client"]);
    const client = await site.host("client").driver("session-client", [NETWORK]);
    const at = { ip: node.host.ip, port: node.port };
    const asked = { ...at, count: PER_SECOND * SECONDS, perSecond: PER_SECOND };

    const before = await client.ask("stun", { ...asked, count: 10 });
    trial.measure("answers without a session", Number(before.answers), { atMost: 0 });

    await client.ask("connect", { id: node.id, ...at });
    const { port } = await client.line("ready", ({ type }) => type === "ready");
    const meter = await Meter.at(node.host, site.publicIp);
    const during = await client.ask("stun", asked);
    const seconds = asked.count / PER_SECOND;
    // A bucket that was full allows its burst once.
    const atMost = ALLOWED_PER_SECOND * (seconds + 1);
    trial.measure(`answers to ${asked.count} questions in ${seconds} s`, Number(during.answers), {
      atLeast: 5,
      atMost,
    });
    const told = (during.addresses as string[]).join(" ");
    trial.check("it tells the address that the router gives", told === `${site.publicIp}:${String(port)}`, told);

    // Past the burst, and the session's own pings, which would be counted as well: one answer for one question.
    await meter.settled(1_000, 10_000);
    await meter.reset();
    await client.ask("stun", { ...at, count: 1, perSecond: 10 });
    const { inBytes, outBytes, outPackets } = await meter.settled(200, 5_000);
    trial.measure("its answer, in IP bytes", outBytes / inBytes, {
      atLeast: 1,
      atMost: 1.25,
      detail: `${outPackets} out`,
    });

    await meter.reset();
    const questions = Array.from({ length: 50 }, () => stunBindingRequest(trial.random(12)));
    const attacker = await lab.host("attacker");
    await spoof(lab, attacker, {
      source: site.publicIp,
      sourcePort: 53,
      target: node.host.ip,
      targetPort: node.port,
      payloads: questions,
      count: 400,
      perSecond: 200,
    });
    const forged = await meter.settled(500, 5_000);
    trial.measure("forged with the session's ip, in IP bytes", forged.outBytes / forged.inBytes, { atMost: 1 });
  },
};
