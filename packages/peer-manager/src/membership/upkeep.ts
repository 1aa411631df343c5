import type { NodeId, RandomSource } from "@starling/crypto-identity";
import type { Contact } from "@starling/wire-protocol";
import { bucketIndex, closestOf, isCloser } from "../distance.ts";
import type { CandidatePool } from "./candidate-pool.ts";
import type { Dials } from "./dials.ts";
import { fraction } from "./jitter.ts";
import { ANCHORS, type Neighbour, type Neighbours } from "./neighbours.ts";
import type { LinkView } from "./options.ts";
import type { PeerTable, TableEntry } from "./peer-table.ts";

// Which links a node wants, PROTOCOL §6: its 4 closest reachable nodes, and one for each non-empty bucket, the one with the lowest
// latency. Two pure questions over the tables: whom to dial, and what to hang up.

/** Candidates of a bucket that has no link which are tried at once; the best of them stays. */
const DIALS_PER_BUCKET = 2;
const ANCHOR_DIALS = 3;
/** A link has time to learn what its peer is before it is judged. */
const SETTLE_MS = 5000;
/**
 * For so long a dial stands for the link that it may become, and then the link for what its peer's record may say: meanwhile nobody
 * else is dialled in its stead. Else whoever joins in a crowd dials all that it hears of within a second, and so does everybody.
 */
const VERDICT_MS = 1500;
/** Up to so many links none is surplus: small networks are fully linked. */
const LINKS_FREE = 16;
/** With so many others, a bootstrap node is a neighbour like any other. */
const INDEPENDENT = 8;
/** Another link of the bucket is better when its round trip is at most this part of ours. */
const BETTER = 0.9;
/** A table entry without a link is asked again whether it is there after this long. */
const STALE_MS = 300_000;

export type UpkeepView = LinkView & {
  readonly self: NodeId;
  readonly neighbours: Neighbours;
  readonly table: PeerTable;
  readonly pool: CandidatePool;
  readonly isBootstrap: (id: NodeId) => boolean;
  readonly dials: Pick<Dials, "has" | "begunSince" | "mayTry">;
  /** Anchors that may be of one block. */
  readonly anchorsPerBlock: number;
  readonly nowMono: number;
  readonly random: RandomSource;
};

/** Whom to dial for the links that are missing, the most wanted first. */
export function dialsWanted(view: UpkeepView): Contact[] {
  const { self, neighbours } = view;
  const anchors = neighbours.anchors();
  const farthest = anchors.length < ANCHORS ? undefined : anchors.at(-1);
  const covered = new Set(neighbours.reachable().map(({ bucket }) => bucket));
  // Most of what is known lies in buckets that have their link and farther off than the anchors: it is not looked at any closer.
  const mayBeWanted = ({ bucket }: Tryable) =>
    !covered.has(bucket) || farthest === undefined || bucket <= farthest.bucket;
  const tryable = tryableContacts(view, mayBeWanted);
  const isWantedAnchor = ({ id, block }: Tryable): boolean => {
    if (farthest !== undefined && !isCloser(self, id, farthest.id)) return false;
    if (block === undefined) return true;
    const closer = anchors.filter((anchor) => anchor.block === block && isCloser(self, anchor.id, id));
    return closer.length < view.anchorsPerBlock;
  };
  const tried = triedLately(view);
  const triedAsAnchor = tried.filter((id) => farthest === undefined || isCloser(self, id, farthest.id)).length;
  const dials = new Map<NodeId, Tryable>();
  const anchorDials = Math.max(0, ANCHOR_DIALS - triedAsAnchor);
  for (const found of closestOf(self, tryable, anchorDials, isWantedAnchor)) dials.set(found.id, found);

  const byBucket = new Map<number, Tryable[]>();
  for (const contact of tryable) {
    if (covered.has(contact.bucket)) continue;
    const same = byBucket.get(contact.bucket);
    if (same === undefined) byBucket.set(contact.bucket, [contact]);
    else same.push(contact);
  }
  for (const [bucket, contacts] of byBucket) {
    const triedInBucket = tried.filter((id) => bucketIndex(self, id) === bucket).length;
    if (triedInBucket >= DIALS_PER_BUCKET) continue;
    const shuffled = contacts.map((contact) => ({ contact, key: contact.rttMs ?? 1000 * fraction(view.random) }));
    shuffled.sort((a, b) => a.key - b.key);
    for (const { contact } of shuffled.slice(0, DIALS_PER_BUCKET - triedInBucket)) dials.set(contact.id, contact);
  }
  return [...dials.values()].map(({ id, address }) => ({ id, address }));
}

