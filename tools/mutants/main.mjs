// Changes one thing at a time in the given sources and says which changes no test of their package notices:
//   npm run mutants -- FILE[:FIRST[-LAST]] ... [--tests PART]
// with PART (or several, by commas) of the names of the test files to run, where not every test that imports FILE is wanted. Survivors that
// tools/mutants/explained.txt gives a reason for are counted apart; any other one makes the exit code 1.
import { fork } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { mutantsOf } from "./operators.mjs";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { tests: { type: "string", default: "" } },
});
const part = values.tests;
const explained = new Set(
  readFileSync(join(root, "tools/mutants/explained.txt"), "utf8")
    .split("\n")
    .filter((line) => line.startsWith("packages/")),
);
/** Compiled modules pile up in a worker: it is replaced after so many runs. */
const RUNS = 150;
const FIRST_RUN_MS = 300_000;

let worker;
let runs = 0;

const heard = (child, deadlineMs) =>
  new Promise((resolve) => {
    const timer = setTimeout(() => end("late"), deadlineMs);
    const end = (answer) => {
      clearTimeout(timer);
      child.removeAllListeners();
      resolve(answer);
    };
    child.once("message", end);
    child.once("exit", () => end("gone"));
  });

/** The answer of a worker, or undefined when the tests did not end in time or ended the process. */
async function ask(question, deadlineMs) {
  if (worker?.connected !== true) {
    const execArgv = ["--experimental-vm-modules", "--disable-warning=ExperimentalWarning"];
    worker = fork(join(root, "tools/mutants/worker.mjs"), {
      cwd: root,
      execArgv,
      stdio: ["ignore", "ignore", "ignore", "ipc"],
    });
    await heard(worker, FIRST_RUN_MS);
  }
  worker.send(question);
  runs += 1;
  const answer = await heard(worker, deadlineMs);
  if (Array.isArray(answer) && runs % RUNS !== 0) return answer;
  worker.kill("SIGKILL");
  worker = undefined;
  return Array.isArray(answer) ? answer : undefined;
}

/** The survivors of one file, each as a line. */
async function survivorsOf(file, first, last) {
  const source = readFileSync(join(root, file), "utf8");
  const bytes = Buffer.from(source);
  const folder = file.split("/").slice(0, 2).join("/");
  const tests = (await ask({ folder, file, part, text: source }, FIRST_RUN_MS)) ?? [];
  if (tests.length === 0 || tests.some(({ failed }) => failed))
    throw new Error(`${file}: its tests do not pass as it is`);
  // The quickest first, and before them the one that noticed the last.
  tests.sort((a, b) => a.ms - b.ms);
  const survivors = [];
  let count = 0;
  for (const { start, end, text } of mutantsOf(source)) {
    const line = bytes.subarray(0, start).toString().split("\n").length;
    if (line < first || line > last) continue;
    count += 1;
    const mutated = Buffer.concat([bytes.subarray(0, start), Buffer.from(text), bytes.subarray(end)]).toString();
    const killer = await firstKiller(tests, { folder, file, part, text: mutated });
    if (killer !== undefined) {
      tests.unshift(...tests.splice(tests.indexOf(killer), 1));
      continue;
    }
    const from = bytes.subarray(start, end).toString().replace(/\s+/g, " ");
    const context = source.split("\n")[line - 1].trim();
    survivors.push({ line, entry: `${file} | ${context} | ${from} => ${text}` });
    process.stdout.write(
      `${explained.has(survivors.at(-1).entry) ? "explained" : "SURVIVED"} :${line} ${survivors.at(-1).entry}\n`,
    );
  }
  return { count, survivors };
}

async function firstKiller(tests, question) {
  for (const test of tests) {
    const answer = await ask({ ...question, tests: [test.test] }, 5_000 + 3 * test.ms);
    if (answer === undefined || answer.length === 0 || answer.some(({ failed }) => failed)) return test;
  }
  return undefined;
}

let unexplained = 0;
for (const target of positionals) {
  const [file, lines = ""] = target.split(":");
  const [first = "0", last = first] = lines === "" ? ["0", "Infinity"] : lines.split("-");
  const { count, survivors } = await survivorsOf(file, Number(first), Number(last));
  const bare = survivors.filter(({ entry }) => !explained.has(entry));
  unexplained += bare.length;
  const told = `${count} mutants, ${count - survivors.length} noticed, ${survivors.length - bare.length} explained`;
  process.stdout.write(`${file}: ${told}, ${bare.length} survived\n`);
}
worker?.kill("SIGKILL");
process.exitCode = unexplained === 0 ? 0 : 1;
