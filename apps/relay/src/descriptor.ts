import type { Identity, RandomSource } from "@starling/crypto-identity";
import { PUBLISH_FLOOR, SEND_FLOOR } from "@starling/hashcash";
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
  /** Least effort of a stamp, for each 512 bytes. */
  readonly price: { readonly send: number; readonly publish: number };
};

export type DescriptorInput = {
  readonly identity: Identity;
  readonly config: RelayConfig;
  readonly version: string;
  readonly wallMs: number;
  readonly random: RandomSource;
};

/** Signs once; the pages serve what it returns. */
export function describeRelay({ identity, config, version, wallMs, random }: DescriptorInput): Descriptor {
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
    price: { send: SEND_FLOOR, publish: PUBLISH_FLOOR },
  };
}
