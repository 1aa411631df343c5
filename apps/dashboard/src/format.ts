// How values are written for people. What comes from other nodes is text and stays text: it is never made into HTML.

export function shortId(id: string): string {
  return `${id.slice(0, 8)}…${id.slice(-4)}`;
}

export function milliseconds(ms: number | null): string {
  if (ms === null) return "–";
  return ms > 0 && ms < 10 ? `${ms.toFixed(1)} ms` : `${Math.round(ms)} ms`;
}

export function duration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
  return `${Math.floor(seconds / 86_400)} d ${Math.floor((seconds % 86_400) / 3600)} h`;
}

export function bytesPerSecond(rate: number): string {
  if (rate < 1000) return `${Math.round(rate)} B/s`;
  if (rate < 1_000_000) return `${(rate / 1000).toFixed(1)} kB/s`;
  return `${(rate / 1_000_000).toFixed(1)} MB/s`;
}

export function clock(atMs: number): string {
  return new Date(atMs).toLocaleTimeString([], { hour12: false });
}
