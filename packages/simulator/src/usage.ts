/** What can be run, without a word of how it is done: what a wrong command line and `--help` are answered. */
export const USAGE: string = `usage: npm run sim -- SCENARIO [--nodes N] [--seed S|S-T] [--messages M] [--crypto real|stand-in] [--json]
       npm run sim -- report [SCENARIO ...] [--tune] [--nodes N] [--seed S|S-T] [--messages M] [--cells DIR] [--out DIR] [--write]
       npm run sim -- broadcast [rows|ablation|baselines|growth ...] [--tune] [--nodes N] [--row NAME] [--svg FILE] [--out DIR]
       npm run sim -- admission [queue|whole] [--hops 1|3] [--links 2|12] [--seconds S]

SCENARIO is one of
  unicast    messages between any two nodes under churn and loss
  droppers   the same where one public node in five loses what it should forward
  replay     everything sent again up to an hour later, across restarts
  eclipse    1,000 ids of one /24 against a table of 50 honest nodes
  victim     records and contacts that name somebody else's address
  partition  halves that lose each other for a minute
  speed      60 virtual seconds, to see how long they take
  chaos      every fault at once, with the invariants looked at after each step

docs/SIMULATION.md says what is real in it, and what came out.
`;
