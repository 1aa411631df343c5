import type { Identity, RandomSource } from "@starling/crypto-identity";
import { PUBLISH_FLOOR, SEND_FLOOR } from "@starling/hashcash";
import type { LinkQuotaLimits } from "@starling/node-core";
import { bytesToHex, formatAddress, signNodeRecord } from "@starling/wire-protocol";
import type { RelayConfig } from "./config.ts";

/** What a relay says of itself at /descriptor. `record` is the signed NodeRecord in hex: the part that third parties can check. */
export type Descriptor = {
  readonly id: string;
  readonly network: string;
  readonly version: string;
  readonly role: "relay";
  readonly addresses: readonly string[];
  readonly record: string;
  readonly limits: {
    readonly maxPeers: number;
    readonly messagesPerSecond: number;
    readonly bytesPerSecond: number;
  };
  /** Least effort of a stamp, for each 512 bytes. */
  readonly price: { readonly send: number; readonly publish: number };
};

export type DescriptorInput = {
  readonly identity: Identity;
  readonly config: RelayConfig;
  readonly quota: LinkQuotaLimits;
  readonly version: string;
  readonly wallMs: number;
  readonly random: RandomSource;
};

/** Signs once; the pages serve what it returns. */
export function describeRelay({ identity, config, quota, version, wallMs, random }: DescriptorInput): Descriptor {
  const { network, announce: addresses, maxPeers } = config;
  const record = signNodeRecord({ identity, network, sequence: Math.floor(wallMs), role: "relay", addresses, random });
  return {
    id: identity.id,
    network,
    version,
    role: "relay",
    addresses: addresses.map(formatAddress),
    record: bytesToHex(record.encoded),
    limits: { maxPeers, ...quota },
    price: { send: SEND_FLOOR, publish: PUBLISH_FLOOR },
  };
}
