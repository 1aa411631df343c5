/** Why the process should end; `parent-gone` is the end of the process that started this one with an IPC channel. */
export type StopReason = "SIGINT" | "SIGTERM" | "SIGHUP" | "parent-gone";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** What else a signal may mean. */
export type StopOptions = {
  /** What SIGHUP does instead of ending the process, for programs that read something anew at it. */
  readonly onHangUp?: (() => void) | undefined;
};

/**
 * Resolves once the process is asked to end. From the first call on these signals no longer kill it: further ones are ignored,
 * since one Ctrl-C often comes twice (from the terminal and from a parent), so its owner must end by a deadline of its own.
 * SIGHUP counts too: Node takes back a `nohup`, so it would kill the process otherwise. Nothing here keeps a process alive,
 * neither the handlers nor the channel to the parent.
 */
export function whenStopped({ onHangUp }: StopOptions = {}): Promise<StopReason> {
  return new Promise((resolve) => {
    for (const signal of SIGNALS) {
      process.on(signal, signal === "SIGHUP" && onHangUp !== undefined ? onHangUp : () => resolve(signal));
    }
    process.once("disconnect", () => resolve("parent-gone"));
    // Listening for "disconnect" refers the channel, so this comes after it.
    process.channel?.unref();
    // Undefined in a process without a channel; false where the parent was gone before anybody listened.
    if (process.connected === false) resolve("parent-gone");
  });
}
