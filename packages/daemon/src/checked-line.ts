import { crc32 } from "node:zlib";

/** A line of a file in which what is cut off or damaged shows: `TEXT CRC-32`, with its end of line. */
export function checkedLine(text: string): string {
  return `${text} ${crc32(text).toString(16).padStart(8, "0")}\n`;
}

/** Its text, which has no space; undefined for a line that is not as it was written. */
export function readCheckedLine(line: string): string | undefined {
  const [text = ""] = line.split(" ");
  return line === checkedLine(text) ? text : undefined;
}
