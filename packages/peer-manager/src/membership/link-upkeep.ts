import type { NodeId, RandomSource } from "@starling/crypto-identity";
import type { Now } from "../now.ts";
import type { Announcer } from "./announcer.ts";
import type { BlockLimits } from "./block-limits.ts";
import type { BootstrapDialler } from "./bootstrap.ts";
import type { CandidatePool } from "./candidate-pool.ts";
import type { DialBacks } from "./dial-back.ts";
import type { Dials } from "./dials.ts";
import type { Introductions } from "./introductions.ts";
import { jittered } from "./jitter.ts";
import type { Neighbours } from "./neighbours.ts";
import type { ObservedAddress } from "./observed-address.ts";
import type { LinkView, MembershipOptions, MembershipOutput } from "./options.ts";
import type { PeerTable } from "./peer-table.ts";
import type { Reachability } from "./reachability.ts";
import { dialsWanted, explorationWanted, linksUnwanted, type UpkeepView } from "./upkeep.ts";

// When the links are looked over, and what is done then: whom to dial, whom to check, what to hang up, whom to ask for a DialBack.

/** Upkeep follows a change at once, and comes by itself. */
const SOON_MS = 200;
const EVERY_MS = 5000;
const EXPLORE_YOUNG_MS = 10_000;
const EXPLORE_MS = 30_000;
const YOUNG_MS = 180_000;

export type LinkUpkeepOptions = Pick<MembershipOptions, "passive" | "announce"> &
  LinkView & {
    readonly self: NodeId;
    readonly limits: BlockLimits;
    readonly neighbours: Neighbours;
    readonly table: PeerTable;
    readonly pool: CandidatePool;
    readonly dials: Dials;
    readonly dialBacks: DialBacks;
    readonly bootstrap: BootstrapDialler;
    readonly introductions: Introductions;
    readonly announcer: Announcer;
    readonly reachability: Reachability;
    readonly observed: ObservedAddress;
    readonly random: RandomSource;
  };

export class LinkUpkeep {
  readonly #options: LinkUpkeepOptions;
  readonly #startMono: number;
  #dueMono = 0;
  #exploreDueMono = 0;

  constructor(options: LinkUpkeepOptions, nowMono: number) {
    this.#options = options;
    this.#startMono = nowMono;
  }

  get dueMono(): number {
    return this.#dueMono;
  }

  soon(nowMono: number): void {
    this.#dueMono = Math.min(this.#dueMono, nowMono + SOON_MS);
  }

  /** To be called when it is due. */
  run(now: Now): MembershipOutput[] {
    const { random, passive = false, announcer } = this.#options;
    this.#dueMono = now.mono + jittered(EVERY_MS, random);
    const outputs = announcer.tellOfChange(now);
    if (passive) return outputs;
    const view = this.#view(now.mono);
    outputs.push(...this.#dialWanted(view), ...this.#checkUnproved(now.mono));
    for (const peer of linksUnwanted(view)) outputs.push({ type: "hang-up", peer, reason: "unwanted" });
    outputs.push(...this.#askForDialBack(now.mono));
    return outputs;
  }

  #dialWanted(view: UpkeepView): MembershipOutput[] {
    const { dials, table, random } = this.#options;
    const { nowMono } = view;
    const wanted = dialsWanted(view);
    if (nowMono >= this.#exploreDueMono) {
      const isYoung = nowMono < this.#startMono + YOUNG_MS;
      this.#exploreDueMono = nowMono + jittered(isYoung ? EXPLORE_YOUNG_MS : EXPLORE_MS, random);
      const explored = explorationWanted(view);
      if (explored !== undefined) wanted.push(explored);
    }
    const outputs: MembershipOutput[] = [];
    for (const contact of wanted) {
      if (dials.isFull) break;
      if (dials.has(contact.id)) continue;
      const isHearsay = table.get(contact.id) === undefined;
      if (isHearsay && !dials.mayDial(contact.address, nowMono)) continue;
      outputs.push(dials.begin(contact, { keepMs: 0, isHearsay, once: false }, nowMono));
    }
    return outputs;
  }

  /** Neighbours whose record has not been found true yet. */
  #checkUnproved(nowMono: number): MembershipOutput[] {
    const { dials, neighbours, introductions } = this.#options;
    const outputs: MembershipOutput[] = [];
    for (const { id, record, reachable } of neighbours.values()) {
      if (dials.isFull) break;
      if (!reachable && record !== undefined) outputs.push(...introductions.check(id, nowMono));
    }
    return outputs;
  }

  #askForDialBack(nowMono: number): MembershipOutput[] {
    const { neighbours, reachability, dialBacks, announce, observed } = this.#options;
    if (neighbours.size === 0) return [];
    const isDue = reachability.takeAsk(nowMono);
    this.#dueMono = Math.min(this.#dueMono, reachability.askDueMono);
    const asked = isDue ? dialBacks.ask(announce[0], observed.address) : undefined;
    return asked === undefined ? [] : [{ type: "send", ...asked }];
  }

  #view(nowMono: number): UpkeepView {
    const { self, limits, neighbours, table, pool, bootstrap, dials, rttOf, isInUse, random } = this.#options;
    return {
      ...{ self, neighbours, table, pool, dials, rttOf, isInUse, nowMono, random },
      anchorsPerBlock: limits.anchors,
      isBootstrap: (id) => bootstrap.has(id),
    };
  }
}
