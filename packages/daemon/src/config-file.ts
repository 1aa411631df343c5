import { readFileSync } from "node:fs";
import { parse, TomlError } from "smol-toml";
import { errnoOf } from "./errno.ts";
import { ConfigError } from "./errors.ts";
import { nearestName } from "./nearest-name.ts";
import { peerText } from "./peer-text.ts";

const MAX_BYTES = 1024 * 1024;

export type ConfigFile = {
  readonly path: string;
  /** By key; only known keys. */
  readonly values: ReadonlyMap<string, unknown>;
  /** The line on which a key stands, from 1. */
  lineOf(key: string): number | undefined;
};

/** Reads a TOML file that holds these keys and no others. Throws `ConfigError`. */
export function readConfigFile(path: string, known: readonly string[]): ConfigFile {
  const text = read(path);
  const values = new Map(Object.entries(parseToml(path, text)));
  const lineOf = (key: string): number | undefined => findLine(text, key);
  for (const key of values.keys()) {
    if (known.includes(key)) continue;
    const line = lineOf(key);
    const meant = nearestName(key, known);
    const advice = meant === undefined ? `known keys: ${known.join(", ")}` : `did you mean '${meant}'?`;
    const message = `${place(path, line)}: unknown key '${peerText(key)}'; ${advice}`;
    throw new ConfigError(message, { source: "file", path, key, value: values.get(key), line });
  }
  return { path, values, lineOf };
}

/** `PATH:LINE`, as editors and terminals open it. */
export function place(path: string, line: number | undefined): string {
  return line === undefined ? path : `${path}:${line}`;
}

function read(path: string): string {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    const errno = errnoOf(error) || "unknown error";
    const message = `the configuration file ${path} cannot be read (${errno}); check its name and permissions`;
    throw new ConfigError(message, { source: "file", path }, { cause: error });
  }
  if (bytes.length <= MAX_BYTES) return bytes.toString("utf8");
  throw new ConfigError(`${path} is too large to be a configuration file`, { source: "file", path });
}

function parseToml(path: string, text: string): Record<string, unknown> {
  try {
    return parse(text);
  } catch (error) {
    const line = error instanceof TomlError ? error.line : undefined;
    const [what] = error instanceof Error ? error.message.split("\n") : [String(error)];
    const message = `${place(path, line)}: ${what ?? "not TOML"}`;
    throw new ConfigError(message, { source: "file", path, line }, { cause: error });
  }
}

// The parser tells no places of keys, so the line is looked for: the first that begins with the key, or opens its table, and
// is not the inside of a longer string or array, which is so where all that stands above it is TOML by itself.
function findLine(text: string, key: string): number | undefined {
  const lines = text.split("\n");
  const index = lines.findIndex((line, at) => {
    const start = /^\s*\[{0,2}\s*(?:"([^"]*)"|'([^']*)'|([\w-]+))\s*[.=\]]/.exec(line);
    return (start?.[1] ?? start?.[2] ?? start?.[3]) === key && isToml(lines.slice(0, at).join("\n"));
  });
  return index < 0 ? undefined : index + 1;
}

function isToml(text: string): boolean {
  try {
    parse(text);
    return true;
  } catch {
    return false;
  }
}
