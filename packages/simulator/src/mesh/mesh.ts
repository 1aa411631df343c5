import { EventQueue } from "../event-queue.ts";
import { type Latency, type Point, planeLatency } from "../latency.ts";
import type { SeededRandom } from "../seeded-random.ts";

// Nodes that are linked already, and what goes over their links: latency, loss, resending and bytes as sessions have them, but no
// cryptography, no handshakes and no Pings. It holds ten thousand nodes where whole cores would not, and it treats every scheme
// of spreading a message alike. What it leaves out is tested with whole cores (test/broadcast.test.ts).

/** UDP and IP headers, then a session's (session, DATA_OVERHEAD_BYTES). */
const DATAGRAM_BYTES: number = 28 + 29;
const ACK_BYTES = 8;
const ACK_DELAY_MS = 5;
const RTO_MAX_MS = 2000;
const RTO_GROWTH = 1.5;
/** From being suspected to being dead: probes of 1.5, 1, 1 and 1 s. */
const PROBED_MS = 4500;
/** A link whose peer died is found out between so many ms later, and so many more. */
const SILENT_LEAST_MS = 14_500;
const SILENT_SPREAD_MS = 10_000;
const DIAL_MS = 1000;

type Sent = {
  readonly from: number;
  readonly to: number;
  readonly bytes: number;
  readonly arrive: () => void;
  readonly handedBack: (() => void) | undefined;
  readonly triesMax: number;
  tries: number;
  sentMs: number;
  isAcknowledged: boolean;
  hasArrived: boolean;
};

export type Topology = {
  readonly links: Set<number>[];
  replacement?(node: number, lost: number): number | undefined;
  wanted?(node: number): number[];
};

/** A scheme's view of its links changing. */
export type LinkListener = {
  closed(node: number, peer: number): void;
  opened?(node: number, peer: number): void;
  /** The node is a new process. */
  started(node: number): void;
};

export class Mesh {
  readonly queue: EventQueue = new EventQueue();
  readonly points: readonly Point[];
  readonly isUp: boolean[];
  /** Since when. */
  readonly upSinceMs: number[];
  /** Copies of payloads on the wire, sending again included. */
  transmissions = 0;
  bytes = 0;
  listener: LinkListener | undefined;
  topology: Topology = { links: [] };
  readonly #latency: Latency = planeLatency();
  readonly #random: SeededRandom;
  readonly #loss: number;
  readonly #rttMs = new Map<number, number>();
  readonly #acksOwed = new Map<number, Sent[]>();

  constructor(options: { readonly nodes: number; readonly loss: number; readonly random: SeededRandom }) {
    const { nodes, loss, random } = options;
    this.#random = random;
    this.#loss = loss;
    this.points = Array.from({ length: nodes }, () => ({ x: random.fraction(), y: random.fraction() }));
    this.isUp = this.points.map(() => true);
    this.upSinceMs = this.points.map(() => 0);
  }

  peers(node: number): Set<number> {
    return this.topology.links[node] as Set<number>;
  }

  run(forMs: number): void {
    const untilMs = this.queue.nowMs + forMs;
    while (this.queue.step(untilMs));
  }

  /** One datagram; frames' bytes without its own headers. */
  datagram(from: number, to: number, bytes: number, arrive: (() => void) | undefined): void {
    const acks = this.#takeAcks(from, to);
    this.bytes += DATAGRAM_BYTES + bytes + (acks.length > 0 ? ACK_BYTES : 0);
    if (this.#random.fraction() < this.#loss) return;
    const bornMs = this.upSinceMs[to];
    this.queue.at(this.queue.nowMs + this.#draw(from, to), () => {
      if (!this.isUp[to] || this.upSinceMs[to] !== bornMs) return;
      for (const sent of acks) this.#acknowledged(sent);
      arrive?.();
    });
  }

  /** A frame that is acknowledged and sent again, as sessions do (PROTOCOL §5.1). */
  reliable(
    from: number,
    to: number,
    bytes: number,
    arrive: () => void,
    options: { readonly triesMax?: number; readonly handedBack?: () => void } = {},
  ): void {
    const { triesMax = Number.POSITIVE_INFINITY, handedBack } = options;
    const fate = { tries: 0, sentMs: 0, isAcknowledged: false, hasArrived: false };
    this.#try({ from, to, bytes, arrive, handedBack, triesMax, ...fate });
  }

  rttMs(from: number, to: number): number {
    const known = this.#rttMs.get(from * 65_536 + to);
    if (known !== undefined) return known;
    const first = this.#draw(from, to) + this.#draw(to, from);
    this.#rttMs.set(from * 65_536 + to, first);
    return first;
  }

