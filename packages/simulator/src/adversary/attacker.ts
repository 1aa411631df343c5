import type { Identity, NodeId } from "@starling/crypto-identity";
import { SessionTable } from "@starling/session";
import type { Address, Contact, Frame } from "@starling/wire-protocol";
import { encodePong } from "@starling/wire-protocol";
import { type Core, Life, type Now } from "../life.ts";
import type { Place } from "../network.ts";
import type { HostOptions, World } from "../world.ts";

// A peer that keeps sessions as the protocol wants, and says on them whatever it likes.

type Act = { readonly type: "act"; readonly act: (now: Now) => void };
type Datagram = { readonly type: "datagram"; readonly from: Address; readonly bytes: Uint8Array };
type Transmit = { readonly type: "transmit"; readonly to: Address; readonly datagram: Uint8Array };

export class Attacker {
  readonly identity: Identity;
  readonly networkName: string;
  readonly place: Place;
  /** Peers with an open session. */
  readonly linked: Set<NodeId> = new Set();
  /** What it answers a Ping with, as contacts. */
  hearsay: () => readonly Contact[] = () => [];
  onFrame: ((peer: NodeId, frame: Frame) => void) | undefined;
  readonly #sessions: SessionTable;
  readonly #life: Life<Act | Datagram, Transmit>;

  constructor(world: World, host: HostOptions = {}) {
    const prepared = world.prepare(host);
    const { identity, place } = prepared.parts;
    this.identity = identity;
    this.networkName = prepared.networkName;
    this.place = place;
    this.#sessions = new SessionTable({
      crypto: prepared.sessionCrypto(),
      random: prepared.random.bytes,
      owner: {
        pongBody: ({ echo, observed, now }) => {
          const contacts = this.hearsay();
          return encodePong({
            type: "pong",
            echo,
            wallMs: now.wall,
            sendPrice: 1,
            publishPrice: 1,
            observed,
            contacts,
          });
        },
        nodesBody: () => new Uint8Array(0),
      },
      limits: { links: 4096 },
    });
    this.#life = new Life<Act | Datagram, Transmit>({
      ...prepared.parts,
      boot: () => this.#core(),
      perform: () => {},
    });
  }

  now(): Now {
    return this.#life.now();
  }

  connect({ id, address }: Contact): void {
    this.#act((now) => this.#sessions.connect(id, address, now));
  }

  /** Says something to a peer; nothing where there is no session. */
  say(peer: NodeId, frame: Frame): void {
    this.#act((now) => this.#sessions.send(peer, frame, now));
  }

  #act(act: (now: Now) => void): void {
    this.#life.feed({ type: "act", act });
  }

  #core(): Core<Act | Datagram, Transmit> {
    const sessions = this.#sessions;
    const flush = (now: Now): Transmit[] =>
      sessions.flush(now).map(({ to, datagram }) => ({ type: "transmit", to, datagram }));
    return {
      handle: (input, now) => {
        if (input.type === "act") input.act(now);
        else this.#hear(sessions.receive(input.bytes, input.from, now));
        return flush(now);
      },
      tick: (now) => {
        this.#hear(sessions.tick(now));
        return flush(now);
      },
      nextDeadline: () => sessions.nextDeadline(),
      close: () => [],
    };
  }

  #hear(events: ReturnType<SessionTable["tick"]>): void {
    for (const event of events) {
      if (event.type === "opened") this.linked.add(event.peer);
      else if (event.type === "closed") this.linked.delete(event.peer);
      else if (event.type === "frame") this.onFrame?.(event.peer, event.frame);
    }
  }
}
