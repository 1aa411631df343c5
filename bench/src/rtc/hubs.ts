// Two hubs in this process, and what they say.
import { type CloseReason, createRtcHub, type RtcHub, type RtcHubOptions } from "@starling/rtc-transport";
import type { Description } from "@starling/wire-protocol";

export const LABEL = "00112233445566778899aabbccddeeff00112233";
export const HOST = "127.0.0.1";

export class HubEnd {
  readonly hub: RtcHub;
  readonly closedAs: Map<string, CloseReason> = new Map();
  received = 0;
  onMessage: () => void = () => {};
  /** Channels that were begun and are not closed, and how far each is. */
  readonly live: Map<string, "gathering" | "described" | "open"> = new Map();
  readonly #closed: Map<string, () => void> = new Map();
  readonly #described: Map<string, (description: Description) => void> = new Map();
  readonly #opened: Map<string, () => void> = new Map();

  /** On loopback, or on the addresses that a hub takes by itself. */
  constructor(options: Partial<RtcHubOptions> = {}, where: "loopback" | "anywhere" = "loopback") {
    this.hub = createRtcHub({
      ...(where === "loopback" ? { bindAddresses: [HOST] } : {}),
      maxDials: 16,
      maxChannels: 1000,
      ...options,
      listener: {
        described: (channel, description) => {
          this.live.set(channel, "described");
          this.#described.get(channel)?.(description);
        },
        candidate: () => {},
        opened: (channel) => {
          this.live.set(channel, "open");
          this.#opened.get(channel)?.();
        },
        message: () => {
          this.received += 1;
          this.onMessage();
        },
        closed: (channel, reason) => {
          this.closedAs.set(channel, reason);
          this.#described.delete(channel);
          this.#opened.delete(channel);
          this.live.delete(channel);
          this.#closed.get(channel)?.();
          this.#closed.delete(channel);
        },
      },
    });
  }

  described(channel: string): Promise<Description> {
    return new Promise((resolve) => this.#described.set(channel, resolve));
  }

  opened(channel: string): Promise<void> {
    return new Promise((resolve) => this.#opened.set(channel, resolve));
  }

  closed(channel: string): Promise<void> {
    return new Promise((resolve) => this.#closed.set(channel, resolve));
  }
}

export async function openHubs(
  a: HubEnd,
  b: HubEnd,
  channel = "c",
): Promise<readonly [offer: Description, answer: Description]> {
  const open = Promise.all([a.opened(channel), b.opened(channel)]);
  const [offer, answer] = [a.described(channel), b.described(channel)];
  a.live.set(channel, "gathering");
  a.hub.offer(channel, LABEL);
  const described = await offer;
  b.live.set(channel, "gathering");
  b.hub.accept(channel, LABEL, described);
  a.hub.answer(channel, await answer);
  await open;
  return Promise.all([offer, answer]);
}

/** Sends `count` messages, and resolves when they are at the other end. */
export async function pumpHubs(a: HubEnd, b: HubEnd, count: number, message: Uint8Array): Promise<void> {
  const target = b.received + count;
  const arrived = new Promise<void>((resolve) => {
    b.onMessage = () => b.received === target && resolve();
  });
  for (let sent = 0; sent < count; sent += 1) {
    while (a.hub.send("c", message) === "full") await a.hub.room("c");
  }
  await arrived;
}
