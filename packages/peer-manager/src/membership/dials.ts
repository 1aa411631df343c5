import type { NodeId } from "@starling/crypto-identity";
import type { Address, Contact, Lookup } from "@starling/wire-protocol";
import type { Candidate } from "./candidate-pool.ts";
import type { DialBacks } from "./dial-back.ts";
import type { HearsayBudget } from "./hearsay-budget.ts";
import type { MembershipOutput } from "./options.ts";

// The dials under way, and what each may cost its address: hearsay has a budget (PROTOCOL §6), a contact once verified has none.

const DIALS_MAX = 8;

export type DialHow = {
  /** How long the link is kept, wanted or not. */
  readonly keepMs: number;
  readonly isHearsay: boolean;
  /** One Hello only. */
  readonly once: boolean;
};

type UnderWay = Pick<DialHow, "keepMs" | "isHearsay"> & { readonly sinceMono: number };

export class Dials {
  readonly #self: NodeId;
  readonly #budget: HearsayBudget;
  readonly #dialBacks: DialBacks;
  // BOUNDED: DIALS_MAX of upkeep, one for each bootstrap node and saved peer, and dials for lookups, which their askers bound.
  readonly #underWay = new Map<NodeId, UnderWay>();

  constructor(self: NodeId, budget: HearsayBudget, dialBacks: DialBacks) {
    this.#self = self;
    this.#budget = budget;
    this.#dialBacks = dialBacks;
  }

  has(peer: NodeId): boolean {
    return this.#underWay.has(peer);
  }

  /** Whom we have begun to dial since then, and who has not answered. */
  begunSince(sinceMono: number): NodeId[] {
    return [...this.#underWay].flatMap(([id, dial]) => (dial.sinceMono >= sinceMono ? [id] : []));
  }

  /** Upkeep waits for others to end. */
  get isFull(): boolean {
    return this.#underWay.size >= DIALS_MAX;
  }

  keepMsOf(peer: NodeId): number {
    return this.#underWay.get(peer)?.keepMs ?? 0;
  }

  /** Whether hearsay about this address may be tried. */
  mayDial(address: Address, nowMono: number): boolean {
    return this.#budget.mayDial(address, nowMono);
  }

  mayTry({ budgetKey }: Candidate, nowMono: number): boolean {
    return this.#budget.mayDialKey(budgetKey, nowMono);
  }

  /** Without a `lookup` the peer is asked whom it knows near us. */
  begin(
    { id, address }: Contact,
    { keepMs, isHearsay, once }: DialHow,
    nowMono: number,
    lookup?: Lookup,
  ): MembershipOutput {
    this.#underWay.set(id, { keepMs, isHearsay, sinceMono: nowMono });
    this.#dialBacks.heard(id, nowMono);
    if (isHearsay) this.#budget.dialled(address, nowMono);
    const self: Lookup = { type: "lookup", query: 0, target: this.#self };
    return { type: "dial", peer: id, address, once, lookup: lookup ?? self };
  }

  /** A node lives there: no bystander is harmed. */
  answered(peer: NodeId, address: Address): void {
    this.#underWay.delete(peer);
    this.#budget.answered(address);
  }

  /** It has come to nothing, or its link has ended. */
  ended(peer: NodeId): { readonly isHearsay: boolean } | undefined {
    const dial = this.#underWay.get(peer);
    this.#underWay.delete(peer);
    return dial;
  }
}
