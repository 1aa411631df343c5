import {
  connectWebSocket,
  type LocalClient,
  type LocalClientError,
  type Subscription,
} from "@starling/local-client/web-socket";
import { expose } from "./expose.ts";

let client: LocalClient | undefined;
let events: Subscription | undefined;

expose({
  async connect(options: { url: string; token: string }): Promise<string> {
    try {
      client = await connectWebSocket(options);
      events = await client.subscribe({ events: ["message"] });
      return "connected";
    } catch (error) {
      return (error as LocalClientError).code;
    }
  },
  submit: (to: string) => client?.submit({ to, content: Uint8Array.of(1, 2, 255) }),
  async next(): Promise<string> {
    const event = (await events?.next())?.value;
    return event?.type === "message" ? new TextDecoder().decode(event.content) : "none";
  },
});
