import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { connect } from "@starling/local-client";
import { DaemonChild, type Ended, run, within } from "@starling/test-processes";
import { createProgram } from "../src/cli/command-line.ts";
import { readNodeConfig } from "../src/config.ts";

// The command line as a person and a script meet it: two nodes and a relay on loopback, and every mistake with its way out.

const folder = mkdtempSync(join(tmpdir(), "starling-command-line-"));
const children: DaemonChild[] = [];
const dir = (name: string) => join(folder, name);
const NOBODY = `09${"00".repeat(31)}`;

async function start(program: "node" | "relay", name: string, ...args: string[]) {
  const common = ["start", "--data-dir", dir(name), "--listen", "127.0.0.1:0", "--network", "test"];
  const child = new DaemonChild(program, [...common, ...args]);
  children.push(child);
  return { child, ...(await child.ready()) };
}

let relay: Awaited<ReturnType<typeof start>>;
let alice: typeof relay;
let bob: typeof relay;

beforeAll(async () => {
  relay = await start("relay", "relay");
  const bootstrap = ["--bootstrap", `${relay.id}@${relay.listen}`];
  [alice, bob] = await Promise.all([start("node", "alice", ...bootstrap), start("node", "bob", ...bootstrap)]);
  for (const { child } of [alice, bob]) await child.log(({ msg }) => msg === "link opened", "a link to the relay");
}, 60_000);

afterAll(async () => {
  await Promise.all(children.map((child) => child.stop("SIGKILL")));
  rmSync(folder, { recursive: true, force: true });
}, 30_000);

/** A command of alice's. */
function starling(...args: string[]): Promise<Ended> {
  return run("node", [...args, "--data-dir", dir("alice")]);
}

function lines(text: string): Record<string, unknown>[] {
  return text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
}

describe("what the node tells of itself", () => {
  test("`links` has the session to the relay, and what that says of us", async () => {
    const told = await starling("links", "--json");
    expect(told).toMatchObject({ code: 0, stderr: "" });
    const [links] = lines(told.stdout) as unknown as [Record<string, unknown>[]];
    expect(links.find(({ peer }) => peer === relay.id)).toMatchObject({
      link: "session",
      address: relay.listen,
      observed: alice.listen,
      clockAheadMs: expect.any(Number),
    });
    expect((await starling("links")).stdout).toMatch(/^PEER +LINK +ADDRESS +RTT/);
  }, 30_000);

  test("`status` names the bootstrap node for programs, and has no colour in a pipe", async () => {
    const told = await starling("status", "--json");
    expect(lines(told.stdout)).toEqual([expect.objectContaining({ bootstrap: [`${relay.id}@${relay.listen}`] })]);
    const shown = await starling("status");
    expect(shown.stdout).toContain(alice.id);
    expect(shown.stdout).not.toContain("\u001b");
  }, 30_000);

  test("`doctor`: a node that is well exits 0; one whose bootstrap node is not there says so and exits 1", async () => {
    const well = await starling("doctor", "--json");
    expect(lines(well.stdout)).toEqual([expect.objectContaining({ ok: true })]);
    expect(well.code).toBe(0);
    const lonely = await start("node", "lonely", "--bootstrap", `${NOBODY}@127.0.0.1:9`);
    await lonely.child.log(({ msg }) => msg === "no answer; it is tried again", "the unanswered dial");
    // By then the node is old enough to be judged by it: its first dial takes longer than that.
    const ill = await run("node", ["doctor", "--data-dir", dir("lonely"), "--json"]);
    const [{ ok, checks }] = lines(ill.stdout) as [{ ok: boolean; checks: { name: string; state: string }[] }];
    expect(ok).toBe(false);
    expect(checks).toContainEqual(expect.objectContaining({ name: "bootstrap", state: "fail" }));
    expect(ill.code).toBe(1);
    expect(lines(ill.stderr)).toEqual([{ error: expect.objectContaining({ code: "E_UNWELL", exitCode: 1 }) }]);
  }, 60_000);

  test("`config` shows each value and where it is from", async () => {
    const path = join(folder, "node.toml");
    writeFileSync(path, 'network = "elsewhere"\n\nlog-level = "warn"\n');
    const told = await run("node", ["config", "--config", path, "--listen", "127.0.0.1:7", "--json"]);
    const [settings] = lines(told.stdout) as unknown as [Record<string, unknown>[]];
    expect(settings).toContainEqual({ name: "listen", value: "127.0.0.1:7", source: "flag", place: "--listen" });
    expect(settings).toContainEqual({
      name: "log-level",
      value: "warn",
      source: "file",
      place: expect.stringContaining(`${path}:3`),
    });
    expect(settings).toContainEqual({ name: "max-channels", value: 128, source: "default", place: "default" });
  }, 30_000);
});

