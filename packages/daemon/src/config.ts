import { stringify } from "smol-toml";
import { type ConfigFile, place, readConfigFile } from "./config-file.ts";
import { ConfigError, type ConfigSource } from "./errors.ts";
import { peerText } from "./peer-text.ts";
import { type Config, camelCase, environmentName, type Setting, type Settings } from "./settings.ts";

/** The four places of a configuration; the defaults are in `settings`. */
export type ConfigInput<Table extends Settings> = {
  readonly settings: Table;
  /** Parsed flags by camel-case name; what is no setting is left alone. */
  readonly flags: Readonly<Record<string, unknown>>;
  /** `process.env`. Lists are separated by commas or spaces; an empty value counts as none; other names are left alone. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** A TOML file that must exist. */
  readonly configPath?: string | undefined;
};

/** Flags over environment over file over defaults, each checked by its schema. Throws `ConfigError` for the first wrong one. */
export function resolveConfig<Table extends Settings>(input: ConfigInput<Table>): Config<Table> {
  const { settings, configPath } = input;
  const file = configPath === undefined ? undefined : readConfigFile(configPath, Object.keys(settings));
  const entries = Object.entries(settings).map(([name, setting]) => {
    const found = find(name, setting, input, file);
    const result = setting.schema.safeParse(found.value);
    if (result.success) return [camelCase(name), result.data];
    const [issue] = result.error.issues;
    // In a list the message should show the item at fault, not all of it.
    const [index] = issue?.path ?? [];
    const value = Array.isArray(found.value) && typeof index === "number" ? found.value[index] : found.value;
    const message = `${found.place} ${peerText(JSON.stringify(value) ?? "nothing")}: ${issue?.message ?? "not valid"}`;
    throw new ConfigError(message, { ...found, value });
  });
  return Object.fromEntries(entries);
}

/** A setting in force, as it was written. */
export type ExplainedSetting = {
  readonly name: string;
  readonly value: unknown;
  readonly source: ConfigSource;
  /** Source and key as a person names them: `--listen`, `STARLING_LISTEN`, a line of a file, `default`. */
  readonly place: string;
};

/** Where each setting comes from. Throws `ConfigError` where `resolveConfig` does. */
export function explainConfig<Table extends Settings>(input: ConfigInput<Table>): ExplainedSetting[] {
  resolveConfig(input);
  const { settings, configPath } = input;
  const file = configPath === undefined ? undefined : readConfigFile(configPath, Object.keys(settings));
  return Object.entries(settings).map(([name, setting]) => {
    const { value, source, place: where } = find(name, setting, input, file);
    return { name, value, source, place: source === "default" ? "default" : where };
  });
}

type Found = {
  readonly source: ConfigSource;
  readonly key: string;
  readonly value: unknown;
  /** Source and key as they begin a message. */
  readonly place: string;
  readonly path?: string;
  readonly line?: number | undefined;
};

function find(
  name: string,
  setting: Setting<unknown>,
  input: ConfigInput<Settings>,
  file: ConfigFile | undefined,
): Found {
  const repeatable = Array.isArray(setting.default);
  const flag = input.flags[camelCase(name)];
  if (flag !== undefined) return { source: "flag", key: `--${name}`, value: flag, place: `--${name}` };
  const key = environmentName(name);
  const text = input.env[key];
  if (text !== undefined && text !== "") {
    const value = repeatable ? text.split(/[\s,]+/).filter((item) => item !== "") : text;
    return { source: "environment", key, value, place: key };
  }
  if (file?.values.has(name)) {
    const { path } = file;
    const line = file.lineOf(name);
    return {
      source: "file",
      key: name,
      value: file.values.get(name),
      place: `${place(path, line)}: ${name}`,
      path,
      line,
    };
  }
  return { source: "default", key: name, value: setting.default, place: `default of ${name}` };
}

/** A commented TOML file that sets every setting to its default. */
export function printDefaults(settings: Settings, program: string): string {
  const blocks = Object.entries(settings).map(([name, setting]) => {
    const heading = `# ${setting.describe}.\n# Flag --${name}${typeof setting.default === "boolean" ? "" : ` <${setting.placeholder}>`}, environment ${environmentName(name)}.`;
    const line = setting.default === undefined ? `# ${name} =` : stringify({ [name]: setting.default }).trim();
    return `${heading}\n${line}\n`;
  });
  return [
    `# Configuration of ${program}. A flag or an environment variable goes before what is written here.\n`,
    ...blocks,
  ].join("\n");
}
