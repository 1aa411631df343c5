import { paint } from "./output.ts";
import { visible } from "./text.ts";

const QUIET = new Set(["level", "time", "name", "msg", "pid"]);

/** A JSON line of the log as a person reads it: time, level, message, fields. */
export function logLine(json: string): string {
  const line: Readonly<Record<string, unknown>> = JSON.parse(json);
  const level = String(line.level);
  const fields = Object.entries(line)
    .filter(([name, value]) => !QUIET.has(name) && value !== null)
    .map(
      ([name, value]) =>
        ` ${paint("dim", `${name}=`)}${typeof value === "string" ? visible(value) : JSON.stringify(value)}`,
    );
  const time = new Date(String(line.time)).toLocaleTimeString("en-GB");
  return `${paint("dim", time)} ${levelText(level)} ${visible(String(line.msg ?? ""))}${fields.join("")}\n`;
}

function levelText(level: string): string {
  const text = level.padEnd(5);
  if (level === "warn") return paint("yellow", text);
  return level === "error" || level === "fatal" ? paint("red", text) : paint("green", text);
}
