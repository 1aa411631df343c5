import { cpus } from "node:os";
import { Command, InvalidArgumentError } from "@commander-js/extra-typings";
import { cli } from "./cli.ts";
import { daemon, daemonKills } from "./daemon.ts";
import { dashboard } from "./dashboard.ts";
import { writeResults } from "./document.ts";
import { type Figure, isMet, median, row } from "./figure.ts";
import { firstChannel } from "./first-channel.ts";
import { bloom } from "./leaves/bloom.ts";
import { cryptoIdentity } from "./leaves/crypto-identity.ts";
import { hashcash } from "./leaves/hashcash.ts";
import { gossip } from "./peers/gossip.ts";
import { hyperdht } from "./peers/hyperdht.ts";
import { libp2pRelay } from "./peers/libp2p-relay.ts";
import { relayForward } from "./relay/forward.ts";
import { relayHeap } from "./relay/heap.ts";
import { relayKills } from "./relay/kills.ts";
import { relayOverload } from "./relay/overload.ts";
import { relayOwn } from "./relay/own.ts";
import { rtc } from "./rtc.ts";
import { udpFlood } from "./udp-flood.ts";
import { udpForward } from "./udp-forward.ts";
import { udpGarbage } from "./udp-garbage.ts";
import { wire } from "./wire.ts";

// `npm run bench [-- NAME ...]`: measures, and says what it measured on.

type Measure = (progress: (done: number, of: number) => void, how: How) => Promise<Figure[]>;
/** How long a bench that is long by nature is to be; each has a default. */
type How = { readonly messages?: number; readonly minutes?: number };

const BENCHES: Record<string, Measure> = {
  "crypto-identity": cryptoIdentity,
  cli,
  daemon,
  "daemon-kills": daemonKills,
  dashboard,
  "first-channel": firstChannel,
  hashcash,
  bloom,
  hyperdht,
  "libp2p-gossip": gossip,
  "libp2p-relay": libp2pRelay,
  "relay-forward": relayForward,
  "relay-heap": relayHeap,
  "relay-kills": relayKills,
  "relay-overload": relayOverload,
  "relay-own": relayOwn,
  rtc,
  "udp-flood": udpFlood,
  "udp-forward": udpForward,
  "udp-garbage": udpGarbage,
  wire,
};
/** Names for several. */
const GROUPS: Record<string, readonly string[]> = {
  libp2p: ["libp2p-relay", "libp2p-gossip"],
  peers: ["libp2p-relay", "libp2p-gossip", "hyperdht"],
  leaves: ["crypto-identity", "hashcash", "bloom"],
  relay: ["relay-forward", "relay-heap", "relay-kills", "relay-overload", "relay-own"],
  udp: ["udp-forward", "udp-flood", "udp-garbage"],
};

function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError("a number above 0");
  return value;
}

const known = [...Object.keys(BENCHES), ...Object.keys(GROUPS)].join(", ");
const command = new Command("npm run bench --")
  .description(`Measures the figures of docs/BENCHMARKS.md: ${known}`)
  .argument("[NAME...]", "which; all, unless told")
  .option("--json", "print JSON")
  .option("--messages <N>", "how many relay-heap forwards", positive)
  .option("--minutes <N>", "how long relay-kills goes on, or how long a page of dashboard is left alone", positive)
  .option("--write", "put the tables into docs/BENCHMARKS.md as well")
  .parse();
const { messages, minutes } = command.opts();
const how: How = { ...(messages !== undefined && { messages }), ...(minutes !== undefined && { minutes }) };
const json = command.opts().json === true;
const asked = command.args.length > 0 ? command.args : Object.keys(BENCHES);

const measures: [string, Measure][] = asked
  .flatMap((name) => GROUPS[name] ?? [name])
  .map((name) => {
    const measure = BENCHES[name];
    if (measure === undefined) {
      process.stderr.write(`bench: no figure is called ${name}; there are: ${known}\n`);
      process.exit(2);
    }
    return [name, measure];
  });

const [cpu] = cpus();
const machine = { cpu: cpu?.model ?? "unknown", cores: cpus().length, node: process.version };
const machineName = `${machine.cores} x ${machine.cpu}, Node ${machine.node}`;
const head = "| figure | target | measured |\n| --- | --- | --- |\n";
if (!json) process.stdout.write(`${machineName}\n\n${head}`);

const figures: Figure[] = [];
for (const [name, measure] of measures) {
  const measured = await measure((done, of) => process.stderr.write(`\r${name} ${done}/${of} `), how);
  process.stderr.write("\n");
  const rows = measured.map((figure) => `${row(figure)}\n`).join("");
  if (!json) process.stdout.write(rows);
  // What could not be measured here leaves the page as it was.
  const isMeasured = measured.some(({ skipped }) => skipped === undefined);
  if (command.opts().write === true && isMeasured) writeResults(name, machineName, `${head}${rows}`);
  figures.push(...measured);
}
if (json) {
  const results = figures.map((figure) => ({ ...figure, median: median(figure.samples), isMet: isMet(figure) }));
  process.stdout.write(`${JSON.stringify({ machine, figures: results })}\n`);
}
