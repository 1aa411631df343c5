import { cli } from "./cli.ts";
import { daemon, daemonKills } from "./daemon.ts";
import { dashboard } from "./dashboard.ts";
import type { Figure } from "./figure.ts";
import { firstChannel } from "./first-channel.ts";
import type { Growth } from "./growth.ts";
import { bloom } from "./leaves/bloom.ts";
import { cryptoIdentity } from "./leaves/crypto-identity.ts";
import { hashcash } from "./leaves/hashcash.ts";
import { gossip } from "./peers/gossip.ts";
import { gossipGrowth } from "./peers/gossip-growth.ts";
import { hyperdht } from "./peers/hyperdht.ts";
import { hyperdhtGrowth } from "./peers/hyperdht-growth.ts";
import { libp2pRelay } from "./peers/libp2p-relay.ts";
import { relayGrowth } from "./peers/relay-growth.ts";
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

// What can be measured, by the names of docs/BENCHMARKS.md.

type Progress = (done: number, of: number) => void;
export type Measure = (progress: Progress, how: How) => Promise<Figure[]>;
/** How long a bench that is long by nature is to be; each has a default. */
export type How = { readonly messages?: number; readonly minutes?: number };

export const BENCHES: Record<string, Measure> = {
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
/** What is measured after the bench of the same name: how its figures grow. */
export const GROWTHS: Record<string, (progress: Progress) => Promise<Growth[]>> = {
  hyperdht: hyperdhtGrowth,
  "libp2p-gossip": gossipGrowth,
  "libp2p-relay": relayGrowth,
};
/** Names for several. */
export const GROUPS: Record<string, readonly string[]> = {
  libp2p: ["libp2p-relay", "libp2p-gossip"],
  peers: ["libp2p-relay", "libp2p-gossip", "hyperdht"],
  leaves: ["crypto-identity", "hashcash", "bloom"],
  relay: ["relay-forward", "relay-heap", "relay-kills", "relay-overload", "relay-own"],
  udp: ["udp-forward", "udp-flood", "udp-garbage"],
};
