import { Command } from "@commander-js/extra-typings";
import { NetworkLauncher } from "./network.ts";
import { createReporter } from "./reporter.ts";
import { play, type Story } from "./story.ts";

// `npm start`: a whole network on this machine, step by step, until Ctrl-C; with --once it ends when every step was seen.

const options = new Command("npm start --")
  .description("Runs a relay and three nodes on this machine and shows a message crossing them.")
  .option("--once", "end when every step was seen: exit 0, or 1 with the step that failed")
  .option("--json", "one JSON object a line")
  .option("--bundled", "run the programs out of their bundles, as they are installed; else from the sources")
  .parse()
  .opts();

const reporter = createReporter(options.json === true);
const story: Story = { step: "start" };
let crashed: (error: Error) => void = () => {};
const crash = new Promise<never>((_, reject) => {
  crashed = reject;
});
crash.catch(() => {});
const launcher = new NetworkLauncher(options.bundled === true, (message) => crashed(new Error(message)));

const stopAsked = new Promise<"asked">((resolve) => {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => resolve("asked"));
  // The process that started us is gone, whatever ended it: the network must not outlive it.
  if (process.channel !== undefined) {
    process.once("disconnect", () => resolve("asked"));
    process.channel.unref();
  }
});

let exitCode = 0;
try {
  const outcome = await Promise.race([play(launcher, reporter, story), stopAsked, crash]);
  if (outcome === "asked") {
    exitCode = 130;
  } else if (options.once !== true) {
    reporter.note(`\nThe dashboard of node-1: ${outcome.dashboardUrl}`);
    reporter.note("The network stays up. Ctrl-C ends it and removes what it wrote.");
    await Promise.race([stopAsked, crash]);
  }
} catch (error) {
  exitCode = 1;
  reporter.failed(story.step, error instanceof Error ? error.message : String(error));
}
await launcher.stop();
if (exitCode === 0 && options.once === true) reporter.done();
process.exit(exitCode);
