import type { NodeId } from "@starling/crypto-identity";
import { AgedMap } from "../aged-map.ts";

// Routes learned from verified SendAcks only, PROTOCOL §7.6: a neighbour over which a recipient is known to have answered.

const ROUTE_LIFETIME_MS = 120_000;
// BOUNDED: the oldest route makes room. A stranger's Send adds none; only an ack that opens a lock does.
const ROUTES_MAX = 4096;

type Route = { readonly via: NodeId; readonly expiresMono: number };

export class RouteTable {
  readonly #routes = new AgedMap<NodeId, Route>();

  learn(recipient: NodeId, via: NodeId, nowMono: number): void {
    this.#routes.renew(recipient, { via, expiresMono: nowMono + ROUTE_LIFETIME_MS }, ROUTES_MAX);
  }

  /** The neighbour to use, while the route is fresh. */
  via(recipient: NodeId, nowMono: number): NodeId | undefined {
    const route = this.#routes.get(recipient);
    return route !== undefined && route.expiresMono > nowMono ? route.via : undefined;
  }

  /** A hop on this route failed: fall back to distance at once (an old route is worse than none). */
  forget(recipient: NodeId, via: NodeId): void {
    if (this.#routes.get(recipient)?.via === via) this.#routes.delete(recipient);
  }
}
