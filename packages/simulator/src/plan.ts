// The plan: what is measured, how often, and what must come out. Written before the first run, and changed only with a line in
// docs/SIMULATION.md that says so. Parameters are tuned on TUNE_SEEDS; what is reported is REPORT_SEEDS.

export const TUNE_SEEDS: readonly number[] = [11, 12, 13];
const REPORT_SEEDS: readonly number[] = [1, 2, 3];

/** Model of every figure: half of the nodes have a public address, half stand behind a NAT, a quarter of those each kind. */
export const MODEL = {
  natShare: 0.5,
  loss: 0.05,
  duplication: 0.01,
  /** Neighbours that a machine takes, bootstrap relays as well: with more, those would be hubs that all others are linked to. */
  maxNeighbours: 64,
  /** One relay for so many nodes, at least 4, is a configured bootstrap; each node is configured with 3 of them. */
  nodesPerRelay: 125,
  joinMs: 20_000,
  warmUpMs: 60_000,
} as const;

export type Target = {
  readonly figure: string;
  readonly atMost?: number;
  readonly atLeast?: number;
};

export type Row = {
  readonly name: string;
  readonly scenario: string;
  readonly nodes: number;
  readonly seeds: readonly number[];
  /** How many seeds one process runs; default 1. */
  readonly seedsPerCell?: number;
  /** A seed. */
  readonly messages: number;
  readonly targets: (nodes: number) => readonly Target[];
};

const log2 = Math.log2;

function unicastTargets(nodes: number): Target[] {
  return [
    { figure: "transmissionsMean", atMost: log2(nodes) },
    { figure: "transmissionsP99", atMost: 2 * log2(nodes) + 4 },
    { figure: "broadcasts", atMost: 0 },
    { figure: "delivered", atLeast: 0.9999 },
  ];
}

export const ROWS: readonly Row[] = [
  {
    name: "unicast with its ack, churn 10 %/min, 5 % loss",
    scenario: "unicast",
    nodes: 1000,
    seeds: REPORT_SEEDS,
    messages: 10_000,
    targets: unicastTargets,
  },
  {
    name: "the same with 10,000 nodes",
    scenario: "unicast",
    nodes: 10_000,
    seeds: [1],
    messages: 10_000,
    targets: unicastTargets,
  },
  {
    name: "20 % of the public nodes drop what they should forward, and acknowledge it",
    scenario: "droppers",
    nodes: 1000,
    seeds: REPORT_SEEDS,
    messages: 10_000,
    targets: () => [
      { figure: "deliveredIn8s", atLeast: 0.999 },
      { figure: "firstAttempt", atLeast: 0.93 },
      { figure: "broadcasts", atMost: 0 },
    ],
  },
  {
    name: "everything sent again, 1 s to 1 h later, across rotations and restarts",
    scenario: "replay",
    nodes: 1000,
    seeds: REPORT_SEEDS,
    messages: 10_000,
    targets: () => [{ figure: "deliveredAgain", atMost: 0 }],
  },
  {
    name: "1,000 ids of one /24 against a table with 50 honest nodes",
    scenario: "eclipse",
    nodes: 50,
    seeds: REPORT_SEEDS,
    messages: 0,
    targets: () => [{ figure: "attackerShareMax", atMost: 0.25 }],
  },
  {
    name: "records and contacts that name a victim, loopback or multicast",
    scenario: "victim",
    nodes: 100,
    seeds: REPORT_SEEDS,
    messages: 0,
    targets: () => [
      // The most from any one honest machine in ten minutes: each machine that is told keeps to its own limit (PROTOCOL §6).
      { figure: "datagramsToVictim", atMost: 3 },
      // Hearsay is tried: a count of nothing would mean that nobody counted.
      { figure: "datagramsToVictimFromAll", atLeast: 1 },
      { figure: "datagramsToForbidden", atMost: 0 },
    ],
  },
  {
    name: "halves parted for 60 s: pairs across that reach each other within 30 s of healing",
    scenario: "partition",
    nodes: 1000,
    seeds: REPORT_SEEDS,
    messages: 10_000,
    targets: () => [{ figure: "reachableIn30s", atLeast: 0.95 }],
  },
  {
    name: "10,000 nodes for 60 virtual seconds",
    scenario: "speed",
    nodes: 10_000,
    seeds: [1],
    messages: 0,
    targets: () => [
      { figure: "wallMinutes", atMost: 15 },
      { figure: "peakGiB", atMost: 12 },
    ],
  },
  {
    name: "1,000 seeds of chaos with 20 nodes",
    scenario: "chaos",
    nodes: 20,
    seeds: Array.from({ length: 1000 }, (_, i) => i + 1),
    seedsPerCell: 50,
    messages: 40,
    targets: () => [
      { figure: "violations", atMost: 0 },
      { figure: "wallMinutes", atMost: 15 },
    ],
  },
];