/** Somebody to try out: hearsay that the table has room for, or an entry that was not heard of for long. */
export function explorationWanted(view: UpkeepView): Contact | undefined {
  const { table, nowMono } = view;
  const tryable = tryableContacts(view).filter((contact) => {
    const entry = table.get(contact.id);
    return entry === undefined ? table.hasRoomFor(contact) : nowMono >= entry.lastSeenMono + STALE_MS;
  });
  return tryable[Math.floor(fraction(view.random) * tryable.length)];
}

/** Links of our own making that are of no use to us. */
export function linksUnwanted(view: UpkeepView): NodeId[] {
  const { neighbours, nowMono, isBootstrap, isInUse } = view;
  if (neighbours.size <= LINKS_FREE) return [];
  const reachable = neighbours.reachable();
  const anchors = new Set(neighbours.anchors());
  const unwanted: NodeId[] = [];
  for (const neighbour of neighbours.values()) {
    const { id, dialled, sinceMono, keepUntilMono, anchoredToUs } = neighbour;
    if (!dialled || anchoredToUs || nowMono < Math.max(sinceMono + SETTLE_MS, keepUntilMono)) continue;
    if (anchors.has(neighbour) || (isBootstrap(id) && reachable.length < INDEPENDENT)) continue;
    if (neighbour.reachable && isBestOfBucket(neighbour, reachable, view)) continue;
    if (isInUse(id, nowMono)) continue;
    unwanted.push(id);
  }
  return unwanted;
}

/** The neighbour that a full node gives up first: never an anchor; undefined where all are anchors. */
export function leastUseful(view: Pick<UpkeepView, "neighbours">): Neighbour | undefined {
  const { neighbours } = view;
  const anchors = new Set(neighbours.anchors());
  const crowd = new Map<string, number>();
  for (const { block } of neighbours.values()) if (block !== undefined) crowd.set(block, (crowd.get(block) ?? 0) + 1);
  let least: { readonly neighbour: Neighbour; readonly use: number } | undefined;
  for (const neighbour of neighbours.values()) {
    if (anchors.has(neighbour)) continue;
    const { anchoredToUs, reachable, block } = neighbour;
    // Of those that serve alike, the ones whose block has most links go first, then the youngest.
    const use =
      (anchoredToUs ? 4 : 0) + (reachable ? 2 : 0) - (block === undefined ? 0 : (crowd.get(block) ?? 0) / 1024);
    const isLess = least === undefined || use < least.use;
    if (isLess || (use === least?.use && neighbour.sinceMono > least.neighbour.sinceMono)) least = { neighbour, use };
  }
  return least?.neighbour;
}

type Tryable = Contact & {
  readonly block: string | undefined;
  readonly bucket: number;
  readonly rttMs?: number | undefined;
};

/** Dials and links of which it will soon be known whether they are of use. */
function triedLately({ neighbours, dials, nowMono }: UpkeepView): NodeId[] {
  const sinceMono = nowMono - VERDICT_MS;
  const tried = dials.begunSince(sinceMono);
  for (const neighbour of neighbours.values()) {
    if (neighbour.dialled && !neighbour.reachable && neighbour.sinceMono >= sinceMono) tried.push(neighbour.id);
  }
  return tried;
}

function tryableContacts(
  { neighbours, table, pool, dials, nowMono }: UpkeepView,
  mayBeWanted: (contact: Tryable) => boolean = () => true,
): Tryable[] {
  const isFree = (id: NodeId) => neighbours.get(id) === undefined && !dials.has(id);
  const tryable: Tryable[] = [];
  for (const entry of table.values()) {
    if (mayBeWanted(entry) && nowMono >= entry.nextDialMono && isFree(entry.id)) tryable.push(entry as TableEntry);
  }
  for (const candidate of pool.values()) {
    if (!mayBeWanted(candidate)) continue;
    if (table.get(candidate.id) === undefined && isFree(candidate.id) && dials.mayTry(candidate, nowMono)) {
      tryable.push(candidate);
    }
  }
  return tryable;
}

function isBestOfBucket(neighbour: Neighbour, reachable: readonly Neighbour[], { rttOf }: UpkeepView): boolean {
  const rttMs = rttOf(neighbour.id) ?? Number.POSITIVE_INFINITY;
  let isFirst = true;
  for (const other of reachable) {
    if (other.bucket !== neighbour.bucket || other === neighbour) continue;
    const otherMs = rttOf(other.id) ?? Number.POSITIVE_INFINITY;
    if (otherMs <= BETTER * rttMs) return false;
    // Of two that are alike the one that has lasted longer is kept.
    if (otherMs < rttMs / BETTER && other.sinceMono < neighbour.sinceMono) isFirst = false;
  }
  return isFirst;
}
