import { CommandError, EXIT } from "@starling/daemon";
import { type Address, formatAddress } from "@starling/wire-protocol";

// What a running relay says of itself over its own HTTP side, for a person or a script.

const TIMEOUT_MS = 5000;

export type RelayStatus = {
  readonly health: string;
  readonly id: string;
  readonly version: string;
  /** Samples by name and labels, those of ours without their prefix. */
  readonly metrics: Readonly<Record<string, number>>;
  /** Monotonic. */
  readonly atMs: number;
};

/** Rejects with `E_NO_DAEMON` where no relay answers there. */
export async function readStatus(http: Address | undefined): Promise<RelayStatus> {
  if (http === undefined) {
    const message = "this needs the relay's HTTP side: start it with --http 127.0.0.1:PORT, and give the same here";
    throw new CommandError("E_NO_DAEMON", message, EXIT.unavailable);
  }
  const where = formatAddress(http);
  const get = async (path: string): Promise<string> => {
    try {
      return await (await fetch(`http://${where}${path}`, { signal: AbortSignal.timeout(TIMEOUT_MS) })).text();
    } catch (error) {
      const message = `no relay answers on http://${where}; check that it runs, and its --http`;
      throw new CommandError("E_NO_DAEMON", message, EXIT.unavailable, { cause: error });
    }
  };
  const [health, descriptor, metrics] = await Promise.all([get("/healthz"), get("/descriptor"), get("/metrics")]);
  const { id, version } = parse(descriptor, where);
  return {
    health: String(parse(health, where).status),
    id: String(id),
    version: String(version),
    metrics: readMetrics(metrics),
    atMs: performance.now(),
  };
}

const OF_THE_PROCESS = ["process_resident_memory_bytes", "process_cpu_seconds_total", "process_start_time_seconds"];

function readMetrics(text: string): Record<string, number> {
  return Object.fromEntries(
    text.split("\n").flatMap((line) => {
      const at = line.lastIndexOf(" ");
      const name = line.slice(0, at);
      const isOurs = name.startsWith("starling_");
      if (!isOurs && !OF_THE_PROCESS.includes(name)) return [];
      return [[isOurs ? name.slice("starling_".length) : name, Number(line.slice(at + 1))]];
    }),
  );
}

function parse(text: string, where: string): Record<string, unknown> {
  try {
    return JSON.parse(text);
  } catch (error) {
    const message = `what answers on http://${where} is no relay; check the port`;
    throw new CommandError("E_NO_DAEMON", message, EXIT.unavailable, { cause: error });
  }
}
