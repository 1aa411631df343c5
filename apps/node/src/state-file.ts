import { CommandError, EXIT } from "@starling/daemon";

/** Does what a start does with a file of the data directory. What the disk refuses is told as that, `E_STATE_FILE`, with the file's name. */
export async function onDisk<Result>(path: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    const errno = error instanceof Error && "errno" in error && "code" in error ? String(error.code) : undefined;
    if (errno === undefined) throw error;
    const message = `${path} cannot be read or written (${errno}); make room on its disk, and see that this user may write there`;
    throw new CommandError("E_STATE_FILE", message, EXIT.unavailable, { cause: error });
  }
}
