import { identityFromSeed, type NodeId } from "@starling/crypto-identity";
import type { Address, Contact } from "@starling/wire-protocol";
import { decodeMessage, encodeMessage, encodePong } from "@starling/wire-protocol";
import { Membership, type MembershipOptions, type MembershipOutput } from "../src/index.ts";

// A town of Memberships without sessions, sockets or loss: a dial to somebody who is there opens a link at once, everything said on
// one arrives in the same instant, and a Ping is answered each 10 s. Time passes in steps.

const WALL = 1_800_000_000_000;
export const at = (mono: number) => ({ mono, wall: WALL + mono });
const PONG_MS = 10_000;
const STEP_MS = 500;

export type Resident = {
  readonly id: NodeId;
  readonly address: Address;
  readonly membership: Membership;
  readonly links: Set<NodeId>;
  readonly dials: { readonly to: Address; readonly ms: number }[];
  isUp: boolean;
};

/** Deterministic bytes that differ at each call. */
export function seededBytes(seed: number): (sizeBytes: number) => Uint8Array {
  let state = seed * 2_654_435_761;
  return (sizeBytes) =>
    Uint8Array.from({ length: sizeBytes }, () => {
      state = (Math.imul(state ^ (state >>> 15), 0x2c1b_3c6d) + 0x9e37_79b9) | 0;
      return (state >>> 16) & 0xff;
    });
}

export class Town {
  readonly residents = new Map<NodeId, Resident>();
  readonly #byAddress = new Map<string, Resident>();
  /** Milliseconds between two residents. */
  rttMs: (a: NodeId, b: NodeId) => number = () => 50;
  isInUse: (a: NodeId, b: NodeId) => boolean = () => false;
  ms = 0;

  move(seed: number, options: Partial<MembershipOptions> & { readonly address: Address }): Resident {
    const identity = identityFromSeed(Uint8Array.from({ length: 32 }, (_, i) => (seed >> (8 * (i % 4))) & 0xff));
    const { id } = identity;
    const { address, ...rest } = options;
    const membership = new Membership(
      {
        ...{ identity, network: "town", role: "node", bootstrap: [], announce: [], maxNeighbours: 64 },
        random: seededBytes(seed + 1),
        ...rest,
      },
      { rttOf: (peer) => this.rttMs(id, peer), isInUse: (peer) => this.isInUse(id, peer) },
      at(this.ms),
    );
    const resident: Resident = { id, address, membership, links: new Set(), dials: [], isUp: true };
    this.residents.set(id, resident);
    this.#byAddress.set(`${address.ip}:${address.port}`, resident);
    return resident;
  }

  run(forMs: number): void {
    for (const endMs = this.ms + forMs; this.ms < endMs; this.ms += STEP_MS) {
      for (const resident of this.residents.values()) {
        if (!resident.isUp) continue;
        const { membership } = resident;
        if (this.ms >= (membership.nextDeadline() ?? Number.POSITIVE_INFINITY)) {
          this.#do(resident, membership.tick(at(this.ms)));
        }
        if (this.ms % PONG_MS === 0) for (const peer of [...resident.links]) this.#ping(resident, peer);
      }
    }
  }

  /** Ends a resident without a word; its neighbours notice at once. */
  kill(resident: Resident): void {
    resident.isUp = false;
    for (const peer of [...resident.links]) this.#cut(resident.id, peer, undefined);
  }

  #do(from: Resident, outputs: readonly MembershipOutput[]): void {
    for (const output of outputs) {
      switch (output.type) {
        case "dial":
          from.dials.push({ to: output.address, ms: this.ms });
          this.#dial(from, output);
          break;
        case "send": {
          const to = this.residents.get(output.peer);
          if (to === undefined || !from.links.has(to.id)) break;
          const read = decodeMessage(encodeMessage(output.message));
          if (!read.ok) throw new Error(read.reason);
          this.#do(to, to.membership.received(from.id, read.value as typeof output.message, at(this.ms)));
          break;
        }
        case "hang-up":
          this.#cut(from.id, output.peer, output.reason);
      }
    }
  }

  #dial(from: Resident, { peer, address, lookup }: MembershipOutput & { type: "dial" }): void {
    const to = this.#byAddress.get(`${address.ip}:${address.port}`);
    if (to?.id !== peer || !to.isUp) {
      from.membership.unanswered(peer, at(this.ms));
      return;
    }
    const nodes = to.membership.answer(lookup, from.address);
    if (!from.links.has(peer)) {
      from.links.add(peer);
      to.links.add(from.id);
      this.#do(from, from.membership.opened(peer, to.address, true, at(this.ms)));
      this.#do(to, to.membership.opened(from.id, from.address, false, at(this.ms)));
    }
    from.membership.answered(peer, address, at(this.ms));
    if (from.links.has(peer)) this.#do(from, from.membership.received(peer, nodes, at(this.ms)));
  }

  #ping(from: Resident, peer: NodeId): void {
    const to = this.residents.get(peer);
    if (to === undefined) return;
    const contacts: readonly Contact[] = to.membership.sample(from.id, from.address);
    const body = encodePong({
      ...{ type: "pong", echo: new Uint8Array(8), wallMs: WALL, sendPrice: 1, publishPrice: 1 },
      observed: from.address,
      contacts,
    });
    const read = decodeMessage({ kind: 0x02, body });
    if (!read.ok || read.value.type !== "pong") throw new Error("pong");
    this.#do(from, from.membership.received(peer, read.value, at(this.ms)));
  }

  #cut(a: NodeId, b: NodeId, reason: "full" | "unwanted" | "closing" | "draining" | undefined): void {
    const [one, other] = [this.residents.get(a), this.residents.get(b)];
    one?.links.delete(b);
    other?.links.delete(a);
    one?.membership.closed(b, reason === undefined ? undefined : "local", at(this.ms));
    other?.membership.closed(a, reason, at(this.ms));
  }
}
