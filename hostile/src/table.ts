import type { Result } from "./run-attack.ts";

// Results as lines for a terminal and as the table of docs/SECURITY.md, which is the same.

export const HEAD: string =
  "| attack | amplification | CPU a bad one | memory | honest delivery | honest latency (95 %) | limit | measured | |\n" +
  "| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n";

/** Kept by every attack, and told in columns; they get a row only where they are broken. */
const IN_COLUMNS: readonly string[] = ["alive", "honest", "memory"];

/** One row for the attack and one for each further limit. */
export function rows(result: Result): string {
  const { attacked, unattacked, checks } = result;
  const amplification = result.amplification === undefined ? "–" : `${number(result.amplification)} x`;
  const cpu = result.cpuPerBadUs === undefined ? "–" : `${number(result.cpuPerBadUs)} µs`;
  const memory = result.growthMb === undefined ? "–" : `${number(result.growthMb)} MB`;
  const delivery = attacked === undefined ? "–" : `${number((100 * attacked.delivered) / attacked.sent)} %`;
  const latency = attacked && unattacked ? `${pair(attacked)}; alone ${pair(unattacked)}` : "–";
  return checks
    .filter(({ goal, isKept }) => !isKept || !IN_COLUMNS.includes(goal))
    .map(({ goal, what, value, unit, limit, isKept }, index) => {
      const own =
        index === 0
          ? `**${result.attack}** | ${amplification} | ${cpu} | ${memory} | ${delivery} | ${latency}`
          : " | | | | |";
      const sign = "atMost" in limit ? `≤ ${number(limit.atMost)}` : `≥ ${number(limit.atLeast)}`;
      const suffix = unit === "" ? "" : ` ${unit}`;
      return `| ${own} | ${goal}: ${what} ${sign}${suffix} | ${number(value)}${suffix} | ${isKept ? "kept" : "**broken**"} |\n`;
    })
    .join("");
}

function pair({ medianMs, p95Ms }: { readonly medianMs: number; readonly p95Ms: number }): string {
  return `${number(medianMs)} (${number(p95Ms)}) ms`;
}

/** Three digits that matter. */
function number(value: number): string {
  if (!Number.isFinite(value)) return "not measured";
  const digits = value === 0 ? 0 : Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toLocaleString("en-US", { maximumFractionDigits: Math.min(digits, 12) });
}
