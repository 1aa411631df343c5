import type { NodeId } from "@starling/crypto-identity";
import type { Announce } from "@starling/wire-protocol";
import { verifyNodeRecord } from "@starling/wire-protocol";
import { isCloser } from "../distance.ts";
import type { Now } from "../now.ts";
import { Allowances } from "./allowances.ts";
import type { BootstrapDialler } from "./bootstrap.ts";
import type { CandidatePool } from "./candidate-pool.ts";
import type { Dials } from "./dials.ts";
import { ANCHORS, type Neighbour, type Neighbours } from "./neighbours.ts";
import type { MembershipOptions, MembershipOutput } from "./options.ts";
import type { PeerTable } from "./peer-table.ts";
import type { Room } from "./room.ts";
import { acceptsContact } from "./scope.ts";

// What a neighbour says of itself, and whether it is so, PROTOCOL §6: its record is believed once it is signed, and the addresses in
// it once it has answered a dial there. Everything here comes from an Announce, which is untrusted.

/** Announces that say something new cost a signature check each: so many at once, and one more in so long. */
const CHECKS = 5;
const CHECK_EVERY_MS = 10_000;

export type IntroductionsOptions = Pick<MembershipOptions, "network" | "passive"> & {
  readonly self: NodeId;
  readonly neighbours: Neighbours;
  readonly table: PeerTable;
  readonly pool: CandidatePool;
  readonly dials: Dials;
  readonly room: Room;
  readonly bootstrap: BootstrapDialler;
  readonly rttOf: (peer: NodeId) => number | undefined;
  /** Something has changed that upkeep should see. */
  readonly soon: (nowMono: number) => void;
};

export class Introductions {
  readonly #options: IntroductionsOptions;
  readonly #checks = new Allowances(CHECKS, CHECK_EVERY_MS);

  constructor(options: IntroductionsOptions) {
    this.#options = options;
  }

  announced(neighbour: Neighbour, { anchor, record }: Announce, now: Now): MembershipOutput[] {
    // Cheapest first: whose record it is and whether it is newer, before a curve operation is spent on its signature.
    if (record.id !== neighbour.id) return [{ type: "dropped", reason: "announce-of-another" }];
    const before = neighbour.record;
    if (before !== undefined && record.sequence < before.sequence) return [{ type: "dropped", reason: "announce-old" }];
    if (before !== undefined && record.sequence === before.sequence) {
      // The record that is known already: it is repeated to say that its author is still there, and whether we are its anchor.
      return this.#anchored({ ...neighbour, anchoredToUs: anchor }, now);
    }
    if (!record.addresses.every((address) => acceptsContact(address, neighbour.address))) {
      return [{ type: "dropped", reason: "announce-scope" }];
    }
    if (!this.#checks.take(neighbour.id, now.mono)) return [{ type: "dropped", reason: "announce-quota" }];
    if (!verifyNodeRecord(this.#options.network, record)) return [{ type: "dropped", reason: "announce-signature" }];
    // A copy: the decoded record is a view into a datagram's buffer.
    const kept = { ...record, encoded: record.encoded.slice() };
    const outputs = this.#anchored({ ...neighbour, record: kept, anchoredToUs: anchor }, now);
    return [...outputs, ...this.check(neighbour.id, now.mono)];
  }

  /** Its word alone does not make a neighbour reachable: it is dialled where it says it is. */
  check(peer: NodeId, nowMono: number): MembershipOutput[] {
    const { neighbours, dials, passive } = this.#options;
    const neighbour = neighbours.get(peer);
    const [address] = neighbour?.record?.addresses ?? [];
    if (neighbour === undefined || address === undefined || passive) return [];
    const isAnswered = neighbour.answeredAt?.ip === address.ip && neighbour.answeredAt.port === address.port;
    if (isAnswered || dials.has(peer) || !dials.mayDial(address, nowMono)) return [];
    return [dials.begin({ id: peer, address }, { keepMs: 0, isHearsay: true, once: false }, nowMono)];
  }

  /** Keeps a neighbour, reachable or not by what is known of it now. */
  judge(neighbour: Neighbour, nowMono: number): void {
    const { neighbours, table, pool, bootstrap, rttOf, soon } = this.#options;
    const { id, answeredAt, record } = neighbour;
    const isTrue =
      answeredAt !== undefined &&
      record?.addresses.some(({ ip, port }) => ip === answeredAt.ip && port === answeredAt.port) === true;
    const before = neighbours.get(id);
    let isTaken = false;
    if (isTrue) {
      pool.delete(id);
      isTaken = table.verified({ id, address: answeredAt }, rttOf(id), nowMono);
    } else if (record !== undefined) {
      table.forget(id);
    }
    // Whom the table has no room for carries nothing for us either: the block limits hold for routes as well.
    const reachable = isTaken || bootstrap.has(id);
    neighbours.set({ ...neighbour, reachable });
    if (before?.reachable !== reachable) soon(nowMono);
  }

  closed(peer: NodeId): void {
    this.#checks.closed(peer);
  }

  /** Keeps a neighbour's new state; one beyond the limit stays only as somebody's whose anchor we are. */
  #anchored(neighbour: Neighbour, now: Now): MembershipOutput[] {
    const { room } = this.#options;
    this.judge(neighbour, now.mono);
    if (!room.isProvisional(neighbour.id)) return [];
    if (!neighbour.anchoredToUs || !this.#isAmongClosest(neighbour.id)) return [];
    return room.stays(neighbour.id);
  }

  /** As far as we know, fewer than 4 reachable nodes are closer to this one than we are. */
  #isAmongClosest(id: NodeId): boolean {
    const { self, table } = this.#options;
    let closer = 0;
    for (const entry of table.values()) if (entry.id !== id && isCloser(id, entry.id, self)) closer += 1;
    return closer < ANCHORS;
  }
}