test("`config` refuses what `start` would, and says where it stands", async () => {
  const args = ["config", "--ice-policy", "relayed-only", "--announce", "192.0.2.1:4100"];
  expect(await run("node", args)).toMatchObject({
    code: 2,
    stdout: "",
    stderr: expect.stringContaining("leave one out"),
  });
  const env = { STARLING_ICE_POLICY: "relayed-only", STARLING_ANNOUNCE: "192.0.2.1:4100" };
  expect(() => readNodeConfig({}, env)).toThrow(
    expect.objectContaining({ source: "environment", key: "STARLING_ANNOUNCE" }),
  );
}, 30_000);

describe("`ping` and `trace`", () => {
  test("as often as told, each with its way, and a summary", async () => {
    const pinged = await starling("ping", bob.id, "-c", "3", "-i", "1ms", "--via", "relay", "--json");
    expect(pinged).toMatchObject({ code: 0, stderr: "" });
    const [first, , third, summary] = lines(pinged.stdout);
    expect(first).toMatchObject({ seq: 1, ok: true, path: "relayed", hops: 2 });
    expect(third).toMatchObject({ seq: 3 });
    expect(summary).toEqual({ summary: expect.objectContaining({ sent: 3, answered: 3 }) });
  }, 30_000);

  test("Ctrl-C ends it with the summary and exit 0", async () => {
    const child = new DaemonChild("node", [
      "ping",
      bob.id,
      "-c",
      "0",
      "-i",
      "20ms",
      "--json",
      "--data-dir",
      dir("alice"),
    ]);
    children.push(child);
    await child.log(({ seq }) => seq === 2, "the second answer");
    const ended = await child.stop("SIGINT");
    expect(ended).toMatchObject({ code: 0, stderr: "" });
    expect(lines(ended.stdout).at(-1)).toMatchObject({ summary: { minMs: expect.any(Number) } });
  }, 30_000);

  test("Ctrl-C before anything has answered: exit 5, and what to do", async () => {
    const child = new DaemonChild("node", ["ping", NOBODY, "--timeout", "60s", "--data-dir", dir("alice")]);
    children.push(child);
    const client = await connect(alice.socket);
    // A ping is a message that nobody has taken; alice has no others under way to nobody.
    const asked = async (): Promise<void> => {
      while (!(await client.openMessages()).some(({ to }) => to === NOBODY)) await new Promise(setImmediate);
    };
    await within("the first ping", asked());
    client.close();
    const ended = await child.stop("SIGINT");
    expect(ended).toMatchObject({ code: 5, stderr: expect.stringContaining("before there was an answer") });
    expect(ended.stdout).toContain("0 sent, 0 answered");
  }, 30_000);

  test("a reader that has gone ends it", async () => {
    const child = new DaemonChild("node", [
      "ping",
      bob.id,
      "-c",
      "0",
      "-i",
      "1ms",
      "--json",
      "--data-dir",
      dir("alice"),
    ]);
    children.push(child);
    await child.log(({ seq }) => seq === 1, "the first answer");
    child.process.stdout?.destroy();
    expect((await child.ended).code).toBe(0);
  }, 30_000);

  test("nobody there: lost pings, exit 5; where the way ends, what to do, exit 5", async () => {
    const pinged = await starling("ping", NOBODY, "-c", "1", "--timeout", "600ms");
    expect(pinged).toMatchObject({ code: 5, stdout: expect.stringContaining("1 sent, 0 answered, 100 % lost") });
    const traced = await starling("trace", NOBODY, "--json");
    expect(lines(traced.stdout)).toEqual([
      expect.objectContaining({ found: false, verdict: expect.stringContaining("link to the recipient") }),
    ]);
    expect(traced.code).toBe(5);
    const way = await starling("trace", bob.id);
    expect(way).toMatchObject({ code: 0, stdout: expect.stringContaining("a message ") });
  }, 30_000);
});

