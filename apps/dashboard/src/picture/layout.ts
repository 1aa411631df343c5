import type { PeerInfo } from "@starling/local-client/web-socket";
import { forceCollide, forceRadial, forceSimulation, type Simulation, type SimulationNodeDatum } from "d3-force";

// Where peers stand in the picture: this node in the middle, each peer as far from it as its round trip is long.

export type Dot = SimulationNodeDatum & {
  readonly id: string;
  peer: PeerInfo;
  /** Where its round trip puts it, 0 (here) to 1. */
  distance: number;
  x: number;
  y: number;
};

/** Round trips beyond this stand at the rim. */
const FARTHEST_MS = 400;
const UNKNOWN_DISTANCE = 0.9;
const NEAREST_DISTANCE = 0.18;
/** The radius within which distances are drawn. */
export const REACH = 100;

/** Logarithmic: the difference of 2 and 20 ms is as plain as that of 20 and 200. */
export function distanceOf(rttMs: number | null): number {
  if (rttMs === null) return UNKNOWN_DISTANCE;
  const share = Math.log1p(Math.min(rttMs, FARTHEST_MS)) / Math.log1p(FARTHEST_MS);
  return NEAREST_DISTANCE + (1 - NEAREST_DISTANCE) * share;
}

export class Layout {
  readonly #simulation: Simulation<Dot, undefined>;
  // BOUNDED: by the peers of the last answer.
  dots: Dot[] = [];

  constructor() {
    this.#simulation = forceSimulation<Dot>([])
      .force("distance", forceRadial<Dot>((dot) => dot.distance * REACH).strength(0.7))
      .velocityDecay(0.5)
      .stop();
  }

  /** Takes over who is there now; who was there stays where it stands. */
  update(peers: readonly PeerInfo[]): void {
    const known = new Map(this.dots.map((dot) => [dot.id, dot]));
    let isMoved = known.size !== peers.length;
    this.dots = peers.map((peer) => {
      const distance = distanceOf(peer.rttMs);
      const dot = known.get(peer.id);
      if (dot === undefined) {
        isMoved = true;
        const angle = angleOf(peer.id);
        const [x, y] = [Math.cos(angle) * distance * REACH, Math.sin(angle) * distance * REACH];
        return { id: peer.id, peer, distance, x, y };
      }
      if (Math.abs(dot.distance - distance) > 0.02) {
        dot.distance = distance;
        isMoved = true;
      }
      dot.peer = peer;
      return dot;
    });
    this.#simulation.nodes(this.dots).force("room", forceCollide<Dot>(roomOf(this.dots.length)).strength(0.6));
    if (isMoved) this.wake();
  }

  wake(): void {
    this.#simulation.alpha(Math.max(this.#simulation.alpha(), 0.4));
  }

  /** One step; false when all stand still. */
  step(): boolean {
    if (this.#simulation.alpha() < 0.02) return false;
    this.#simulation.tick();
    return true;
  }

  /** The peer at this place, if there is one. */
  at(x: number, y: number): Dot | undefined {
    return this.#simulation.find(x, y, 6);
  }
}

/** A peer keeps its direction from one visit to the next. */
function angleOf(id: string): number {
  return (Number.parseInt(id.slice(0, 8), 16) / 2 ** 32) * 2 * Math.PI;
}

function roomOf(count: number): number {
  return Math.max(2.2, Math.min(7, 60 / Math.sqrt(count + 1)));
}
