// A client that reconnects to a daemon that takes the connection and then refuses it: over a transport of its own, in fake time.
import { afterEach, beforeEach, expect, jest, test } from "@jest/globals";
import { createClient, type OpenTransport } from "../src/client.ts";
import { INFO } from "./support.ts";

const REFUSAL = { jsonrpc: "2.0", id: null, error: { code: -32000, message: "full", data: { code: "E_QUOTA" } } };
/** What refusals take in fake time: less than any pause, so that one that is left out shows. */
const REFUSED_MS = 1;

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ["queueMicrotask", "nextTick"] });
});
afterEach(() => {
  jest.useRealTimers();
});

const bytes = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

/** A daemon that is full, or not, and counts who comes. */
class Daemon {
  isFull = false;
  dialCount = 0;
  /** The connection that it keeps. */
  kept: { readonly tell: (value: unknown) => void; readonly lose: () => void } | undefined;

  readonly dial = async (): Promise<OpenTransport> => {
    this.dialCount += 1;
    return this.open;
  };

  readonly open: OpenTransport = ({ onLine, onClose }) => {
    const { isFull } = this;
    const tell = (value: unknown): void => onLine(bytes(value));
    const lose = (): void => onClose("lost");
    if (isFull) {
      setTimeout(() => {
        tell(REFUSAL);
        lose();
      }, REFUSED_MS);
    } else this.kept = { tell, lose };
    const send = (text: string): void => {
      if (isFull) return;
      const { id, method } = JSON.parse(text);
      queueMicrotask(() =>
        tell({ jsonrpc: "2.0", id, result: method === "subscribe" ? { subscription: "s1" } : INFO }),
      );
    };
    return { send, close: lose };
  };
}

test("a daemon that refuses each time is dialled less and less often, and again soon once it has served", async () => {
  const daemon = new Daemon();
  const client = createClient(daemon.open, daemon.dial);
  daemon.isFull = true;
  daemon.kept?.lose();
  await jest.advanceTimersByTimeAsync(3000);
  // Half of 50, 100, 200, … ms each at least.
  expect(daemon.dialCount).toBeLessThanOrEqual(7);
  expect(daemon.dialCount).toBeGreaterThanOrEqual(5);
  daemon.isFull = false;
  await jest.advanceTimersByTimeAsync(5000);
  expect(await client.info()).toEqual(INFO);
  const before = daemon.dialCount;
  daemon.kept?.lose();
  await jest.advanceTimersByTimeAsync(50);
  expect(daemon.dialCount).toBe(before + 1);
  client.close();
});

test("its subscriptions outlast a refusal; a call that meets it is told why", async () => {
  const daemon = new Daemon();
  const client = createClient(daemon.open, daemon.dial);
  const events = await client.subscribe({ events: ["link"] });
  const next = events.next();
  daemon.isFull = true;
  daemon.kept?.lose();
  const refused = client.info().catch((error: unknown) => error);
  await jest.advanceTimersByTimeAsync(3000);
  expect(await refused).toMatchObject({ code: "E_QUOTA", message: "full" });
  daemon.isFull = false;
  await jest.advanceTimersByTimeAsync(5000);
  const event = { type: "link", link: "session", change: "opened", peer: INFO.id, address: null, reason: null, at: 1 };
  daemon.kept?.tell({ jsonrpc: "2.0", method: "event", params: { subscription: "s1", ...event } });
  expect(await next).toEqual({ done: false, value: event });
  client.close();
});
