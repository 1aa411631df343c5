import type { NodeId } from "@starling/crypto-identity";
import type { Now } from "@starling/session";
import { type Address, decodeMessage, encodePong, FRAME_KIND } from "@starling/wire-protocol";
import { AddressVotes } from "./address-votes.ts";

/** What Pongs are for here: each end tells the other where it sees it. What they say is untrusted, hence the votes. */
export class Observed {
  readonly #votes: AddressVotes = new AddressVotes();
  readonly #onChange: (address: Address | undefined) => void;
  #address: Address | undefined;

  constructor(onChange: (address: Address | undefined) => void) {
    this.#onChange = onChange;
  }

  get address(): Address | undefined {
    return this.#address;
  }

  /** A Pong; `from`: the address of its peer's session, which may have ended. */
  pong(peer: NodeId, from: Address | undefined, body: Uint8Array): void {
    if (from === undefined) return;
    const pong = decodeMessage({ kind: FRAME_KIND.pong, body });
    if (!pong.ok || pong.value.type !== "pong") return;
    this.#votes.vote(peer, from, pong.value.observed);
    this.#count();
  }

  forget(peer: NodeId): void {
    this.#votes.forget(peer);
    this.#count();
  }

  #count(): void {
    const winner = this.#votes.winner();
    if (winner?.ip === this.#address?.ip && winner?.port === this.#address?.port) return;
    this.#address = winner;
    this.#onChange(winner);
  }
}

export function pongBody(ping: {
  readonly echo: Uint8Array;
  readonly observed: Address;
  readonly now: Now;
}): Uint8Array {
  const { echo, observed, now: at } = ping;
  return encodePong({
    type: "pong",
    echo,
    wallMs: Math.floor(at.wall),
    sendPrice: 0,
    publishPrice: 0,
    observed,
    contacts: [],
  });
}