describe("`reply`", () => {
  test("a request that its command cannot be run for is complained of, and the next one answered", async () => {
    const replier = new DaemonChild("node", ["reply", "--exec", "cat", "--data-dir", dir("bob")]);
    children.push(replier);
    const client = await connect(alice.socket);
    const ask = (topic: string) => client.request({ to: bob.id, content: Uint8Array.of(7), topic, timeoutMs: 20_000 });
    expect((await ask("plain")).content).toEqual(Uint8Array.of(7));
    // No environment holds a NUL. Nobody answers it, so its end is not waited for.
    const unanswered = ask("\0").catch(() => undefined);
    await within("the complaint", complaintOf(replier));
    expect((await ask("plain")).content).toEqual(Uint8Array.of(7));
    client.close();
    await unanswered;
    const { code, stderr } = await replier.stop("SIGINT");
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: expect.stringMatching(/^starling: no reply to .*null bytes.*\n$/),
    });
  }, 40_000);
});

describe("`reply` and `listen` end", () => {
  test("by SIGTERM while a command runs, without waiting for it", async () => {
    const replier = new DaemonChild("node", [
      "reply",
      "--exec",
      "echo begun >&2; sleep 60; true",
      "--data-dir",
      dir("bob"),
    ]);
    children.push(replier);
    const client = await connect(alice.socket);
    const unanswered = client
      .request({ to: bob.id, content: Uint8Array.of(7), timeoutMs: 60_000 })
      .catch(() => undefined);
    await within("the command", complaintOf(replier));
    // The end of its output too, which the command shares: that has ended with it.
    expect(await replier.stop("SIGTERM")).toMatchObject({ code: 0, stderr: "begun\n" });
    client.close();
    await unanswered;
  }, 40_000);

  test("when their reader goes", async () => {
    const replier = new DaemonChild("node", ["reply", "--exec", "cat", "--data-dir", dir("bob")]);
    const listener = new DaemonChild("node", ["listen", "--topic", "heard", "--data-dir", dir("bob")]);
    children.push(replier, listener);
    const client = await connect(alice.socket);
    replier.process.stdout?.destroy();
    listener.process.stdout?.destroy();
    const message = { to: bob.id, content: Uint8Array.of(7), timeoutMs: 20_000 };
    await Promise.all([client.request(message), client.submit({ ...message, topic: "heard" })]);
    for (const { ended } of [replier, listener])
      expect(await within("its end", ended)).toMatchObject({ code: 0, stderr: "" });
    client.close();
  }, 40_000);
});

describe("`listen`", () => {
  test("large messages, each of which fills its output", async () => {
    const listener = new DaemonChild("node", ["listen", "--topic", "large", "--json", "--data-dir", dir("bob")]);
    children.push(listener);
    const client = await connect(alice.socket);
    // Over a link to it, for which no stamps are minted.
    await client.connectPeer(bob.id, bob.listen);
    const content = new Uint8Array(40_000).fill(120);
    const large = { to: bob.id, content, topic: "large", timeoutMs: 20_000 };
    await Promise.all(Array.from({ length: 14 }, () => client.submit(large)));
    await client.submit({ ...large, content: Uint8Array.of(46) });
    await listener.log(({ text }) => text === ".", "the last message");
    client.close();
    expect(await listener.stop("SIGINT")).toMatchObject({ code: 0, stderr: "" });
  }, 40_000);
});

