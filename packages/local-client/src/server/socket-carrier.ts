import type { Socket } from "node:net";
import { LineReader } from "../line-framing.ts";
import type { CarrierEvents, OpenCarrier } from "./carrier.ts";

/** A unix socket: one message a line. */
export function overSocket(socket: Socket): OpenCarrier {
  return ({ onMessage, onTooLong, onDrained, onClosed }: CarrierEvents) => {
    const reader = new LineReader();
    socket.on("data", (chunk: Buffer) => {
      const lines = reader.push(chunk);
      if (lines === "too-long") {
        socket.removeAllListeners("data");
        socket.resume();
        onTooLong();
        return;
      }
      for (const line of lines) onMessage(line);
    });
    socket.on("drain", onDrained);
    socket.on("error", () => socket.destroy());
    socket.once("close", onClosed);
    return {
      send: (text) => {
        if (socket.writable) socket.write(`${text}\n`);
      },
      get unreadBytes() {
        return socket.writableLength;
      },
      pause: () => socket.pause(),
      resume: () => socket.resume(),
      end: () => socket.end(),
      destroy: () => socket.destroy(),
    };
  };
}
