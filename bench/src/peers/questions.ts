// What the processes of a comparison are asked, one question at a time; both sides take the same ones.

export type Question = {
  readonly type: string;
  readonly to: string;
  readonly count: number;
  readonly sizeBytes: number;
  /** Messages without a receipt at most. */
  readonly window: number;
  readonly ms: number;
};

/** Answers the parent; the process ends when the parent lets go. */
export function answer(handlers: Readonly<Record<string, (question: Question) => Promise<object>>>): void {
  process.on("message", (question: Question) => {
    const handler = handlers[question.type];
    if (handler === undefined) throw new Error(`no question is called ${question.type}`);
    handler(question).then(
      (found) => process.send?.(found),
      (error) => process.send?.({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
    );
  });
  process.on("disconnect", () => process.exit(0));
}
