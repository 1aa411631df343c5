import type { LocalEvent } from "@starling/local-client/web-socket";
import { clock, shortId } from "./format.ts";
import type { LoggedEvent } from "./network.ts";

const SHOWN_MAX = 60;

export function EventLog({ events }: { readonly events: readonly LoggedEvent[] }) {
  return (
    <section class="panel log" aria-label="Events">
      <h2>Events</h2>
      <ol class="scroll" aria-live="off">
        {events.slice(0, SHOWN_MAX).map(({ key, atMs, event }) => (
          <li key={key}>
            <time>{clock(atMs)}</time> <span>{describe(event)}</span>
          </li>
        ))}
      </ol>
      {events.length === 0 ? <p class="empty">Links, peers and broadcasts show here as they come.</p> : null}
    </section>
  );
}

function describe(event: LocalEvent): string {
  switch (event.type) {
    case "link":
      return `${event.link} ${event.change}: ${shortId(event.peer)}${event.reason === null ? "" : ` (${event.reason})`}`;
    case "peer":
      return event.change === "appeared" ? `met ${shortId(event.peer)}` : `lost ${shortId(event.peer)}`;
    case "broadcast":
      return `broadcast of ${shortId(event.from)}${event.topic === "" ? "" : ` on ${event.topic}`}: ${textOf(event.content)}`;
    default:
      return event.type;
  }
}

/** A stranger's bytes, as text that shows what it is. */
function textOf(content: Uint8Array): string {
  const text = new TextDecoder().decode(content.subarray(0, 120));
  return text.replaceAll(/[\p{Cc}\p{Cf}]/gu, "�");
}
