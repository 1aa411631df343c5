import type { Socket } from "node:net";
import { LineReader } from "../line-framing.ts";
import { LineWriter } from "../line-writer.ts";
import type { CarrierEvents, OpenCarrier } from "./carrier.ts";

/** A unix socket: one message a line. */
export function overSocket(socket: Socket): OpenCarrier {
  return ({ onMessage, onTooLong, onDrained, onClosed }: CarrierEvents) => {
    const reader = new LineReader();
    const lines = new LineWriter(socket, onDrained);
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
    socket.on("error", () => socket.destroy());
    socket.once("close", onClosed);
    return {
      send: (text) => lines.send(text),
      get unreadBytes() {
        return lines.unreadBytes;
      },
      pause: () => socket.pause(),
      resume: () => socket.resume(),
      end: () => {
        lines.flush();
        socket.end();
      },
      destroy: () => socket.destroy(),
    };
  };
}
