import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "@jest/globals";
import type { Address, Contact } from "@starling/wire-protocol";
import fc from "fast-check";
import {
  ConfigError,
  contactValue,
  flagsOf,
  integerValue,
  type LogLevel,
  listenOrOffValue,
  listenValue,
  listValue,
  logLevelValue,
  loopbackOrOffValue,
  networkValue,
  pathValue,
  perSecondValue,
  printDefaults,
  resolveConfig,
  type Setting,
} from "../src/index.ts";

const ID = "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f";
const CONTACT: Contact = {
  id: contactValue.parse(`${ID}@192.0.2.1:4100`).id,
  address: { ip: "192.0.2.1", port: 4100 },
};

type TestSettings = {
  readonly "data-dir": Setting<string>;
  readonly listen: Setting<Address>;
  readonly bootstrap: Setting<readonly Contact[]>;
  readonly http: Setting<Address | undefined>;
  readonly "max-peers": Setting<number>;
  readonly "log-level": Setting<LogLevel>;
  readonly label: Setting<string | undefined>;
};

const settings: TestSettings = {
  "data-dir": { schema: pathValue, default: "/var/lib/it", describe: "where its data lies", placeholder: "PATH" },
  listen: { schema: listenValue, default: "0.0.0.0:4100", describe: "where to listen", placeholder: "IP:PORT" },
  bootstrap: { schema: listValue(contactValue, 3), default: [], describe: "whom to dial", placeholder: "ID@IP:PORT" },
  http: { schema: listenOrOffValue, default: "off", describe: "pages", placeholder: "IP:PORT|off" },
  "max-peers": { schema: integerValue(1, 100), default: 10, describe: "how many", placeholder: "N" },
  "log-level": { schema: logLevelValue, default: "info", describe: "how much", placeholder: "LEVEL" },
  label: { schema: networkValue.optional(), default: undefined, describe: "a name", placeholder: "TEXT" },
};

const defaults = {
  dataDir: "/var/lib/it",
  listen: { ip: "0.0.0.0", port: 4100 },
  bootstrap: [],
  http: undefined,
  maxPeers: 10,
  logLevel: "info",
  label: undefined,
};

