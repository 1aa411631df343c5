import { Attacker } from "../adversary/attacker.ts";
import type { SimNode } from "../machine.ts";
import type { SeededRandom } from "../seeded-random.ts";
import { percentile } from "../statistics.ts";
import type { AdmissionOptions } from "./run.ts";
import { Spammer } from "./spammer.ts";
import { createTown, FLOOR, LINKS, RECIPIENT_BEGINS, SCALE, type Stage, type Town } from "./town.ts";

// The same question as run.ts asks of the queue alone, asked of whole cores: authors submit, relays forward, recipients acknowledge. At
// each relay of the row ten honest messages a second come over its twelve ingress links alike; what is counted goes through all of
// them. Each relay has an attacker of its own, with a hundred times the hashes of one author. Where it is on all links of a relay, it
// is at the relay before as well, and pays there too.

const HONEST_PER_SECOND = 10;
/** Of those that enter the row, those that go all the way where it has several relays: a link's share of one that is crowded is 4. */
const THROUGH_PER_SECOND = 2;
const BUDGET = 50;
const ATTACKER_FACTOR = 100;
const DEADLINE_MS = 30_000;
const SETTLE_MS = 15_000;
const RUN_MS = 60_000;

export type WholeOptions = AdmissionOptions & { readonly runMs?: number };

type Message = {
  readonly author: SimNode;
  readonly sentMs: number;
  readonly mintedMs: number;
  /** It goes all the way. */
  readonly isThrough: boolean;
  outcome: { readonly tookMs: number; readonly mintedMs: number } | "failed" | undefined;
  mints: number;
};

export function runWhole(options: WholeOptions): Record<string, number> {
  const { seed, hops, hashesPerMs, runMs = RUN_MS, budget = BUDGET } = options;
  const town = createTown({ seed, hops, budget, hashesPerMs });
  const { queue } = town.world;
  const beginMs = queue.nowMs;
  const endMs = beginMs + SETTLE_MS + runMs;
  const spammers = attack(town, options, endMs + DEADLINE_MS);
  const authors = new Authors(town);
  authors.write(endMs);
  town.world.run(endMs - queue.nowMs);
  town.world.runUntil(() => authors.openCount === 0, DEADLINE_MS + 1000);
  const counted = authors.messages.filter(
    ({ isThrough, sentMs }) => isThrough && sentMs >= beginMs + SETTLE_MS && sentMs < endMs,
  );
  const done = counted.flatMap(({ outcome, mints }) => (typeof outcome === "object" ? [{ ...outcome, mints }] : []));
  const sorted = (values: readonly number[]) => [...values].sort((a, b) => a - b);
  const mintedMs = sorted(done.map((message) => message.mintedMs));
  const tookMs = sorted(done.map((message) => message.tookMs));
  const last = town.stages.at(-1) as Stage;
  const shed = town.stages.map(({ relay }) => relay.core.counts()["shed.total"] ?? 0);
  return {
    messages: counted.length,
    through: done.length / counted.length,
    mintP50Ms: percentile(mintedMs, 0.5),
    mintP95Ms: percentile(mintedMs, 0.95),
    tookP50Ms: percentile(tookMs, 0.5),
    tookP95Ms: percentile(tookMs, 0.95),
    mints: done.reduce((sum, { mints }) => sum + mints, 0) / done.length,
    price: last.relay.core.askedPrices(queue.nowMs).send / FLOOR,
    notSent: authors.notSent,
    spam: spammers.reduce((sum, { sent }) => sum + sent, 0),
    shed: shed.reduce((sum, count) => sum + count, 0),
    events: queue.count,
  };
}

function attack(town: Town, options: WholeOptions, untilMs: number): Spammer[] {
  const { strategy, attackedLinks, hashesPerMs } = options;
  const { attackerFactor = ATTACKER_FACTOR, budget = BUDGET } = options;
  if (strategy === "none") return [];
  const { world, stages } = town;
  const spammers = stages.map(({ relay, ingress }, at) => {
    const sink = new Attacker(world, { idBegins: RECIPIENT_BEGINS });
    sink.connect(relay.contact);
    const spammer = new Spammer(world, {
      ...{ strategy, floor: FLOOR, budget, recipient: sink.identity.id },
      hashesPerMs: (hashesPerMs * attackerFactor) / SCALE,
    });
    const before = stages[at - 1];
    const through = before === undefined || attackedLinks < LINKS ? [] : [before.relay];
    for (const { contact } of [...through, ...ingress].slice(0, attackedLinks)) spammer.connect(contact);
    return spammer;
  });
  world.run(2000);
  for (const spammer of spammers) {
    if (spammer.linkCount !== attackedLinks) throw new Error(`${spammer.linkCount} of ${attackedLinks} links`);
    spammer.attack(untilMs);
  }
  return spammers;
}

class Authors {
  readonly messages: Message[] = [];
  /** Times that all authors of a link were waiting for a receipt. */
  notSent = 0;
  readonly #town: Town;
  readonly #random: SeededRandom;
  readonly #open = new Map<SimNode, Message>();

  constructor(town: Town) {
    this.#town = town;
    this.#random = town.world.forkRandom();
    for (const author of town.stages.flatMap(({ authors }) => authors.flat())) {
      author.onOutput = (output) => {
        const message = this.#open.get(author);
        if (message === undefined) return;
        if (output.type === "mint") message.mints += 1;
        if (output.type !== "receipt" && output.type !== "failed") return;
        this.#open.delete(author);
        const tookMs = town.world.queue.nowMs - message.sentMs;
        const mintedMs = author.mintedMs - message.mintedMs;
        message.outcome = output.type === "receipt" ? { tookMs, mintedMs } : "failed";
      };
    }
  }

  get openCount(): number {
    return this.#open.size;
  }

  write(untilMs: number): void {
    const { stages } = this.#town;
    const [first] = stages as [Stage];
    const last = stages.at(-1) as Stage;
    const through = stages.length === 1 ? HONEST_PER_SECOND : THROUGH_PER_SECOND;
    this.#flow(first, last, through, untilMs);
    if (stages.length === 1) return;
    for (const stage of stages) this.#flow(stage, stage, HONEST_PER_SECOND - through, untilMs);
  }

  #flow(from: Stage, to: Stage, perSecond: number, untilMs: number): void {
    const { queue } = this.#town.world;
    const atMs = queue.nowMs + (-Math.log(1 - this.#random.fraction()) * 1000) / perSecond;
    if (atMs > untilMs) return;
    queue.at(atMs, () => {
      this.#send(from, to);
      this.#flow(from, to, perSecond, untilMs);
    });
  }

  #send(from: Stage, to: Stage): void {
    const { queue } = this.#town.world;
    const link = from.authors[this.#random.integer(from.authors.length)] as readonly SimNode[];
    const author = link.find((one) => !this.#open.has(one));
    if (author === undefined) {
      this.notSent += 1;
      return;
    }
    const isThrough = this.#town.stages.length === 1 || from !== to;
    const { mintedMs } = author;
    const message: Message = { author, sentMs: queue.nowMs, mintedMs, isThrough, outcome: undefined, mints: 0 };
    this.messages.push(message);
    this.#open.set(author, message);
    const content = new TextEncoder().encode(`message ${this.messages.length}`);
    author.feed({
      type: "submit",
      id: `${this.messages.length}`,
      to: to.recipient.id,
      content,
      topic: "",
      via: "any",
      timeoutMs: DEADLINE_MS,
    });
  }
}