/** What a program says on standard error, once it says something, or nothing if it ends first. */
function complaintOf({ process: { stderr } }: DaemonChild): Promise<unknown> {
  return stderr === null ? Promise.resolve() : Promise.race([once(stderr, "data"), once(stderr, "close")]);
}

describe("a mistake is one line that says what to do", () => {
  test.each([
    ["no daemon", ["status", "--socket", join(folder, "none")], 3, "starling start"],
    ["an id with its address", ["send", `${NOBODY}@127.0.0.1:1`, "x"], 2, "before the @"],
    ["an id in capitals", ["send", "5B".repeat(32), "x"], 2, "5b".repeat(32)],
    ["a flag that is near", ["send", NOBODY, "x", "--topc", "y"], 2, "--topic"],
    ["a way that is none", ["send", NOBODY, "x", "--via", "mail"], 2, "any, channel, relay"],
    ["a time that is none", ["ping", NOBODY, "--timeout", "fast"], 2, "500ms"],
    ["a count that is none", ["ping", NOBODY, "-c", "-1"], 2, "whole number"],
    ["a missing argument", ["send", NOBODY], 2, "starling send --help"],
    ["a shell that is none", ["completion", "tcsh"], 2, "bash, zsh, fish"],
  ])(
    "%s",
    async (_what, args, code, advice) => {
      const ended = await run("node", args);
      expect(ended).toMatchObject({ code, stdout: "" });
      expect(ended.stderr.trim().split("\n")).toEqual([expect.stringContaining(advice)]);
    },
    30_000,
  );

  test("delivered, but nobody answers the request", async () => {
    const asked = await starling("request", bob.id, "anybody?", "--timeout", "1s");
    expect(asked).toMatchObject({ code: 5, stderr: expect.stringContaining("starling reply") });
  }, 30_000);

  test("a socket on which nothing is answered is not waited for", async () => {
    const path = join(folder, "mute");
    const server = createServer(() => {});
    await new Promise<void>((resolve) => server.listen(path, resolve));
    const asked = await run("node", ["status", "--socket", path]);
    server.close();
    expect(asked).toMatchObject({ code: 3, stderr: expect.stringContaining(path) });
  }, 40_000);

  test("with --json an error is JSON too, with code and exit code", async () => {
    const ended = await run("node", ["send", "abc", "x", "--json"]);
    expect(lines(ended.stderr)).toEqual([{ error: expect.objectContaining({ code: "E_BAD_ID", exitCode: 2 }) }]);
    const text = await run("node", ["send", "abc", "--", "--json"]);
    expect(text.stderr).toMatch(/^starling: /);
  }, 30_000);

  test.each([
    [["send", "--json"], "starling send --help"],
    [["--bogus", "--json"], "--bogus"],
    [["config", "--json", "--bogus"], "--bogus"],
    [["ping", NOBODY, "-c", "x", "--json"], "whole number"],
  ])(
    "wrong usage, too: %s",
    async (args, named) => {
      const ended = await run("node", args);
      expect(ended).toMatchObject({ code: 2, stdout: "" });
      const message = expect.stringContaining(named);
      expect(lines(ended.stderr)).toEqual([{ error: { code: "E_USAGE", message, exitCode: 2 } }]);
    },
    30_000,
  );
});

