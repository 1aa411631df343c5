import type { WebSocket } from "ws";
import type { CarrierEvents, OpenCarrier } from "./carrier.ts";

const TOO_LONG_ERROR = "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH";
/** The program counts as reading again below this. */
const DRAINED_BYTES = 64 * 1024;

/** A WebSocket: one message a message. */
export function overWebSocket(socket: WebSocket): OpenCarrier {
  return ({ onMessage, onTooLong, onDrained, onClosed }: CarrierEvents) => {
    socket.on("message", (data: Buffer) => onMessage(data));
    // ws itself closes with 1009 where a message is too long, and with 1002 or 1007 where a frame is damaged.
    socket.on("error", (error) => {
      if ("code" in error && error.code === TOO_LONG_ERROR) onTooLong();
      else socket.terminate();
    });
    socket.once("close", onClosed);
    let isBehind = false;
    const onSent = (): void => {
      if (!isBehind || socket.bufferedAmount > DRAINED_BYTES) return;
      isBehind = false;
      onDrained();
    };
    return {
      send: (text) => {
        if (socket.readyState !== socket.OPEN) return;
        socket.send(text, onSent);
        isBehind ||= socket.bufferedAmount > DRAINED_BYTES;
      },
      get unreadBytes() {
        return socket.bufferedAmount;
      },
      pause: () => socket.pause(),
      resume: () => socket.resume(),
      end: () => socket.close(),
      destroy: () => socket.terminate(),
    };
  };
}
