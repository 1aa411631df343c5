import { RotatingFilter } from "@starling/bloom";
import type { NodeId, RandomSource } from "@starling/crypto-identity";
import type { Now } from "@starling/peer-manager";
import type { Publish, Send } from "@starling/wire-protocol";
import { decodePublication, decodeSend, encodeSend } from "@starling/wire-protocol";
import { type ForwardLimits, ForwardQuota } from "./forward-quota.ts";
import type { Freshness } from "./freshness.ts";
import {
  effortAt,
  type IngressState,
  judge,
  judgePublish,
  type PublishJudgement,
  type Refusal,
  type SendJudgement,
  type ShedLimit,
  type Standing,
} from "./ingress.ts";
import { IngressQueue } from "./ingress-queue.ts";

// What comes in to be carried, PROTOCOL §7.6 and §7.8: it climbs the ladder (ingress.ts), waits for its turn where more comes than is
// carried, and is committed only then. A quota is charged when its turn has come, not before: so of a link that offers too much the
// cheapest goes, not whoever came at the wrong moment. Without congestion all of it is one step.
//
//   offered ─ ladder ─▶ stands ─ nothing waits ─────────────────▶ room, quota, filter ─▶ admitted
//                │        └─ else ─▶ waits ─ its turn ─ a repeat? ─▶┘            │
//                ▼                     └─ dearer ones, 1 s ─▶ shed               └─▶ shed
//        refused, repeated

const SEEN_ROTATION_MS = 180_000;
/** Ids that a generation of the filter begins with, 46 KiB that most nodes never outgrow, and the most that it grows to, in seven slices. */
const SEEN_INITIAL = 8192;
const SEEN_GROWTH = 3;
const SEEN_MAX = 4_194_304;
const SEEN_ERROR_RATE = 1e-9;

/** Its id now stands in the SeenFilter. */
type Admitted = { readonly type: "admitted"; readonly id: string };
/** A copy that came over the same link waits already. */
type IsWaiting = { readonly type: "waiting" };

export type SendVerdict = Admitted | IsWaiting | Exclude<SendJudgement, Standing>;
export type PublishVerdict = Admitted | IsWaiting | Exclude<PublishJudgement, Standing>;

/** What became of something that came over a link; only `admitted` has changed anything. */
export type Decision =
  | { readonly kind: "send"; readonly from: NodeId; readonly send: Send; readonly verdict: SendVerdict }
  | { readonly kind: "publish"; readonly from: NodeId; readonly publish: Publish; readonly verdict: PublishVerdict };

export type AdmissionOptions = {
  readonly network: string;
  readonly quota: ForwardLimits;
  readonly random: RandomSource;
  readonly floor: (sizeBytes: number) => number;
  readonly publishFloor: (sizeBytes: number) => number;
  readonly freshness: Freshness;
  /** Messages that the SeenFilter may grow to, a rotation. */
  readonly seenMax: number | undefined;
  readonly isPending: (id: string) => boolean;
  readonly hasRoomFor: (from: NodeId, sizeBytes: number) => boolean;
};

type Offered = { readonly standing: Standing } & (
  | { readonly kind: "send"; readonly send: Send }
  | { readonly kind: "publish"; readonly publish: Publish }
);

export class Admission {
  readonly #options: AdmissionOptions;
  readonly #seen: RotatingFilter;
  readonly #quota: ForwardQuota;
  readonly #queue: IngressQueue<Offered>;
  readonly #ingress: IngressState;

