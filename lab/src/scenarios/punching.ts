// Hole punching with plain UDP through every pair of routers, against theory: what cannot work here cannot work for Starling either.
import type { NatType } from "../net/nat.ts";
import type { Scenario } from "../trial.ts";
import { startProber, startRendezvous } from "./nat-types.ts";

export const NAT_TYPES: readonly NatType[] = ["none", "full", "addr", "port", "sym"];
const FOR_MS = 2_500;
const FIRST_PORT = 20_000;

/** Two that filter by port, one of which has a new port for each peer, cannot tell where to send. */
export function isDirectInTheory(a: NatType, b: NatType): boolean {
  const pair = [a, b];
  return !(pair.includes("sym") && pair.every((type) => type === "sym" || type === "port"));
}

export const punching: Scenario = {
  name: "punching",
  shows: "plain UDP hole punching through the 15 pairs of routers: direct where theory says so, by relay elsewhere",
  deadlineS: 90,
  async run(trial) {
    const lab = await trial.lab();
    const servers = await startRendezvous(lab);
    const siteA = await lab.site("router-a", "none", ["a"]);
    const siteB = await lab.site("router-b", "none", ["b"]);
    const a = await startProber(siteA.host("a"), servers);
    const b = await startProber(siteB.host("b"), servers);
    let port = FIRST_PORT;
    for (const [i, typeA] of NAT_TYPES.entries()) {
      await siteA.setNat(typeA);
      for (const typeB of NAT_TYPES.slice(i)) {
        await siteB.setNat(typeB);
        port += 1;
        const names = [`a${port}`, `b${port}`] as const;
        const [fromA, fromB] = await Promise.all([
          a.ask("punch", { me: names[0], other: names[1], port, forMs: FOR_MS }),
          b.ask("punch", { me: names[1], other: names[0], port, forMs: FOR_MS }),
        ]);
        const isDirect = fromA.isDirect === true && fromB.isDirect === true;
        const isRelayed = !isDirect && fromA.isPassed === true && fromB.isPassed === true;
        const way = isDirect ? `direct in ${String(fromA.ms)} ms` : isRelayed ? "by relay" : "not at all";
        trial.check(`${typeA}-${typeB}`, isDirectInTheory(typeA, typeB) ? isDirect : isRelayed, way);
      }
    }
  },
};
