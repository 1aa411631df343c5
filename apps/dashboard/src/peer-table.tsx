import type { PeerInfo } from "@starling/local-client/web-socket";
import { useState } from "preact/hooks";
import { duration, milliseconds, shortId } from "./format.ts";

type Column = "id" | "link" | "rttMs" | "since";
type Props = {
  readonly peers: readonly PeerInfo[];
  readonly nowMs: number;
  readonly selected: string | undefined;
  readonly onSelect: (id: string) => void;
};

const COLUMNS: readonly (readonly [Column, string])[] = [
  ["id", "peer"],
  ["link", "link"],
  ["rttMs", "round trip"],
  ["since", "up for"],
];
const LINKS = { session: "session", channel: "channel", both: "both" };
/** More rows than anybody reads; the rest is told as a number. */
const ROWS_MAX = 100;

export function PeerTable({ peers, nowMs, selected, onSelect }: Props) {
  const [column, setColumn] = useState<Column>("rttMs");
  const sorted = peers.toSorted((a, b) => compare(a[column], b[column]) || compare(a.id, b.id));
  return (
    <section class="panel peers" aria-label="Peers">
      <h2>
        Peers <span class="count">{peers.length}</span>
      </h2>
      <div class="scroll">
        <table>
          <thead>
            <tr>
              {COLUMNS.map(([name, title]) => (
                <th key={name} scope="col" aria-sort={name === column ? "ascending" : "none"}>
                  <button type="button" onClick={() => setColumn(name)}>
                    {title}
                    {name === column ? " ▴" : ""}
                  </button>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {sorted.slice(0, ROWS_MAX).map((peer) => (
              <tr key={peer.id} class={peer.id === selected ? "selected" : ""}>
                <th scope="row">
                  <button type="button" title={peer.id} onClick={() => onSelect(peer.id)}>
                    {shortId(peer.id)}
                  </button>
                  {peer.anchor ? <span class="badge">anchor</span> : null}
                </th>
                <td>
                  <span class={`key ${peer.link === "session" ? "session" : "channel"}`}>{LINKS[peer.link]}</span>
                </td>
                <td class="number">{milliseconds(peer.rttMs)}</td>
                <td class="number">{duration(nowMs - peer.since)}</td>
              </tr>
            ))}
          </tbody>
        </table>
        {peers.length === 0 ? <p class="empty">No peers yet. Give the node one with --bootstrap ID@IP:PORT.</p> : null}
        {peers.length > ROWS_MAX ? <p class="empty">and {peers.length - ROWS_MAX} more</p> : null}
      </div>
    </section>
  );
}

function compare(a: string | number | null, b: string | number | null): number {
  if (a === b) return 0;
  if (a === null) return 1;
  if (b === null) return -1;
  return a < b ? -1 : 1;
}
