import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "@jest/globals";
import { encodeBye, encodeMessage, FRAME_KIND, isReliable, SEALED_BODY_SIZES } from "../src/index.ts";

// docs/PROTOCOL.md is what a second implementation is written from: its tables are held to the code here. What another package
// keeps to itself is read out of its source text.

const root = new URL("../../../", import.meta.url);
const text = (path: string) => readFileSync(new URL(path, root), "utf8");
const document = text("docs/PROTOCOL.md");

/** The rows of every table, cells trimmed, headers and rulers left out. */
const tables: string[][][] = document
  .split(/\n\n+/)
  .filter((block) => block.startsWith("|"))
  .map((block) => {
    const [, , ...rows] = block.split("\n").map((row) =>
      row
        .slice(1, -1)
        .split("|")
        .map((cell) => cell.trim()),
    );
    return rows;
  });
const headed = (header: string) => {
  const at = document.split(/\n\n+/).filter((block) => block.startsWith("|"));
  const table = tables[at.findIndex((block) => block.startsWith(header))];
  if (table === undefined) throw new Error(`no table ${header}`);
  return table;
};

function sources(packageName: string): { file: string; source: string }[] {
  const folder = `packages/${packageName}/src`;
  return readdirSync(new URL(folder, root), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .map((file) => ({ file, source: text(`${folder}/${file}`) }));
}
const allSources = ["wire-protocol", "session", "hashcash", "peer-manager", "node-core", "rtc-transport"].map(
  (name) => [name, sources(name)] as const,
);
const byPackage = new Map(allSources);

/** The value of `const NAME = ...` or of a field `NAME.field`, an arithmetic expression of numbers and other constants. */
function constant(packageName: string, name: string, inFile?: string): number {
  const [owner = "", field] = name.split(".");
  const files = (byPackage.get(packageName) ?? []).filter(({ file }) => inFile === undefined || file.endsWith(inFile));
  const found = files.flatMap(({ source }) => {
    const declaration = new RegExp(`\\bconst ${owner}(?:: [^=]+)? =\\s*([^;]*);`, "s").exec(source)?.[1];
    if (declaration === undefined) return [];
    const expression = field === undefined ? declaration : new RegExp(`\\b${field}: ([^,}]*)`).exec(declaration)?.[1];
    return expression === undefined ? [] : [evaluate(packageName, expression)];
  });
  if (new Set(found).size !== 1) throw new Error(`${found.length} constants ${packageName} ${name} ${inFile ?? ""}`);
  return found[0] ?? Number.NaN;
}

function evaluate(packageName: string, expression: string): number {
  const plain = expression.replace(/(?<=\d)_(?=\d)/g, "").replace(/\b[A-Z][A-Z_]+\b/g, (name) => {
    const isOurs = byPackage.get("wire-protocol")?.some(({ source }) => source.includes(`const ${name}`));
    const home = packageName !== "wire-protocol" && isOurs ? "wire-protocol" : packageName;
    return `${constant(home, name)}`;
  });
  if (!/^[\da-fx\s.+*/()-]+$/.test(plain)) throw new Error(`not arithmetic: ${expression}`);
  return Number(new Function(`return ${plain}`)());
}

describe("docs/PROTOCOL.md says what the code does", () => {
  const limits = tables
    .flat()
    .filter((row) => row.length === 3 && /^[a-z-]+ (?:[a-z-]+\.ts )?[A-Z][\w.]+$/.test(row[2] ?? ""));

  test.each(limits.map(([what = "", value = "", code = ""]) => [code, what, value]))("%s: %s", (code, _what, value) => {
    const [packageName = "", ...rest] = code.split(" ");
    const name = rest.pop() ?? "";
    expect(constant(packageName, name, rest[0])).toBe(Number(value));
  });

  test("every exported number of the wire stands in its limits", () => {
    const exported = [...text("packages/wire-protocol/src/index.ts").matchAll(/\b[A-Z][A-Z_]+\b/g)].map(
      ([name]) => name,
    );
    const told = new Set(limits.map(([, , code]) => code));
    const others = new Set(["COOKIE", "DATA", "HELLO", "WELCOME", "FRAME_KIND", "SEALED_BODY_SIZES"]);
    expect(exported.filter((name) => !others.has(name) && !told.has(`wire-protocol ${name}`))).toEqual([]);
  });

  test("datagram kinds", () => {
    const kinds = headed("| kind | name | length |").map(([kind, name]) => [name?.toUpperCase(), Number(kind)]);
    for (const [name, kind] of kinds) expect(constant("wire-protocol", `${name}`)).toBe(kind);
    expect(kinds).toHaveLength(4);
  });

  test("frame kinds", () => {
    const kinds = headed("| kind | name | body |").map(([kind, name]) => [name, Number(kind)]);
    expect(Object.fromEntries(kinds)).toEqual(FRAME_KIND);
    for (const [, kind] of kinds) expect(isReliable(Number(kind))).toBe(Number(kind) >= 0x80);
  });

  test("size classes", () => {
    expect(headed("| class |").map(([, size]) => Number(size))).toEqual(SEALED_BODY_SIZES);
  });

  test("reasons and results by their numbers", () => {
    const listed = (header: string) => headed(header).map(([value, name]) => [Number(value), name]);
    const lists: [string, string, string][] = [
      ["| value | reason | |", "BYE_REASONS", "liveness.ts"],
      ["| value | reason | detail |", "FAIL_REASONS", "unicast.ts"],
      ["| value | kind |", "KINDS", "message-body.ts"],
      ["| value | result |", "RESULTS", "direct.ts"],
      ["| value | setup |", "SETUPS", "description.ts"],
    ];
    for (const [header, name, file] of lists) {
      const source = byPackage.get("wire-protocol")?.find((entry) => entry.file.endsWith(file))?.source ?? "";
      const members = new RegExp(`const ${name} = \\[([^\\]]*)\\]`).exec(source)?.[1]?.matchAll(/"([\w-]+)"/g) ?? [];
      const names = [...members].map(([, member]) => member);
      expect(listed(header).filter(([value]) => !Number.isNaN(value))).toEqual(names.map((member, i) => [i, member]));
    }
    const candidates = headed("| value | setup |").map((row) => row[4]);
    expect(text("packages/wire-protocol/src/description.ts")).toContain(
      `const CANDIDATE_TYPES = [${candidates.map((name) => `"${name}"`).join(", ")}]`,
    );
    expect(encodeBye({ type: "bye", reason: "unwanted" })).toEqual(Uint8Array.of(3));
    expect(encodeMessage({ type: "bye", reason: "full" }).kind).toBe(0x0c);
  });

  test("reasons of drops", () => {
    const errors = document.slice(document.indexOf("## 11."), document.indexOf("## 12."));
    const told = new Set([...errors.matchAll(/`([a-z0-9-]+)`/g)].map(([, name]) => name));
    const failures = [...text("packages/wire-protocol/src/decode-result.ts").matchAll(/\| "([a-z-]+)"/g)];
    const dropped = [...text("packages/session/src/counters.ts").matchAll(/"dropped\.([a-z0-9-]+)"/g)];
    expect([...failures, ...dropped].map(([, name]) => name).filter((name) => !told.has(name))).toEqual([]);
    expect(failures.length).toBeGreaterThan(5);
  });
});
