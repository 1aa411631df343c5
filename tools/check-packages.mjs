// `npm run check:packages`: what a person gets who installs one of the public packages. Each is built, packed, linted (publint),
// its types resolved (attw), installed alone into an empty project, and there every entry point and the README's example are
// compiled under nodenext and under bundler resolution, and run. The leaf packages' examples run; the others need a network.
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import { publint } from "publint";
import { formatMessage } from "publint/utils";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const RUNS_EXAMPLE = ["crypto-identity", "hashcash", "bloom"];
/** ESM only: what a CommonJS or a pre-exports resolver would see is no concern. */
const RESOLUTIONS = ["node16-esm", "node16", "bundler", "any"];
const EXAMPLE_DEADLINE_MS = 60_000;

const only = process.argv.slice(2);
const folders = readdirSync(join(root, "packages")).map((name) => ({ name, folder: join(root, "packages", name) }));
const packages = folders
  .map(({ name, folder }) => ({
    name,
    folder,
    manifest: JSON.parse(readFileSync(join(folder, "package.json"), "utf8")),
  }))
  .filter(({ manifest }) => manifest.private !== true);
const chosen = packages.filter(({ name }) => only.length === 0 || only.includes(name));

const versions = Object.fromEntries(
  ["@types/node", "typescript"].map((name) => [
    name,
    JSON.parse(readFileSync(join(root, "node_modules", name, "package.json"), "utf8")).version,
  ]),
);
const work = mkdtempSync(join(tmpdir(), "starling-packages-"));
let failed = 0;

function report(what, started, problems) {
  if (problems.length > 0) failed += 1;
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  process.stdout.write(`${problems.length === 0 ? "ok    " : "FAILED"} ${what} ${seconds} s\n`);
  for (const problem of problems) process.stdout.write(`       ${problem.replaceAll("\n", "\n       ")}\n`);
}

function run(command, args, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], timeout: EXAMPLE_DEADLINE_MS, ...options });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (output += data));
    child.once("error", (error) => resolve({ ok: false, output: error.message }));
    child.once("close", (code) => resolve({ ok: code === 0, output }));
  });
}

const pnpm = (args, options) => run(process.execPath, [join(root, "node_modules/pnpm/bin/pnpm.mjs"), ...args], options);

async function pack({ folder, manifest }) {
  const done = await pnpm(["pack", "--pack-destination", work], { cwd: folder });
  if (!done.ok) throw new Error(`pnpm pack of ${manifest.name} failed:\n${done.output}`);
  return join(work, `${manifest.name.replace("@", "").replace("/", "-")}-${manifest.version}.tgz`);
}

async function lint(tarball) {
  const data = readFileSync(tarball);
  const buffer = data.buffer.slice(data.byteOffset, data.byteOffset + data.length);
  const { messages, pkg } = await publint({ pack: { tarball: buffer }, strict: true });
  const types = await checkPackage(createPackageFromTarballData(data));
  const wrong = types.types === false ? [{ kind: "no types" }] : types.problems;
  return [
    ...messages.map((message) => `publint: ${formatMessage(message, pkg)}`),
    ...wrong
      .filter(({ resolutionKind, resolutionOption }) =>
        RESOLUTIONS.includes(resolutionKind ?? resolutionOption ?? "any"),
      )
      .map((problem) => `attw: ${JSON.stringify(problem)}`),
  ];
}

/** The first TypeScript block of the README. */
function example({ folder }) {
  return /^```ts\n([\s\S]*?)^```/m.exec(readFileSync(join(folder, "README.md"), "utf8"))?.[1];
}

async function consume(entry, tarballs) {
  const { name, manifest } = entry;
  const project = join(work, `project-${name}`);
  mkdirSync(project);
  const file = (tarball) => `file:${tarball}`;
  const overrides = Object.fromEntries([...tarballs].map(([packed, tarball]) => [packed, file(tarball)]));
  const write = (path, value) =>
    writeFileSync(join(project, path), typeof value === "string" ? value : JSON.stringify(value));
  write("package.json", {
    name: "consumer",
    private: true,
    type: "module",
    dependencies: { [manifest.name]: overrides[manifest.name] },
    devDependencies: versions,
  });
  write(
    "pnpm-workspace.yaml",
    `packages: []\noverrides:\n${Object.entries(overrides)
      .map(([key, value]) => `  "${key}": "${value}"\n`)
      .join("")}`,
  );
  const entries = Object.keys(manifest.exports).filter((key) => key !== "./package.json");
  const imports = entries.map((key, i) => `import * as entry${i} from "${join(manifest.name, key)}";\n`).join("");
  write("entries.ts", `${imports}console.log(${entries.map((_, i) => `Object.keys(entry${i}).length`).join(", ")});\n`);
  const runs = RUNS_EXAMPLE.includes(name);
  const code = example(entry);
  if (runs && code === undefined) return [`README.md of ${name} has no example`];
  if (runs) write("example.ts", `${code}\nexport {};\n`);

  const installed = await pnpm(["install", "--prefer-offline", "--ignore-scripts", "--reporter=append-only"], {
    cwd: project,
  });
  if (!installed.ok) return [`pnpm install failed: ${installed.output}`];
  const problems = [];
  const options = { target: "es2023", strict: true, types: ["node"], skipLibCheck: false, outDir: "out", rootDir: "." };
  const settings = {
    nodenext: { module: "nodenext" },
    bundler: { module: "esnext", moduleResolution: "bundler", noEmit: true },
  };
  for (const [resolution, setting] of Object.entries(settings)) {
    write(`tsconfig.${resolution}.json`, { compilerOptions: { ...options, ...setting }, include: ["*.ts"] });
    const tsc = [join(project, "node_modules/typescript/bin/tsc"), "-p", `tsconfig.${resolution}.json`];
    const compiled = await run(process.execPath, tsc, { cwd: project });
    if (!compiled.ok) problems.push(`types under ${resolution}: ${compiled.output}`);
  }
  for (const file of runs ? ["entries", "example"] : ["entries"]) {
    const done = await run(process.execPath, [join("out", `${file}.js`)], { cwd: project });
    if (!done.ok) problems.push(`running ${file}.js: ${done.output}`);
  }
  return problems;
}

try {
  const started = performance.now();
  const turbo = join(root, "node_modules/turbo/bin/turbo");
  const built = spawnSync(process.execPath, [turbo, "run", "build", "--output-logs=errors-only"], {
    cwd: root,
    encoding: "utf8",
  });
  report("build", started, built.status === 0 ? [] : [built.stdout + built.stderr]);
  const packing = performance.now();
  const tarballs = new Map();
  for (const entry of packages) tarballs.set(entry.manifest.name, await pack(entry));
  report("pack", packing, []);
  for (const entry of chosen) {
    const begun = performance.now();
    const problems = await lint(tarballs.get(entry.manifest.name));
    problems.push(...(await consume(entry, tarballs)));
    report(entry.manifest.name, begun, problems);
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}
process.exit(failed === 0 ? 0 : 1);
