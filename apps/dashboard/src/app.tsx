import { useEffect, useState } from "preact/hooks";
import { EventLog } from "./event-log.tsx";
import { bytesPerSecond, duration, milliseconds, shortId } from "./format.ts";
import { type Connection, type Network, wordsOf } from "./network.ts";
import { PeerTable } from "./peer-table.tsx";
import { NetworkPicture } from "./picture/network-picture.tsx";
import { Plot } from "./plot.tsx";
import { SendBox } from "./send-box.tsx";
import type { Snapshot } from "./snapshot.ts";

const NOBODY: [] = [];
const TRAFFIC = [
  { label: "sent", colour: "channel" },
  { label: "received", colour: "session" },
];
const ROUND_TRIPS = [
  { label: "channels", colour: "channel" },
  { label: "sessions", colour: "session" },
];
const perSecond = (rate: number): string => `${rate > 0 && rate < 10 ? rate.toFixed(1) : Math.round(rate)}/s`;

export function App({ network }: { readonly network: Network }) {
  useChanges(network);
  const [selected, setSelected] = useState<string>();
  const [to, setTo] = useState("");
  const select = (id: string | undefined): void => {
    setSelected(id);
    if (id !== undefined) setTo(id);
  };
  const { connection, snapshot, history } = network;
  const peers = snapshot?.peers ?? NOBODY;
  const client = connection.state === "connected" ? connection.client : undefined;
  return (
    <>
      <Header connection={connection} snapshot={snapshot} />
      <main>
        <section class="panel network" aria-label="Network">
          <NetworkPicture peers={peers} selected={selected} onSelect={select} />
        </section>
        <div class="panel plots">
          <Plot
            title="Datagrams"
            rows={history.rows(
              ({ sentPerSecond }) => sentPerSecond,
              ({ receivedPerSecond }) => receivedPerSecond,
            )}
            lines={TRAFFIC}
            format={perSecond}
          />
          <Plot
            title="Round trip, median"
            rows={history.rows(
              ({ channelRttMs }) => channelRttMs,
              ({ sessionRttMs }) => sessionRttMs,
            )}
            lines={ROUND_TRIPS}
            format={milliseconds}
          />
          <Plot
            title="Traffic"
            rows={history.rows(({ bytesPerSecond: bytes }) => bytes)}
            lines={[{ label: "both ways", colour: "accent" }]}
            format={bytesPerSecond}
          />
        </div>
        <SendBox client={client} to={to} onTo={setTo} />
        <PeerTable peers={peers} nowMs={snapshot?.atMs ?? 0} selected={selected} onSelect={select} />
        <EventLog events={network.events} />
      </main>
    </>
  );
}

/** Draws anew when something changed, once a frame at most. */
function useChanges(network: Network): void {
  const [, setCount] = useState(0);
  useEffect(() => {
    let frame = 0;
    network.onChange = () => {
      frame ||= requestAnimationFrame(() => {
        frame = 0;
        setCount((count) => count + 1);
      });
    };
    network.onChange();
    return () => cancelAnimationFrame(frame);
  }, [network]);
}

function Header({
  connection,
  snapshot,
}: {
  readonly connection: Connection;
  readonly snapshot: Snapshot | undefined;
}) {
  const status = snapshot?.status;
  const facts: [string, string | number][] = status
    ? [
        ["network", status.network],
        ["sessions", status.sessions],
        ["channels", status.channels],
        ["anchors", status.anchors.length],
        ["waiting", status.waiting],
        ["up for", duration(status.uptimeMs)],
      ]
    : [];
  return (
    <header class="top">
      <h1>
        <Logo /> Starling
      </h1>
      {status ? (
        <button
          type="button"
          class="id"
          title={`${status.id} (click to copy)`}
          onClick={() => navigator.clipboard?.writeText(status.id)}
        >
          {shortId(status.id)}
        </button>
      ) : null}
      <dl>
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <p class={`connection ${connection.state}`} role="status">
        {wordsOf(connection)}
      </p>
    </header>
  );
}

function Logo() {
  return (
    <svg viewBox="0 0 24 24" width="22" height="22" aria-hidden="true">
      <path d="M2 14c5 0 7-8 12-8 3 0 4 2 8 2-2 2-4 2-5 5-1 4-4 6-8 6 1-1 2-2 2-4-3 2-6 2-9-1z" fill="currentColor" />
    </svg>
  );
}