  constructor(options: AdmissionOptions, now: Now) {
    const { seenMax = SEEN_MAX, quota, network, freshness, floor, publishFloor, isPending } = options;
    this.#options = options;
    this.#quota = new ForwardQuota(quota, now.mono);
    this.#queue = new IngressQueue({
      perSecond: quota.total.messagesPerSecond,
      linkHas: (link, sizeBytes, nowMono) => this.#quota.linkHas(link, sizeBytes, nowMono),
    });
    this.#seen = new RotatingFilter({
      rotationMs: SEEN_ROTATION_MS,
      initialCapacity: Math.min(SEEN_INITIAL, seenMax),
      maxCapacity: seenMax,
      growth: SEEN_GROWTH,
      errorRate: SEEN_ERROR_RATE,
      key: options.random(16),
      nowMs: now.mono,
    });
    this.#ingress = { network, freshness, seen: this.#seen, floor, publishFloor, isPending };
  }

  get seenFilterBytes(): number {
    return this.#seen.sizeBytes;
  }

  get recipientCount(): number {
    return this.#quota.recipientCount;
  }

  get waitingCount(): number {
    return this.#queue.waitingCount;
  }

  /** What this link is asked for now, as a multiple of the floor. */
  price(link: NodeId, nowMono: number): number {
    return this.#queue.price(link, nowMono);
  }

  highestPrice(nowMono: number): number {
    return this.#queue.highestPrice(nowMono);
  }

  /** A Send from a neighbour: what becomes of it, and of what waited, if it is known by now. */
  send(from: NodeId, send: Send, now: Now): Decision[] {
    const judged = judge(this.#ingress, send, this.price(from, now.mono), now);
    if (judged.type !== "stands") return [{ kind: "send", from, send, verdict: judged }];
    return this.#offer(from, { kind: "send", send, standing: judged }, now);
  }

  /** A Publish from a neighbour, the same way. */
  publish(from: NodeId, publish: Publish, now: Now): Decision[] {
    const judged = judgePublish(this.#ingress, publish, this.price(from, now.mono), now);
    if (judged.type !== "stands") return [{ kind: "publish", from, publish, verdict: judged }];
    return this.#offer(from, { kind: "publish", publish, standing: judged }, now);
  }

  /** A message of our own: it enters the SeenFilter, so that one that comes back is known. */
  note(digest: Uint8Array, now: Now): void {
    this.#seen.add(digest, now.mono);
  }

  admitRepeat(link: NodeId, nowMono: number): boolean {
    return this.#quota.admitRepeat(link, nowMono);
  }

  /** The last link to this peer is gone, and what waited of it. */
  closed(link: NodeId): void {
    this.#quota.closed(link);
    this.#queue.closed(link);
  }

  tick(now: Now): Decision[] {
    this.#seen.advance(now.mono);
    return this.#serve(now);
  }

  nextDeadline(): number | null {
    return this.#queue.nextDeadline();
  }

  #offer(from: NodeId, offered: Offered, now: Now): Decision[] {
    const { id, sizeBytes, multiple } = offered.standing;
    if (this.#queue.passes(from, sizeBytes, multiple, now.mono)) return [this.#commit(from, offered, now)];
    if (this.#queue.waits(from, id)) return [decision(from, offered, { type: "waiting" })];
    const shed = this.#queue.offer({ link: from, id, item: copyOf(offered), sizeBytes, multiple }, now.mono);
    return [
      ...shed.map(({ waiting, limit }) => this.#shed(waiting.link, waiting.item, limit, now)),
      ...this.#serve(now),
    ];
  }

  #serve(now: Now): Decision[] {
    const { served, shed } = this.#queue.serve(now.mono);
    return [
      ...shed.map(({ waiting, limit }) => this.#shed(waiting.link, waiting.item, limit, now)),
      ...served.map(({ link, item }) => this.#again(link, item) ?? this.#commit(link, item, now)),
    ];
  }

  /** Another copy may have been quicker, over another link. */
  #again(from: NodeId, offered: Offered): Decision | undefined {
    const { id, digest } = offered.standing;
    if (!this.#seen.has(digest)) return undefined;
    if (offered.kind === "publish") {
      return { kind: "publish", from, publish: offered.publish, verdict: { type: "repeated", id } };
    }
    const type = this.#options.isPending(id) ? "pending" : "seen";
    return { kind: "send", from, send: offered.send, verdict: { type, id } };
  }

  /** The last rungs. From here on it is known. */
  #commit(from: NodeId, offered: Offered, now: Now): Decision {
    const { id, digest, sizeBytes } = offered.standing;
    const recipient = offered.kind === "send" ? offered.send.envelope.recipient : undefined;
    if (offered.kind === "send" && !this.#options.hasRoomFor(from, sizeBytes)) {
      return this.#shed(from, offered, "table", now);
    }
    const quota = this.#quota.admit(from, recipient, sizeBytes, now.mono);
    if (quota !== "admitted") return this.#shed(from, offered, quota, now);
    // The filter is at its hard cap: nothing is forgotten for it, so the new one is shed.
    if (!this.#seen.add(digest, now.mono)) return this.#shed(from, offered, "seen", now);
    return decision(from, offered, { type: "admitted", id });
  }

  #shed(from: NodeId, offered: Offered, limit: ShedLimit, now: Now): Decision {
    const { floor, publishFloor } = this.#options;
    const ofSize = offered.kind === "send" ? floor : publishFloor;
    const detail = effortAt(this.price(from, now.mono), ofSize(offered.standing.sizeBytes));
    return decision(from, offered, { type: "refused", reason: "shed", detail, limit });
  }
}

function decision(from: NodeId, offered: Offered, verdict: Admitted | IsWaiting | Refusal<"shed">): Decision {
  return offered.kind === "send"
    ? { kind: "send", from, send: offered.send, verdict }
    : { kind: "publish", from, publish: offered.publish, verdict };
}

/** What waits outlives the datagram that it is a view into. */
function copyOf(offered: Offered): Offered {
  if (offered.kind === "send") {
    const copy = decodeSend(encodeSend(offered.send));
    return copy.ok ? { ...offered, send: copy.value } : offered;
  }
  const copy = decodePublication(offered.publish.publication.encoded.slice());
  return copy.ok ? { ...offered, publish: { ...offered.publish, publication: copy.value } } : offered;
}
