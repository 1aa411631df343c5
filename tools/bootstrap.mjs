// Runs a task of this workspace on a machine that has nothing but Node >= 20 and npm:
//   node tools/bootstrap.mjs TASK [ARG ...]
// It finds a Node that is new enough (fetching one into npm's cache where the local one is older), installs the locked
// dependencies with the pinned pnpm where they are not in place yet, and starts the task directly, with no shell between,
// so that signals and exit codes are the task's own. Plain JavaScript, for it must run on the Node it replaces.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const minimum = /(\d+)\.(\d+)/.exec(manifest.engines.node);
const windows = process.platform === "win32";
// The registry is asked only for what npm's cache lacks: without this a warm start with no network waits for minutes.
const npx = ["--yes", "--prefer-offline", "--loglevel=error"];

const quiet = ["--disable-warning=ExperimentalWarning"];
const bin = (name, path) => join(root, "node_modules", name, path);
const fromSource = [...quiet, "--conditions=@starling/source"];
const jest = ["--experimental-vm-modules", ...quiet, bin("jest", "bin/jest.js")];
const dashboard = [...quiet, join(root, "apps/dashboard/build.ts")];
const bundles = [...quiet, join(root, "tools/bundles.mjs")];
const build = [bin("turbo", "bin/turbo"), "run", "build", "--output-logs=errors-only"];
const programs = [dashboard, [join(root, "apps/node/bundle.mjs")], [join(root, "apps/relay/bundle.mjs")]];
const tasks = {
  start: (args) => [bundles, [...fromSource, join(root, "apps/demo/src/main.ts"), "--bundled", ...args]],
  bench: (args) => [bundles, [...fromSource, join(root, "bench/src/main.ts"), ...args]],
  // Ten thousand nodes do not fit into V8's default heap; and what is under way between them is to die young.
  sim: (args) => [
    [
      "--max-old-space-size=11000",
      "--min-semi-space-size=512",
      "--max-semi-space-size=512",
      ...fromSource,
      join(root, "packages/simulator/src/main.ts"),
      ...args,
    ],
  ],
  hostile: (args) => [dashboard, [...fromSource, join(root, "hostile/src/main.ts"), ...args]],
  coverage: (args) => [dashboard, [join(root, "tools/coverage.mjs"), ...args]],
  mutants: (args) => [[...quiet, join(root, "tools/mutants/main.mjs"), ...args]],
  fuzz: (args) => [[...fromSource, join(root, "tools/fuzz/main.mjs"), ...args]],
  test: (args) => [dashboard, [...jest, ...args]],
  "test:browser": (args) => [dashboard, [...jest, "--config", join(root, "jest.browser.config.mjs"), ...args]],
  "test:lab": (args) => [[...fromSource, join(root, "lab/src/main.ts"), ...args]],
  check: (args) => [[join(root, "tools/check.mjs"), ...args]],
  "check:packages": (args) => [[join(root, "tools/check-packages.mjs"), ...args]],
  docs: (args) => [[join(root, "tools/reference/main.mjs"), ...args]],
  bundle: () => programs,
  build: () => [build],
  pack: (args) => [build, ...programs, [join(root, "tools/pack.mjs"), ...args]],
  format: () => [[bin("@biomejs/biome", "bin/biome"), "check", "--write", "."]],
};

function fail(message) {
  process.stderr.write(`starling: ${message}\n`);
  process.exit(1);
}

function newEnough(version) {
  const [major, minor] = version.split(".").map(Number);
  return major > Number(minimum[1]) || (major === Number(minimum[1]) && minor >= Number(minimum[2]));
}

