import { expect, test } from "@jest/globals";
import { type Core, startDriver } from "../src/driver.ts";

test("the driver ticks at the deadline, feeds answers back, and is silent once closed", async () => {
  const seen: string[] = [];
  let deadline: number | null = 0;
  const core: Core<string, string> = {
    handle: (input) => (input === "ask" ? ["question"] : [`got ${input}`]),
    tick: (now) => {
      deadline = seen.length === 0 ? now.mono + 1 : null;
      return ["tick"];
    },
    nextDeadline: () => deadline,
    close: () => ["bye"],
  };
  let secondTick: () => void = () => {};
  const ticked = new Promise<void>((resolve) => {
    secondTick = resolve;
  });
  const driver = startDriver<string, string>({
    core,
    perform: (output, feed) => {
      seen.push(output);
      if (output === "question") feed("answer");
      if (seen.filter((each) => each === "tick").length === 2) secondTick();
    },
  });
  expect(seen).toEqual(["tick"]);
  await ticked;
  driver.feed("ask");
  driver.close();
  driver.close();
  driver.feed("late");
  expect(seen).toEqual(["tick", "tick", "question", "got answer", "bye"]);
});

test("what is handed over later is handled together at the end of the turn, ahead of what comes then, and before the Bye", async () => {
  const handled: string[][] = [];
  const core: Core<string, string> = {
    handle: (input) => {
      handled.push([input]);
      return [];
    },
    handleAll: (inputs) => {
      handled.push([...inputs]);
      return [];
    },
    tick: () => [],
    nextDeadline: () => null,
    close: () => ["bye"],
  };
  const driver = startDriver<string, string>({ core, perform: () => {} });
  driver.later("a");
  driver.later("b");
  expect(handled).toEqual([]);
  await new Promise(setImmediate);
  expect(handled).toEqual([["a", "b"]]);
  driver.later("c");
  driver.feed("now");
  driver.later("d");
  driver.close();
  driver.later("late");
  await new Promise(setImmediate);
  expect(handled).toEqual([["a", "b"], ["c"], ["now"], ["d"]]);
});