describe("completion", () => {
  test("every command has examples in its help, and all shells complete it", async () => {
    const { commands } = createProgram();
    const names = commands.map((command) => command.name()).filter((name) => name !== "peer-ids");
    expect(names).toEqual(expect.arrayContaining(["start", "send", "links", "doctor", "trace", "ping", "completion"]));
    for (const command of commands) {
      let help = "";
      command.configureOutput({ writeOut: (text) => (help += text) }).outputHelp();
      expect(help).toContain(`Examples:\n  starling ${command.name()}`);
    }
    const scripts = await Promise.all(["bash", "zsh", "fish"].map((shell) => run("node", ["completion", shell])));
    for (const { code, stdout } of scripts) {
      expect(code).toBe(0);
      for (const name of names) expect(stdout).toContain(name);
    }
  }, 60_000);

  test("bash: commands, flags, ways, and ids of peers", async () => {
    const { stdout: script } = await run("node", ["completion", "bash"]);
    // A stand-in for the program answers the script's question for ids.
    const bin = join(folder, "starling");
    writeFileSync(bin, `#!/bin/sh\n[ "$1" = peer-ids ] && echo ${NOBODY}\n`, { mode: 0o755 });
    const complete = (...words: string[]): string[] => {
      const quoted = words.map((word) => `'${word}'`).join(" ");
      const asks = `COMP_WORDS=(${quoted}); COMP_CWORD=${words.length - 1}; _starling; printf '%s\\n' "\${COMPREPLY[@]}"`;
      const env = { ...process.env, PATH: `${folder}${delimiter}${process.env.PATH}` };
      const done = spawnSync("bash", ["--norc", "-c", `${script}\n${asks}`], { encoding: "utf8", env });
      expect(done.stderr).toBe("");
      return done.stdout.split("\n").filter((line) => line !== "");
    };
    expect(complete("starling", "st")).toEqual(["start", "status"]);
    expect(complete("starling", "send", "--to")).toEqual(["--topic"]);
    expect(complete("starling", "send", "")).toEqual([NOBODY]);
    expect(complete("starling", "send", NOBODY, "x", "--via", "r")).toEqual(["relay"]);
    expect(complete("starling", "completion", "z")).toEqual(["zsh"]);
    expect(complete("starling", "config", "p")).toEqual(["print-defaults"]);
    expect(complete("starling", "send", NOBODY, "x", "--topic", "")).toEqual([]);
  }, 30_000);

  // A shell that is not installed here completes nothing.
  const has = (shell: string): boolean => spawnSync(shell, ["--version"]).status === 0;

  (has("fish") ? test : test.skip)(
    "fish: commands, flags, words of a setting and nothing beside them, and ids of peers",
    async () => {
      const { stdout: script } = await run("node", ["completion", "fish"]);
      const bin = join(folder, "starling");
      writeFileSync(bin, `#!/bin/sh\n[ "$1" = peer-ids ] && echo ${NOBODY}\n`, { mode: 0o755 });
      writeFileSync(join(folder, "starling.fish"), script);
      const complete = (line: string): string[] => {
        const env = { ...process.env, PATH: `${folder}${delimiter}${process.env.PATH}` };
        const asks = `source ${join(folder, "starling.fish")}; complete -C '${line}'`;
        const done = spawnSync("fish", ["--no-config", "-c", asks], { encoding: "utf8", env });
        expect(done.stderr).toBe("");
        return done.stdout.split("\n").flatMap((found) => found.split("\t")[0] || []);
      };
      expect(complete("starling st")).toEqual(["start", "status"]);
      expect(complete("starling send --to")).toEqual(["--topic"]);
      expect(complete("starling send ")).toEqual([NOBODY]);
      expect(complete("starling start --ice-policy ")).toEqual(["all", "relayed-only"]);
      expect(complete("starling completion z")).toEqual(["zsh"]);
    },
    30_000,
  );

  (has("zsh") ? test : test.skip)(
    "zsh: the script is read, and is what completes the program",
    async () => {
      const { stdout: script } = await run("node", ["completion", "zsh"]);
      const path = join(folder, "_starling");
      writeFileSync(path, script);
      const asks = `autoload -Uz compinit && compinit -u -D && source ${path} && print -r -- $_comps[starling]`;
      const done = spawnSync("zsh", ["-f", "-c", asks], { encoding: "utf8" });
      expect(done).toMatchObject({ stdout: "_starling\n", stderr: "", status: 0 });
    },
    30_000,
  );

  test("`peer-ids` prints the ids, and nothing where no daemon runs", async () => {
    expect((await starling("peer-ids")).stdout.split("\n")).toContain(relay.id);
    expect(await run("node", ["peer-ids", "--socket", join(folder, "none")])).toEqual({
      code: 0,
      stdout: "",
      stderr: "",
    });
  }, 30_000);
});
