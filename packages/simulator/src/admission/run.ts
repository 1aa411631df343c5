import type { NodeId } from "@starling/crypto-identity";
import { firstBid, raisedBid, SEND_FLOOR } from "@starling/hashcash";
import { IngressQueue } from "@starling/node-core";
import { EventQueue } from "../event-queue.ts";
import { seededRandom } from "../seeded-random.ts";
import { percentile } from "../statistics.ts";

// Relays with the shipped queue and price, honest authors who bid as shipped, and an attacker with a hundred times the hashes of one.
// Stamps are not minted: one of an effort takes as long as chance says at a hash rate. Each relay has 12 ingress links; what honest
// authors send comes over all of them alike, the attacked ones too. Over three hops an author's message takes one link of each of
// three such relays, and an attacker of the same power sits at each.

export type Strategy =
  /** As many as can be paid at the price asked. */
  | "cheapest"
  /** The same at 1.3 times the price asked. */
  | "outbid"
  /** Exactly as many as the relay serves, each as dear as can be paid. */
  | "all-in";

export type AdmissionOptions = {
  readonly seed: number;
  readonly hops: number;
  readonly attackedLinks: number;
  readonly strategy: Strategy | "none";
  /** Hashes an ms of one honest author. */
  readonly hashesPerMs: number;
  readonly attackerFactor?: number;
  readonly budget?: number;
};

const LINKS = 12;
const HONEST_PER_SECOND = 10;
const BUDGET = 50;
const ATTACKER_FACTOR = 100;
/** A link's token bucket lets no more in (node-core, DEFAULT_LINK_QUOTA). */
const LINK_PER_SECOND = 500;
const HOP_MS = 30;
const PONG_MS = 10_000;
const DEADLINE_MS = 30_000;
const SETTLE_MS = 60_000;
const RUN_MS = 240_000;
const SIZE_BYTES = 500;

type Message = {
  readonly sentMs: number;
  readonly links: readonly number[];
  bid: number;
  mintedMs: number;
  mints: number;
  doneMs: number | undefined;
};
type Item = Message | undefined;
type Relay = { readonly queue: IngressQueue<Item>; readonly told: number[]; wakeMs: number };

