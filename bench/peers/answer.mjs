/** Answers the parent's questions one by one; the process ends when the parent lets go. */
export function answer(handlers) {
  process.on("message", async ({ type, ...question }) => {
    try {
      process.send(await handlers[type](question));
    } catch (error) {
      process.send({ error: String(error?.stack ?? error) });
    }
  });
  process.on("disconnect", () => process.exit(0));
}