const directory = mkdtempSync(join(tmpdir(), "starling-config-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
let files = 0;

function fileOf(text: string): string {
  files += 1;
  const path = join(directory, `${files}.toml`);
  writeFileSync(path, text);
  return path;
}

function refusal(input: Partial<Parameters<typeof resolveConfig>[0]>): ConfigError {
  try {
    resolveConfig({ settings, flags: {}, env: {}, ...input });
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error("it was accepted");
}

describe("resolveConfig", () => {
  test("gives the defaults, parsed, under camel-case names", () => {
    expect(resolveConfig({ settings, flags: {}, env: {} })).toEqual(defaults);
  });

  test("flags go over environment over file over defaults", () => {
    const configPath = fileOf('data-dir = "/file"\nmax-peers = 20\nlisten = "127.0.0.1:1"\nhttp = "[::1]:80"\n');
    const env = { STARLING_DATA_DIR: "/env", STARLING_LISTEN: "127.0.0.1:2", STARLING_MAX_PEERS: "" };
    const flags = { dataDir: "/flag", json: true };
    const config = resolveConfig({ settings, flags, env, configPath });
    expect(config).toEqual({
      ...defaults,
      dataDir: "/flag",
      listen: { ip: "127.0.0.1", port: 2 },
      maxPeers: 20,
      http: { ip: "::1", port: 80 },
    });
  });

  test("a list is a repeated flag, an array, or separated by commas and spaces", () => {
    const text = `${ID}@192.0.2.1:4100`;
    const configPath = fileOf(`bootstrap = [\n  "${text}",\n  "${text}",\n]\n`);
    const env = { STARLING_BOOTSTRAP: `${text}, ${text}` };
    for (const input of [{ configPath }, { env }, { flags: { bootstrap: [text, text] } }]) {
      expect(resolveConfig({ settings, flags: {}, env: {}, ...input }).bootstrap).toEqual([CONTACT, CONTACT]);
    }
  });

  test("an error names the source, the key, the value, and what to write", () => {
    const byFlag = refusal({ flags: { maxPeers: "many" } });
    expect(byFlag).toMatchObject({ code: "E_CONFIG", source: "flag", key: "--max-peers", value: "many" });
    expect(byFlag.message).toBe('--max-peers "many": write a whole number from 1 to 100');
    const byEnvironment = refusal({ env: { STARLING_LOG_LEVEL: "loud" } });
    expect(byEnvironment).toMatchObject({ source: "environment", key: "STARLING_LOG_LEVEL", value: "loud" });
    expect(byEnvironment.message).toContain('STARLING_LOG_LEVEL "loud": write one of');
    const item = refusal({ flags: { bootstrap: [`${ID}@192.0.2.1:4100`, "nobody"] } });
    expect(item).toMatchObject({ key: "--bootstrap", value: "nobody" });
    expect(item.message).toContain("ID@IP:PORT");
  });

  test("an error in a file names its line, past whatever only looks like the key", () => {
    const path = fileOf('# listen = 1\nlabel = """\nlisten = "not this"\n"""\n\n"listen" = "nowhere"\n');
    const error = refusal({ configPath: path });
    expect(error).toMatchObject({ source: "file", key: "listen", value: "nowhere", path, line: 6 });
    expect(error.message).toContain(`${path}:6: listen "nowhere": `);
  });

  test("an unknown key is an error, with the one that was meant", () => {
    const path = fileOf('max-peers = 5\nmax-pears = 6\n\n[elsewhere]\nlisten = "127.0.0.1:1"\n');
    const error = refusal({ configPath: path });
    expect(error).toMatchObject({ key: "max-pears", value: 6, line: 2 });
    expect(error.message).toBe(`${path}:2: unknown key 'max-pears'; did you mean 'max-peers'?`);
    const table = refusal({ configPath: fileOf("[elsewhere]\nlisten = 1\n") });
    expect(table).toMatchObject({ key: "elsewhere", line: 1 });
    expect(table.message).toContain("known keys: data-dir, listen,");
  });

  test("a file that is missing, no TOML or of the wrong type is an error", () => {
    expect(refusal({ configPath: join(directory, "none.toml") }).message).toContain("(ENOENT)");
    expect(refusal({ configPath: fileOf("listen = [\n1,\n]\nbroken broken\n") })).toMatchObject({ line: 4 });
    expect(refusal({ configPath: fileOf("max-peers = 1\nmax-peers = 2\n") })).toMatchObject({ source: "file" });
    expect(refusal({ configPath: fileOf("listen = 4100\n") })).toMatchObject({ key: "listen", value: 4100 });
    expect(refusal({ configPath: fileOf("max-peers = 1979-05-27\n") })).toMatchObject({ key: "max-peers" });
    expect(refusal({ configPath: fileOf(`label = "${"x".repeat(1024 * 1024)}"\n`) }).message).toContain("too large");
  });

  test("any text as a file gives a configuration or a ConfigError", () => {
    const line = fc.oneof(
      fc.string(),
      fc.constantFrom("listen = ", "[listen]", "__proto__ = 1", "[__proto__]", 'label = "', "'''", "= 1"),
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 5 }), (lines) => {
        try {
          expect(resolveConfig({ settings, flags: {}, env: {}, configPath: fileOf(lines.join("\n")) })).toBeDefined();
        } catch (error) {
          expect(error).toBeInstanceOf(ConfigError);
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe("what is derived from the table", () => {
  test("the printed defaults are a file that says the defaults", () => {
    const text = printDefaults(settings, "it");
    expect(resolveConfig({ settings, flags: {}, env: {}, configPath: fileOf(text) })).toEqual(defaults);
    expect(text).toContain("# how many.\n# Flag --max-peers <N>, environment STARLING_MAX_PEERS.\nmax-peers = 10\n");
    expect(text).toContain("# label =");
  });

  test("flags", () => {
    const flags = flagsOf(settings);
    expect(flags.map(({ key }) => key)).toEqual(Object.keys(defaults));
    expect(flags[2]).toEqual({
      flags: "--bootstrap <ID@IP:PORT>",
      key: "bootstrap",
      describe: "whom to dial (repeatable; env: STARLING_BOOTSTRAP)",
      repeatable: true,
    });
    expect(flags[4]?.describe).toBe("how many (default: 10; env: STARLING_MAX_PEERS)");
  });
});

describe("values", () => {
  test.each([
    ["0.0.0.0:0", { ip: "0.0.0.0", port: 0 }],
    ["[::]:4100", { ip: "::", port: 4100 }],
    ["[::ffff:1.2.3.4]:0", { ip: "1.2.3.4", port: 0 }],
    ["127.0.0.1:65535", { ip: "127.0.0.1", port: 65_535 }],
  ])("listen %s", (text, address) => {
    expect(listenValue.parse(text)).toEqual(address);
  });

  test.each(["", "4100", ":4100", "localhost:1", "1.2.3.4", "1.2.3.4:65536", "::1:0", "1.2.3.4:0x1", "1.2.3.4:-1", 7])(
    "listen refuses %p",
    (text) => {
      expect(listenValue.safeParse(text).success).toBe(false);
    },
  );

  test("loopback is one address of each kind: pages know this machine by no other", () => {
    for (const text of ["127.0.0.1:0", "[::1]:80", "off"])
      expect(loopbackOrOffValue.safeParse(text).success).toBe(true);
    for (const text of ["127.0.0.2:8420", "0.0.0.0:1", "[::]:1"]) {
      expect(loopbackOrOffValue.safeParse(text).error?.issues[0]?.message).toContain("write 127.0.0.1:PORT");
    }
  });

  test("bootstrap takes no port 0 and no other spelling of an id", () => {
    for (const text of [
      `${ID}@1.2.3.4:0`,
      `${ID.toUpperCase()}@1.2.3.4:5`,
      `${"0".repeat(64)}@1.2.3.4:5`,
      `@1.2.3.4:5`,
    ]) {
      expect(contactValue.safeParse(text).success).toBe(false);
    }
  });

  test("a network's name is measured in bytes", () => {
    expect(networkValue.safeParse("é".repeat(32)).success).toBe(true);
    expect(networkValue.safeParse("é".repeat(33)).success).toBe(false);
    expect(networkValue.safeParse("").success).toBe(false);
  });

  test("numbers and rates", () => {
    expect([integerValue(0, 9).parse("7"), integerValue(0, 9).parse(7)]).toEqual([7, 7]);
    for (const wrong of ["", "1.5", "1e1", "-1", "10", " 1", 1.5, Number.NaN, true, null, [1]]) {
      expect(integerValue(0, 9).safeParse(wrong).success).toBe(false);
    }
    expect([perSecondValue(500).parse("500/s"), perSecondValue(500).parse("20"), perSecondValue(500).parse(3)]).toEqual(
      [500, 20, 3],
    );
    for (const wrong of ["0", "501/s", "5/m", "/s", 0])
      expect(perSecondValue(500).safeParse(wrong).success).toBe(false);
  });
});