export function runAdmission(options: AdmissionOptions): Record<string, number> {
  const { hops, attackedLinks, strategy, hashesPerMs } = options;
  const { attackerFactor = ATTACKER_FACTOR, budget = BUDGET } = options;
  const random = seededRandom(options.seed);
  const queue = new EventQueue();
  const relays = Array.from({ length: hops }, (): Relay => {
    return {
      queue: new IngressQueue({ perSecond: budget, linkHas: () => true }),
      told: Array.from({ length: LINKS }, () => 1),
      wakeMs: 0,
    };
  });
  const names = Array.from({ length: LINKS }, (_, link) => String(link) as NodeId);
  const messages: Message[] = [];
  const exponential = (mean: number) => -Math.log(1 - random.fraction()) * mean;
  const after = (ms: number, run: () => void) => queue.at(queue.nowMs + ms, run);

  const price = (relay: Relay, link: number) => relay.queue.price(names[link] as NodeId, queue.nowMs);
  const serve = (relay: Relay): void => {
    const { served, shed } = relay.queue.serve(queue.nowMs);
    for (const { item } of served) if (item !== undefined) passed(item, relay);
    for (const { waiting } of shed) if (waiting.item !== undefined) refused(waiting.item, relay, true);
    const dueMs = relay.queue.nextDeadline();
    if (dueMs === null) return;
    relay.wakeMs = Math.max(dueMs, queue.nowMs + 1);
    const { wakeMs } = relay;
    queue.at(wakeMs, () => {
      if (relay.wakeMs === wakeMs) serve(relay);
    });
  };
  const offer = (relay: Relay, link: number, multiple: number, item: Item): void => {
    if (multiple < price(relay, link)) {
      if (item !== undefined) refused(item, relay, false);
      return;
    }
    const offered = { link: names[link] as NodeId, id: "", item, sizeBytes: SIZE_BYTES, multiple };
    for (const { waiting } of relay.queue.offer(offered, queue.nowMs)) {
      if (waiting.item !== undefined) refused(waiting.item, relay, true);
    }
    serve(relay);
  };
  const linkOf = (message: Message, relay: Relay) => message.links[relays.indexOf(relay)] as number;
  const passed = (message: Message, relay: Relay): void => {
    const next = relays[relays.indexOf(relay) + 1];
    if (next === undefined) message.doneMs = queue.nowMs;
    else after(HOP_MS, () => offer(next, linkOf(message, next), message.bid, message));
  };
  const refused = (message: Message, relay: Relay, isShed: boolean): void => {
    const multiple = price(relay, linkOf(message, relay));
    after((relays.indexOf(relay) + 1) * HOP_MS, () => {
      if (relay === relays[0]) relay.told[linkOf(message, relay)] = multiple;
      message.bid = raisedBid(message.bid, multiple, isShed, SEND_FLOOR);
      mint(message);
    });
  };
  const mint = (message: Message): void => {
    const tookMs = exponential((message.bid * SEND_FLOOR) / hashesPerMs);
    message.mintedMs += tookMs;
    message.mints += 1;
    if (queue.nowMs + tookMs > message.sentMs + DEADLINE_MS) return;
    const [first] = relays as [Relay];
    after(tookMs + HOP_MS, () => offer(first, message.links[0] as number, message.bid, message));
  };
  const send = (): void => {
    const links = relays.map(() => random.integer(LINKS));
    // What the first relay told last, in a Pong or a refusal; of those behind it an author hears when they refuse.
    const bid = firstBid(relays[0]?.told[links[0] as number] ?? 1, SEND_FLOOR);
    const message = { sentMs: queue.nowMs, links, bid, mintedMs: 0, mints: 0, doneMs: undefined };
    messages.push(message);
    mint(message);
    after(exponential(1000 / HONEST_PER_SECOND), send);
  };
  const pong = (relay: Relay, link: number): void => {
    relay.told[link] = price(relay, link);
    after(PONG_MS, () => pong(relay, link));
  };
  const attack = (relay: Relay, link: number): void => {
    const hashesPerSecond = (hashesPerMs * 1000 * attackerFactor) / attackedLinks;
    const asked = price(relay, link) * SEND_FLOOR;
    const allIn = Math.max(asked, (hashesPerSecond * attackedLinks) / budget);
    const effort = strategy === "all-in" ? allIn : strategy === "outbid" ? 1.3 * asked : asked;
    const perSecond = Math.min(LINK_PER_SECOND, hashesPerSecond / effort);
    after(exponential(1000 / perSecond), () => {
      offer(relay, link, effort / SEND_FLOOR, undefined);
      attack(relay, link);
    });
  };
  for (const relay of relays) {
    for (let link = 0; link < LINKS; link += 1) {
      after(random.fraction() * PONG_MS, () => pong(relay, link));
      if (strategy !== "none" && link < attackedLinks) attack(relay, link);
    }
  }
  send();
  while (queue.step(SETTLE_MS + RUN_MS + DEADLINE_MS));
  const counted = messages.filter(({ sentMs }) => sentMs >= SETTLE_MS && sentMs < SETTLE_MS + RUN_MS);
  const done = counted.filter(({ doneMs }) => doneMs !== undefined);
  const sorted = (values: readonly number[]) => [...values].sort((a, b) => a - b);
  const mintedMs = sorted(done.map((message) => message.mintedMs));
  const tookMs = sorted(done.map(({ doneMs = 0, sentMs }) => doneMs - sentMs));
  return {
    messages: counted.length,
    through: done.length / counted.length,
    mintP50Ms: percentile(mintedMs, 0.5),
    mintP95Ms: percentile(mintedMs, 0.95),
    tookP50Ms: percentile(tookMs, 0.5),
    tookP95Ms: percentile(tookMs, 0.95),
    mints: done.reduce((sum, { mints }) => sum + mints, 0) / done.length,
    price: price(relays[0] as Relay, 0),
  };
}
