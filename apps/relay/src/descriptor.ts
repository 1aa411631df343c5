import type { Identity, RandomSource } from "@starling/crypto-identity";
import { bytesToHex, formatAddress, signNodeRecord } from "@starling/wire-protocol";
import type { RelayConfig } from "./config.ts";
import { limitsOf } from "./limit-settings.ts";

/** What a relay says of itself at /descriptor. `record` is the signed NodeRecord in hex: the part that third parties can check. */
export type Descriptor = {
  readonly id: string;
  readonly network: string;
  readonly version: string;
  readonly role: "relay";
  readonly addresses: readonly string[];
  readonly record: string;
  /** By the names of the settings; rates are a second's. */
  readonly limits: Readonly<Record<string, number>>;
  /** Least effort of a stamp that the dearest link is asked for now, for each 512 bytes: the floor without congestion. */
  readonly price: { readonly send: number; readonly publish: number };
  /** Messages refused since the start, by which limit was reached. */
  readonly shed: Readonly<Record<string, number>>;
};

/** What does not change while it runs. */
export type Described = Omit<Descriptor, "price" | "shed">;

export type DescriptorInput = {
  readonly identity: Identity;
  readonly config: RelayConfig;
  readonly version: string;
  readonly wallMs: number;
  readonly random: RandomSource;
};

/** Signs once. */
export function describeRelay({ identity, config, version, wallMs, random }: DescriptorInput): Described {
  const { network, announce: addresses } = config;
  const record = signNodeRecord({ identity, network, sequence: Math.floor(wallMs), role: "relay", addresses, random });
  return {
    id: identity.id,
    network,
    version,
    role: "relay",
    addresses: addresses.map(formatAddress),
    record: bytesToHex(record.encoded),
    limits: limitsOf(config),
  };
}

/** Of what the core counts, what was shed. */
export function shedCounts(counts: Readonly<Record<string, number>>): Record<string, number> {
  const shed = Object.entries(counts).filter(([name]) => name.startsWith("shed."));
  return Object.fromEntries(shed.map(([name, count]) => [name.slice("shed.".length), count]));
}
