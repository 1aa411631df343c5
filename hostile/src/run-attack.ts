import { pass } from "@starling/lab/deadline";
import { type Attack, atLeast, atMost, type Check, isKept, type Scene } from "./attack.ts";
import type { Daemon } from "./daemon.ts";
import type { Talk } from "./honest-pair.ts";

export type Result = {
  readonly attack: string;
  readonly does: string;
  readonly seconds: number;
  readonly badCount: number;
  readonly amplification: number | undefined;
  /** Of the attacked process, above what it takes unattacked; undefined where it is not ours. */
  readonly cpuPerBadUs: number | undefined;
  readonly growthMb: number | undefined;
  /** Undefined where nothing was attacked that the pair needs. */
  readonly unattacked: Talk | undefined;
  readonly attacked: Talk | undefined;
  readonly checks: readonly (Check & { readonly isKept: boolean })[];
  readonly isKept: boolean;
  readonly note: string | undefined;
};

const UNATTACKED_MS = 1_200;
const DELIVERY_AT_LEAST = 0.9;
const GROWTH_AT_MOST_MB = 32;

/** The pair talks alone, then beside the attack; what the attack found and what everybody must keep are judged together. */
export async function runAttack(attack: Attack, scene: Scene): Promise<Result> {
  const process = attack.on === "target" ? scene.relay : attack.on === "node" ? scene.node : undefined;
  const startedMs = performance.now();
  const isBeside = attack.on !== "none";
  const idle = meter(process);
  const unattacked = isBeside ? await scene.pair.talk(pass(UNATTACKED_MS)) : undefined;
  const idleCost = idle();
  const busy = meter(process);
  const acting = attack.run(scene);
  const attacked = isBeside ? await scene.pair.talk(acting) : undefined;
  const outcome = await acting;
  const busyCost = busy();
  const { badCount } = outcome;
  const extraCpuMs = busyCost && idleCost && busyCost.cpuMs - (idleCost.cpuMs * busyCost.ms) / idleCost.ms;
  const growthMb = busyCost?.grownMb;
  const checks = [...outcome.checks, ...everybodys(attack, scene, attacked, growthMb)].map((check) => ({
    ...check,
    isKept: isKept(check),
  }));
  return {
    attack: attack.name,
    does: attack.does,
    seconds: (performance.now() - startedMs) / 1000,
    badCount,
    amplification: outcome.amplification,
    cpuPerBadUs: extraCpuMs === undefined ? undefined : (Math.max(0, extraCpuMs) * 1000) / badCount,
    growthMb,
    unattacked,
    attacked,
    checks,
    isKept: checks.every((check) => check.isKept),
    note: outcome.note,
  };
}

/** What holds whatever the attack. */
function everybodys(attack: Attack, scene: Scene, talk: Talk | undefined, growthMb: number | undefined): Check[] {
  const { deliveryAtLeast = DELIVERY_AT_LEAST, growthAtMostMb = GROWTH_AT_MOST_MB } = attack;
  const dead = [scene.relay, scene.node, scene.sender].filter((daemon) => daemon?.hasDied === true).length;
  const checks = [atMost("alive", "programs that ended", dead, 0)];
  if (talk !== undefined) {
    checks.push(
      atLeast("honest", "share of the pair's messages that arrived", talk.delivered / talk.sent, deliveryAtLeast),
      atMost("honest", "of them more than once", talk.doubled, 0),
    );
  }
  if (growthMb !== undefined) checks.push(atMost("memory", "growth of the process", growthMb, growthAtMostMb, "MB"));
  return checks;
}

type Cost = { readonly ms: number; readonly cpuMs: number; readonly grownMb: number };

/** NaN, which keeps no limit, where the process is ours and the system does not tell. */
function meter(process: Daemon | undefined): () => Cost | undefined {
  if (process === undefined) return () => undefined;
  const before = { ms: performance.now(), cpuMs: process.cpuMs(), mb: process.residentMb() };
  return () => ({
    ms: performance.now() - before.ms,
    cpuMs: process.cpuMs() - before.cpuMs,
    grownMb: process.residentMb() - before.mb,
  });
}