/** The path of a Node that satisfies `engines`: this one, or the pinned one out of npm's cache. */
function findNode() {
  if (newEnough(process.versions.node)) return process.execPath;
  const remembered = join(root, "node_modules", ".cache", "starling", "node-path");
  const known = existsSync(remembered) ? readFileSync(remembered, "utf8") : "";
  const wanted = manifest.config.fallbackNode;
  if (known !== "" && spawnSync(known, ["-v"], { encoding: "utf8" }).stdout?.trim() === `v${wanted}`) return known;
  process.stderr.write(
    `starling: Node ${process.versions.node} is older than ${minimum[0]}; fetching Node ${wanted} into npm's cache, once\n`,
  );
  const found = spawnSync("npx", [...npx, "--package", `node@${wanted}`, "--", "node", "-p", "process.execPath"], {
    encoding: "utf8",
    shell: windows,
    cwd: root,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const path = (found.stdout ?? "").trim().split("\n").pop();
  if (found.status !== 0 || !path || !existsSync(path)) {
    fail(
      `could not fetch Node ${wanted}. Install Node ${manifest.engines.node} yourself, or run this once with a network.`,
    );
  }
  mkdirSync(dirname(remembered), { recursive: true });
  writeFileSync(remembered, path);
  return path;
}

/** A digest of all that decides what an install lays down. */
function installDigest() {
  const hash = createHash("sha256");
  const files = ["package.json", "pnpm-workspace.yaml", "pnpm-lock.yaml"];
  files.push(
    "bench/package.json",
    "browser/package.json",
    "examples/package.json",
    "hostile/package.json",
    "lab/package.json",
    "tools/reference/package.json",
  );
  for (const group of ["packages", "apps"]) {
    for (const name of readdirSync(join(root, group))) files.push(join(group, name, "package.json"));
  }
  for (const file of files.sort()) {
    if (existsSync(join(root, file))) hash.update(`${file}\n`).update(readFileSync(join(root, file)));
  }
  return hash.digest("hex");
}

async function install() {
  const stamp = join(root, "node_modules", ".cache", "starling", "installed");
  const digest = installDigest();
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === digest) return;
  process.stderr.write("starling: installing dependencies (some 500 MB, once; minutes on a slow line)\n");
  // Frozen on a fresh tree and in CI; somebody who has just edited a package.json wants the lock file brought up to date.
  const frozen = process.env.CI || !existsSync(join(root, "node_modules", ".pnpm"));
  const args = ["install", frozen ? "--frozen-lockfile" : "--no-frozen-lockfile", "--reporter=append-only"];
  const pnpm = manifest.packageManager.replace(/\+.*/, "");
  const child = spawn("npx", [...npx, "--package", pnpm, "--", "pnpm", ...args], {
    cwd: root,
    shell: windows,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  let line = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text) => {
      said += text;
      line = text.trim().split("\n").at(-1) ?? line;
    });
  }
  const sinceMs = Date.now();
  const telling = setInterval(() => {
    process.stderr.write(`starling: still installing, ${Math.round((Date.now() - sinceMs) / 1000)} s: ${line}\n`);
  }, 15_000);
  const isDone = await new Promise((resolve) => {
    child.once("error", () => resolve(false));
    child.once("close", (status) => resolve(status === 0));
  });
  clearInterval(telling);
  if (!isDone) {
    process.stderr.write(said);
    fail("installing the dependencies failed (above: what pnpm said). A first install needs the npm registry.");
  }
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, installDigest());
}

function run(node, args) {
  const path = [join(root, "node_modules", ".bin"), dirname(node), process.env.PATH].join(delimiter);
  // The IPC channel tells the task when this process is gone, whatever killed it (a signal to npm may reach only npm).
  const child = spawn(node, args, {
    cwd: root,
    stdio: ["inherit", "inherit", "inherit", "ipc"],
    env: {
      ...process.env,
      PATH: path,
      TURBO_TELEMETRY_DISABLED: "1",
      DO_NOT_TRACK: "1",
      // Stripped types and compiled code of one start serve the next; daemons that the task starts share them.
      NODE_COMPILE_CACHE:
        process.env.NODE_COMPILE_CACHE ?? join(root, "node_modules", ".cache", "starling", "compiled"),
    },
  });
  // Ctrl-C reaches the whole process group: the child ends by its own handler, and this process waits for it.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.on(signal, () => signal !== "SIGINT" && child.kill(signal));
  }
  // A signal to npm ends npm and its shell, and does not come here: only the parent's absence tells.
  const parent = process.ppid;
  setInterval(() => process.ppid !== parent && child.kill("SIGTERM"), 250).unref();
  return new Promise((resolve) => {
    child.once("error", (error) => fail(`could not start ${node}: ${error.message}`));
    child.once("exit", (code, signal) => resolve(signal ? 1 : (code ?? 1)));
  });
}

const [name, ...args] = process.argv.slice(2);
const task = tasks[name];
if (task === undefined) fail(`unknown task '${name ?? ""}'. Tasks: ${Object.keys(tasks).join(", ")}`);
const node = findNode();
await install();
let code = 0;
for (const command of task(args)) {
  code = await run(node, command);
  if (code !== 0) break;
}
process.exit(code);
