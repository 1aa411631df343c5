import type { Identity, RandomSource } from "@starling/crypto-identity";
import type { Address, NodeRecord, NodeRole } from "@starling/wire-protocol";
import { formatAddress, signNodeRecord } from "@starling/wire-protocol";
import type { Now } from "../now.ts";

/** A record that says the same is signed anew after this long, so that its sequence tells that it is not an old one. */
const RENEW_MS = 600_000;

/** What we say of ourselves: signed when it changes, and told as it is in between. */
export class OwnRecord {
  readonly #options: {
    readonly identity: Identity;
    readonly network: string;
    readonly role: NodeRole;
    readonly random: RandomSource;
  };
  #record: NodeRecord | undefined;
  #signedMono = 0;
  #says = "";

  constructor(options: {
    readonly identity: Identity;
    readonly network: string;
    readonly role: NodeRole;
    readonly random: RandomSource;
  }) {
    this.#options = options;
  }

  /** The record that holds these addresses. */
  with(addresses: readonly Address[], now: Now): NodeRecord {
    const says = addresses.map(formatAddress).join(" ");
    if (this.#record !== undefined && says === this.#says && now.mono < this.#signedMono + RENEW_MS)
      return this.#record;
    const { identity, network, role, random } = this.#options;
    const sequence = Math.max(now.wall, (this.#record?.sequence ?? 0) + 1);
    this.#record = signNodeRecord({ identity, network, role, addresses, sequence, random });
    this.#signedMono = now.mono;
    this.#says = says;
    return this.#record;
  }
}
