import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { connect } from "@starling/local-client";
import { DaemonChild, within } from "@starling/test-processes";

// The program as people get it: one file, or the package as it is packed and installed.

const app = fileURLToPath(new URL("../", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "starling-bundle-"));
const children: DaemonChild[] = [];
const program = join(folder, "alone", "starling.mjs");

function run(args: readonly string[], cwd: string): { status: number | null; stdout: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd, encoding: "utf8" });
  if (status !== 0) throw new Error(`${args.join(" ")}: ${stderr}${stdout}`);
  return { status, stdout };
}

function start(name: string, ...args: string[]): DaemonChild {
  const common = ["start", "--data-dir", join(folder, name), "--listen", "127.0.0.1:0", "--network", "test"];
  const child = new DaemonChild(program, [...common, ...args]);
  children.push(child);
  return child;
}

beforeAll(() => {
  run([join(app, "bundle.mjs")], app);
  mkdirSync(dirname(program));
  copyFileSync(join(app, "dist/bundle/starling.js"), program);
}, 60_000);

afterAll(async () => {
  await Promise.all(children.map((child) => child.stop("SIGKILL")));
  rmSync(folder, { recursive: true, force: true });
}, 30_000);

describe("the one file", () => {
  test("runs where nothing lies beside it: minting threads, channels, metrics and the dashboard included", async () => {
    const aliceChild = start("alice", "--http", "127.0.0.1:0");
    const alice = await aliceChild.ready();
    const bobChild = start("bob", "--bootstrap", `${alice.id}@${alice.listen}`);
    const bob = await bobChild.ready();
    await bobChild.log(({ msg }) => msg === "link opened", "a link");
    const [a, b] = await Promise.all([connect(alice.socket), connect(bob.socket)]);
    const heard = await b.subscribe({ events: ["broadcast"] });
    // A broadcast has to be minted.
    await within("the broadcast is out", a.broadcast(Uint8Array.of(1)));
    expect((await within("the broadcast", heard.next())).value).toMatchObject({ from: alice.id });
    await within("a channel", a.connectPeer(bob.id));
    expect((await a.submit({ to: bob.id, content: Uint8Array.of(2) })).path).toBe("channel");
    a.close();
    b.close();
    const page = await fetch(`http://${alice.http}/`);
    const isBuilt = existsSync(join(app, "dist/dashboard/index.html"));
    expect(page.status).toBe(isBuilt ? 200 : 404);
    const authorization = `Bearer ${readFileSync(join(folder, "alice", "http-token"), "utf8").trim()}`;
    const metrics = await (await fetch(`http://${alice.http}/metrics`, { headers: { authorization } })).text();
    expect(metrics).toContain('starling_send_seconds_count{path="channel"} 1\n');
    expect(metrics).toContain("process_resident_memory_bytes");
    for (const child of [aliceChild, bobChild]) expect((await child.stop()).code).toBe(0);
    expect(readdirSync(dirname(program))).toEqual(["starling.mjs"]);
  }, 60_000);
});

describe("the package", () => {
  test("is installed as one package without an install script, and its command and its library run", async () => {
    const pnpm = createRequire(import.meta.url).resolve("pnpm/package.json");
    run([join(dirname(pnpm), "bin/pnpm.mjs"), "pack", "--pack-destination", folder], app);
    const [tarball = ""] = readdirSync(folder).filter((name) => name.endsWith(".tgz"));
    const project = join(folder, "project");
    mkdirSync(project);
    writeFileSync(join(project, "package.json"), '{"private":true,"type":"module"}');
    const install = ["install", "--offline", "--no-audit", "--no-fund", join(folder, tarball)];
    const npm = spawnSync("npm", install, { cwd: project, encoding: "utf8", shell: process.platform === "win32" });
    expect(npm.stderr).toBe("");
    const lock = JSON.parse(readFileSync(join(project, "package-lock.json"), "utf8"));
    const installed = Object.entries<{ hasInstallScript?: boolean }>(lock.packages).filter(([path]) => path !== "");
    expect(installed.map(([path]) => path)).toEqual(["node_modules/@starling/node"]);
    expect(installed[0]?.[1].hasInstallScript).toBeUndefined();
    const { stdout } = run([join(project, "node_modules/.bin/starling"), "--version"], project);
    expect(stdout).toBe("0.0.0\n");
    const use = `import { testnet } from "@starling/node";
      const { nodes: [a, b], close } = await testnet(2);
      console.log((await a.client.submit({ to: b.id, content: Uint8Array.of(1), via: "relay" })).path);
      await close();`;
    writeFileSync(join(project, "use.js"), use);
    expect(run(["use.js"], project).stdout).toBe("relayed\n");
  }, 60_000);
});
