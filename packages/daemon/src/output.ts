import { errnoOf } from "./errno.ts";

/**
 * Lets whoever reads our output stop early, as `head` does: from here on writing to a closed pipe loses the text instead of
 * ending the process with a stack. Any other fault of the streams is still thrown.
 */
export function tolerateClosedOutput(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error) => {
      if (errnoOf(error) !== "EPIPE") throw error;
    });
  }
}
