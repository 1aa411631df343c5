// Jest reporter: the last line on stdout is `N passed, N failed[, N skipped]`, for people and scripts alike. A run whose tests left
// something open (a socket, a timer, a child process) would never end: it is ended after a while, as a failure.
const LEFT_OPEN_MS = 15_000;

export default class ClosingLine {
  onRunComplete(_contexts, results) {
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
    const skipped = results.numPendingTests + results.numTodoTests;
    const line = `${results.numPassedTests} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}\n`;
    process.once("exit", () => process.stdout.write(line));
    setTimeout(() => {
      process.stderr.write(
        "A test left something open that keeps the run from ending; find it with --detectOpenHandles.\n",
      );
      process.exit(1);
    }, LEFT_OPEN_MS).unref();
  }
}
