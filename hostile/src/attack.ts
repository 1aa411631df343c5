import type { NodeId, RandomSource } from "@starling/crypto-identity";
import type { Address } from "@starling/wire-protocol";
import type { Daemon } from "./daemon.ts";
import type { HonestPair } from "./honest-pair.ts";

/** A limit that an attack is held to. `goal` names it in docs/SECURITY.md, of which the figures are written by a run. */
export type Check = {
  readonly goal: string;
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  readonly limit: { readonly atMost: number } | { readonly atLeast: number };
};

export type Outcome = {
  /** What was sent that must not be taken. */
  readonly badCount: number;
  /** IP bytes that somebody got who had proved no address, over those sent in his name. */
  readonly amplification?: number;
  readonly checks: readonly Check[];
  /** What was not tried, and why. */
  readonly note?: string;
};

export type Target = { readonly id: NodeId; readonly address: Address };

/** What an attack finds: somebody to attack, and an honest pair whose messages pass there. */
export type Scene = {
  readonly network: string;
  /** A relay; with --target, whatever is there. */
  readonly target: Target;
  /** Undefined where it is not ours, and so can be neither read nor restarted. */
  readonly relay: Daemon | undefined;
  /** The node at which the honest pair's messages arrive; it is always ours. */
  readonly node: Daemon;
  /** The node that sends them; ours as well. */
  readonly sender: Daemon;
  readonly pair: HonestPair;
  readonly seconds: number;
  readonly random: RandomSource;
};

export type Attack = {
  readonly name: string;
  /** What the attacker does, in a line. */
  readonly does: string;
  /** Whose processor time and memory are watched. "none": the shipped code in this process, in virtual time. */
  readonly on: "target" | "node" | "none";
  /** Least share of the honest pair's messages that has to arrive meanwhile; 0.9 unless told. */
  readonly deliveryAtLeast?: number;
  /** Most that the attacked process may grow by, in MB; 32 unless told. */
  readonly growthAtMostMb?: number;
  readonly run: (scene: Scene) => Promise<Outcome>;
};

export function atMost(goal: string, what: string, value: number, limit: number, unit = ""): Check {
  return { goal, what, value, unit, limit: { atMost: limit } };
}

export function atLeast(goal: string, what: string, value: number, limit: number, unit = ""): Check {
  return { goal, what, value, unit, limit: { atLeast: limit } };
}

/** A figure that could not be measured breaks its limit. */
export function isKept({ value, limit }: Check): boolean {
  return "atMost" in limit ? value <= limit.atMost : value >= limit.atLeast;
}
