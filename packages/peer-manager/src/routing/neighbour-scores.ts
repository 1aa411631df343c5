import type { NodeId } from "@starling/crypto-identity";
import { AgedMap } from "../aged-map.ts";

// What this node knows of how well each neighbour delivers, PROTOCOL §7.6 (11). Only the recipient can reveal t, so an ack
// is knowledge, and its absence a hint: the recipient may be gone. So who has delivered lately has the benefit of the doubt: a missing
// ack counts only if the recipient has answered over some path within 10 min, before or soon after. Who has delivered nothing has
// not: most of what a node forwards is for recipients that it never hears of again, and one that loses everything would go on
// losing it. Either way it counts once a minute for each of the two.

/** Where a neighbour of whom nothing is known stands, and whereto scores drift back. */
const NEUTRAL = 0.6;
const GAIN = 0.15;
const HALF_LIFE_MS = 300_000;
const ALIVE_MS = 600_000;
/** How long a missing ack waits for its recipient's answer over another path. */
const SUSPECT_MS = 30_000;
const SAME_PAIR_MS = 60_000;
// BOUNDED: what was touched longest ago makes room.
const SCORES_MAX = 1024;
const RECIPIENTS_MAX = 4096;
const SUSPECTS_MAX = 8;
const PAIRS_MAX = 4096;

type Score = { readonly value: number; readonly atMono: number; readonly ackedMono: number };
type Recipient = { ackedMono: number; readonly suspects: { readonly peer: NodeId; readonly atMono: number }[] };

export class NeighbourScores {
  readonly #scores = new AgedMap<NodeId, Score>();
  readonly #recipients = new AgedMap<NodeId, Recipient>();
  readonly #pairs = new AgedMap<string, number>();

  /** 0 to 1: how much of what it took it has delivered lately. */
  of(peer: NodeId, nowMono: number): number {
    const score = this.#scores.get(peer);
    if (score === undefined) return NEUTRAL;
    return NEUTRAL + (score.value - NEUTRAL) * 2 ** ((score.atMono - nowMono) / HALF_LIFE_MS);
  }

  /** The recipient has answered over this neighbour. */
  acked(peer: NodeId, recipient: NodeId, nowMono: number): void {
    this.#move(peer, 1, nowMono);
    const known = this.#recipient(recipient);
    known.ackedMono = nowMono;
    for (const suspect of known.suspects.splice(0)) {
      if (suspect.peer !== peer && nowMono < suspect.atMono + SUSPECT_MS) this.#lower(suspect.peer, recipient, nowMono);
    }
  }

  /** No answer came over this neighbour. */
  missed(peer: NodeId, recipient: NodeId, nowMono: number): void {
    const known = this.#recipient(recipient);
    const hasDelivered = nowMono < this.#ackedMono(peer) + ALIVE_MS;
    if (!hasDelivered || nowMono < known.ackedMono + ALIVE_MS) {
      this.#lower(peer, recipient, nowMono);
    } else {
      known.suspects.push({ peer, atMono: nowMono });
      if (known.suspects.length > SUSPECTS_MAX) known.suspects.shift();
    }
  }

  #lower(peer: NodeId, recipient: NodeId, nowMono: number): void {
    const pair = `${peer}${recipient}`;
    if (nowMono < (this.#pairs.get(pair) ?? Number.NEGATIVE_INFINITY) + SAME_PAIR_MS) return;
    this.#pairs.renew(pair, nowMono, PAIRS_MAX);
    this.#move(peer, 0, nowMono);
  }

  #move(peer: NodeId, towards: 0 | 1, nowMono: number): void {
    const value = this.of(peer, nowMono);
    const ackedMono = towards === 1 ? nowMono : this.#ackedMono(peer);
    this.#scores.renew(peer, { value: value + GAIN * (towards - value), atMono: nowMono, ackedMono }, SCORES_MAX);
  }

  #ackedMono(peer: NodeId): number {
    return this.#scores.get(peer)?.ackedMono ?? Number.NEGATIVE_INFINITY;
  }

  #recipient(id: NodeId): Recipient {
    const known = this.#recipients.get(id) ?? { ackedMono: Number.NEGATIVE_INFINITY, suspects: [] };
    this.#recipients.renew(id, known, RECIPIENTS_MAX);
    return known;
  }
}
