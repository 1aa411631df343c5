// The first example of every public package's README, as its reader runs it: in a process of its own, beside the package.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, describe, expect, test } from "@jest/globals";
import { testnet } from "@starling/node";

const DEADLINE_MS = 30_000;
const root = fileURLToPath(new URL("../../", import.meta.url));
const directory = mkdtempSync(join(tmpdir(), "starling-readmes-"));
const children: ChildProcess[] = [];

/** What its own words and comments say that each example prints. */
const PRINTS: Record<string, RegExp> = {
  "packages/bloom": /^new: handle it\n$/,
  "packages/crypto-identity": /^true hello\n$/,
  "packages/daemon": /"maxPeers":256.*"ready"[\s\S]*"reason":"SIGTERM".*"stopping"/,
  "packages/hashcash": /^starling1:100000:[0-9a-f]{16}\nvalid\n$/,
  "packages/local-client": /^(relayed|session|channel) \d+ \d+/,
  "packages/node-core": /^true\n$/,
  "packages/peer-manager": /^false\ntrue\n$/,
  "packages/rtc-transport": /^[^\n]+ hello\n$/,
  "packages/session": /'opened'[\s\S]*'opened'[\s\S]*'frame'/,
  "packages/udp-transport": /^[0-9a-f]{64} perhaps\n[0-9a-f]{64} hello\n$/,
  "packages/wire-protocol": /type: 'bye', reason: 'draining'[\s\S]*2001:db8::1[\s\S]*4000/,
  "apps/node": /messageId[\s\S]*\n[0-9a-f]{64}@[\d.]+:\d+\n$/,
};
/** A program, whose README begins with commands: the test after the table. */
const COMMANDS = ["apps/relay"];

const text = (path: string): string => readFileSync(join(root, path), "utf8");
const publicPackages = ["packages", "apps"].flatMap((group) =>
  readdirSync(join(root, group))
    .map((name) => join(group, name))
    .filter((folder) => JSON.parse(text(join(folder, "package.json"))).private !== true),
);

function firstBlock(folder: string, language: string): string {
  const found = new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\``, "m").exec(text(join(folder, "README.md")));
  if (found?.[1] === undefined) throw new Error(`${folder}/README.md has no example`);
  return found[1];
}

/** Runs a program to its end, or until `enough` of its output is there, when it gets a SIGTERM. */
function run(args: readonly string[], folder: string, input: string, enough?: RegExp) {
  const env = { ...process.env, XDG_STATE_HOME: directory, NO_COLOR: "1" };
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", ...args], {
    cwd: join(root, folder),
    env,
  });
  children.push(child);
  return new Promise<{ code: number | null; output: string }>((resolve, reject) => {
    let output = "";
    let told = false;
    const timer = setTimeout(() => reject(new Error(`no end after ${DEADLINE_MS} ms: ${output}`)), DEADLINE_MS);
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (data: Buffer) => {
        output += data.toString();
        if (told || enough?.test(output) !== true) return;
        told = true;
        child.kill();
      });
    }
    child.once("close", (code) => {
      clearTimeout(timer);
      resolve({ code, output });
    });
    child.stdin.end(input);
  });
}

// Out of standard input, so that imports are those of the folder that it runs in.
const FROM_INPUT = ["--conditions=@starling/source", "--input-type=module-typescript", "-"];
const example = (folder: string, rest: readonly string[] = [], enough?: RegExp) =>
  run([...FROM_INPUT, ...rest], folder, firstBlock(folder, "ts"), enough);

afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});
afterAll(() => rmSync(directory, { recursive: true }));

describe("the example in the README of", () => {
  test("every public package is run here", () => {
    expect([...Object.keys(PRINTS), ...COMMANDS].sort()).toEqual(publicPackages.sort());
  });

  const alone = Object.keys(PRINTS).filter((folder) => !["packages/daemon", "packages/local-client"].includes(folder));
  test.each(alone)(
    "%s",
    async (folder) => {
      const { code, output } = await example(folder);
      expect(output).toMatch(PRINTS[folder] as RegExp);
      expect(code).toBe(0);
    },
    60_000,
  );

  test("packages/daemon, which ends when it is told to", async () => {
    const { code, output } = await example("packages/daemon", [], /"ready"/);
    expect(output).toMatch(PRINTS["packages/daemon"] as RegExp);
    expect(code).toBe(0);
  }, 60_000);

  test("packages/local-client, and of the repository, on a node of a network", async () => {
    const net = await testnet(2);
    try {
      const [socket, to] = [net.nodes[0]?.socket ?? "", net.nodes[1]?.id ?? ""];
      const printed = PRINTS["packages/local-client"] as RegExp;
      expect((await example("packages/local-client", [socket, to], printed)).output).toMatch(printed);
      const whole = await run([...FROM_INPUT, socket, to], "packages/local-client", firstBlock("", "ts"), printed);
      expect(whole.output).toMatch(printed);
    } finally {
      await net.close();
    }
  }, 90_000);

  test("apps/relay: the command that starts one", async () => {
    const [program, ...args] = firstBlock("apps/relay", "")
      .trim()
      .replaceAll(/:41\d0/g, ":0")
      .split(" ");
    expect(program).toBe("starling-relay");
    const flags = ["--conditions=@starling/source", "src/main.ts"];
    const { code, output } = await run([...flags, ...args], "apps/relay", "", /"msg":"ready"/);
    expect(output).toMatch(/"id":"[0-9a-f]{64}".*"listen":"0\.0\.0\.0:\d+"/);
    expect(code).toBe(0);
  }, 60_000);
});
