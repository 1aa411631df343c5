import {
  connectWebSocket,
  type LocalClient,
  LocalClientError,
  type LocalEvent,
} from "@starling/local-client/web-socket";
import type { Snapshot } from "./snapshot.ts";

// The connection to the node, kept for as long as the page is open.

const POLL_MS = 1000;
const RETRY_MS = 2000;

export type FeedEvents = {
  onSnapshot(snapshot: Snapshot): void;
  onEvent(event: LocalEvent, atMs: number): void;
  onConnected(client: LocalClient): void;
  /** `isFinal`: trying again is no use. */
  onLost(error: LocalClientError, isFinal: boolean): void;
};

/** Runs until the token is refused. */
export async function feed(
  options: { readonly url: string; readonly token: string },
  events: FeedEvents,
): Promise<void> {
  for (;;) {
    let client: LocalClient | undefined;
    try {
      client = await connectWebSocket(options);
      events.onConnected(client);
      await Promise.all([poll(client, events), follow(client, events)]);
    } catch (error) {
      if (!(error instanceof LocalClientError)) throw error;
      const isFinal = error.code === "E_NO_ACCESS";
      events.onLost(error, isFinal);
      if (isFinal) return;
    } finally {
      // What ended may be the events alone, or an answer that is not understood: the connection would stay beside the next one.
      client?.close();
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

async function poll(client: LocalClient, { onSnapshot }: FeedEvents): Promise<never> {
  for (;;) {
    const [status, peers] = await Promise.all([client.status(), client.peers()]);
    onSnapshot({ atMs: Date.now(), status, peers });
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** Messages and requests are not asked for: they would be taken from the programs for which they are. */
async function follow(client: LocalClient, { onEvent }: FeedEvents): Promise<void> {
  const events = await client.subscribe({ events: ["link", "peer", "broadcast"] });
  for await (const event of events) onEvent(event, Date.now());
}