  /** Its process is gone, with a word to its neighbours or without. */
  stop(node: number, says: "bye" | "nothing"): void {
    this.isUp[node] = false;
    for (const peer of this.peers(node)) {
      const afterMs =
        says === "bye" ? this.#draw(node, peer) : SILENT_LEAST_MS + this.#random.fraction() * SILENT_SPREAD_MS;
      this.#closeLater(peer, node, afterMs);
    }
  }

  start(node: number): void {
    for (const peer of [...this.peers(node)]) this.#close(peer, node);
    this.peers(node).clear();
    this.isUp[node] = true;
    this.upSinceMs[node] = this.queue.nowMs;
    this.listener?.started(node);
    for (const peer of this.topology.wanted?.(node) ?? []) {
      this.queue.at(this.queue.nowMs + this.#random.fraction() * DIAL_MS, () => this.#open(node, peer));
    }
  }

  /** The peer does not answer: it is probed, and if it is gone the link is. */
  suspect(node: number, peer: number): void {
    if (!this.isUp[peer]) this.#closeLater(node, peer, PROBED_MS);
  }

  #closeLater(node: number, peer: number, afterMs: number): void {
    const bornMs = this.upSinceMs[node];
    this.queue.at(this.queue.nowMs + afterMs, () => {
      if (this.upSinceMs[node] === bornMs && !this.isUp[peer]) this.#close(node, peer);
    });
  }

  #close(node: number, peer: number): void {
    if (!this.peers(node).delete(peer)) return;
    if (!this.isUp[node]) return;
    this.listener?.closed(node, peer);
    this.queue.at(this.queue.nowMs + this.#random.fraction() * DIAL_MS, () => {
      const other = this.topology.replacement?.(node, peer);
      if (other !== undefined) this.#open(node, other);
    });
  }

  #open(a: number, b: number): void {
    if (!this.isUp[a] || !this.isUp[b] || a === b || this.peers(a).has(b)) return;
    this.peers(a).add(b);
    this.peers(b).add(a);
    this.listener?.opened?.(a, b);
    this.listener?.opened?.(b, a);
  }

  #draw(from: number, to: number): number {
    return this.#latency(this.#random, this.points[from] as Point, this.points[to] as Point);
  }

  #try(sent: Sent): void {
    const { from, to, bytes } = sent;
    const { nowMs } = this.queue;
    sent.tries += 1;
    sent.sentMs = nowMs;
    this.transmissions += 1;
    this.datagram(from, to, bytes, () => this.#arrived(sent));
    const rtoMs = Math.min(RTO_MAX_MS, (1.1 * this.rttMs(from, to) + 10) * RTO_GROWTH ** (sent.tries - 1));
    const bornMs = this.upSinceMs[from];
    this.queue.at(nowMs + rtoMs, () => {
      const isOurs = this.isUp[from] && this.upSinceMs[from] === bornMs && this.peers(from).has(to);
      if (sent.isAcknowledged || !isOurs) return;
      if (sent.tries < sent.triesMax) this.#try(sent);
      else sent.handedBack?.();
    });
  }

  #arrived(sent: Sent): void {
    const key = sent.to * 65_536 + sent.from;
    const owed = this.#acksOwed.get(key);
    if (owed !== undefined) {
      owed.push(sent);
    } else {
      this.#acksOwed.set(key, [sent]);
      this.queue.at(this.queue.nowMs + ACK_DELAY_MS, () => {
        if (this.#acksOwed.has(key) && this.isUp[sent.to]) this.datagram(sent.to, sent.from, 0, undefined);
      });
    }
    if (sent.hasArrived) return;
    sent.hasArrived = true;
    sent.arrive();
  }

  #takeAcks(from: number, to: number): readonly Sent[] {
    const key = from * 65_536 + to;
    const acks = this.#acksOwed.get(key);
    if (acks === undefined) return [];
    this.#acksOwed.delete(key);
    return acks;
  }

  #acknowledged(sent: Sent): void {
    if (sent.isAcknowledged) return;
    sent.isAcknowledged = true;
    // Of what was sent twice nobody knows which copy is acknowledged; up faster than down, as sessions do.
    if (sent.tries > 1) return;
    const key = sent.from * 65_536 + sent.to;
    const known = this.rttMs(sent.from, sent.to);
    const error = this.queue.nowMs - sent.sentMs - known;
    this.#rttMs.set(key, known + error * (error > 0 ? 1 / 4 : 1 / 16));
  }
}
