import { createRtcHub } from "@starling/rtc-transport";

// The far end of a bare channel: answers the offer that its parent sends, and sends back what comes.

const hub = createRtcHub({
  bindAddresses: ["127.0.0.1"],
  listener: {
    candidate() {},
    described: (_, answer) => void process.send?.(answer),
    opened() {},
    message: (channel, message) => void hub.send(channel, message),
    closed() {},
  },
});
process.on("message", (offer) => hub.accept("bare", "c0ffee", offer as Parameters<typeof hub.accept>[2]));
process.on("disconnect", () => void hub.shutdown().then(() => process.exit(0)));
