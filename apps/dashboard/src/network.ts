import type { LocalClient, LocalEvent } from "@starling/local-client/web-socket";
import { feed } from "./feed.ts";
import { History } from "./history.ts";
import { type Snapshot, sampleBetween } from "./snapshot.ts";

const EVENTS_MAX = 200;

export type Connection =
  | { readonly state: "connecting" }
  | { readonly state: "connected"; readonly client: LocalClient }
  | { readonly state: "lost"; readonly why: string; readonly isFinal: boolean };

export function wordsOf(connection: Connection): string {
  if (connection.state === "connected") return "live";
  if (connection.state === "connecting") return "connecting…";
  return connection.isFinal
    ? "The token is missing or wrong: open the address that the node printed, with its #token."
    : `Not connected: ${connection.why}. Trying again.`;
}

export type LoggedEvent = { readonly key: number; readonly atMs: number; readonly event: LocalEvent };

/** What the page knows of the network; it tells its one listener of each change. */
export class Network {
  connection: Connection = { state: "connecting" };
  snapshot: Snapshot | undefined;
  readonly history: History = new History();
  // BOUNDED: EVENTS_MAX, newest first.
  events: readonly LoggedEvent[] = [];
  onChange: () => void = () => {};
  #lastKey = 0;

  run(options: { readonly url: string; readonly token: string }): Promise<void> {
    return feed(options, {
      onConnected: (client) => this.#set({ state: "connected", client }),
      onLost: (error, isFinal) => this.#set({ state: "lost", why: error.message, isFinal }),
      onSnapshot: (snapshot) => {
        const sample = this.snapshot && sampleBetween(this.snapshot, snapshot);
        if (sample !== undefined) this.history.add(sample);
        this.snapshot = snapshot;
        this.onChange();
      },
      onEvent: (event, atMs) => {
        this.#lastKey += 1;
        this.events = [{ key: this.#lastKey, atMs, event }, ...this.events.slice(0, EVENTS_MAX - 1)];
        this.onChange();
      },
    });
  }

  #set(connection: Connection): void {
    this.connection = connection;
    this.onChange();
  }
}
