import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { createRtcHub } from "@starling/rtc-transport";

// The same channel with nothing on it: rtc-transport here, and rtc-transport in another process that sends every message back.

const FAR_END = fileURLToPath(new URL("daemon-bare-end.ts", import.meta.url));
const LABEL = "c0ffee";

export type BareChannel = {
  /** Resolves when as many messages of this size have come back, so many under way at a time. */
  exchange(count: number, sizeBytes: number, window: number): Promise<void>;
  close(): Promise<void>;
};

export async function openBareChannel(): Promise<BareChannel> {
  const child = fork(FAR_END, { stdio: ["ignore", "inherit", "inherit", "ipc"], serialization: "advanced" });
  let onMessage = (): void => {};
  const hub = createRtcHub({
    bindAddresses: ["127.0.0.1"],
    listener: {
      candidate() {},
      described: (_, offer) => child.send(offer),
      opened: () => child.emit("opened"),
      message: () => onMessage(),
      closed() {},
    },
  });
  child.on("message", (answer) => hub.answer("bare", answer as Parameters<typeof hub.answer>[1]));
  const opened = once(child, "opened");
  hub.offer("bare", LABEL);
  await opened;
  return {
    exchange: (count, sizeBytes, window) =>
      new Promise((resolve) => {
        const message = new Uint8Array(sizeBytes);
        let sent = 0;
        let back = 0;
        const send = (): void => {
          if (sent >= count) return;
          sent += 1;
          hub.send("bare", message);
        };
        onMessage = () => {
          back += 1;
          if (back === count) resolve();
          else send();
        };
        for (let i = 0; i < window; i += 1) send();
      }),
    async close() {
      await hub.shutdown();
      child.disconnect();
      if (child.exitCode === null) await once(child, "exit");
    },
  };
}
