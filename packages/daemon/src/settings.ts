import type * as z from "zod";

/** A value as it can be written in a TOML file. */
export type Written = string | number | boolean | readonly string[];

/** One setting of a program; its name is the key of the table that holds it. */
export type Setting<Value> = {
  readonly schema: z.ZodType<Value>;
  /** As it would be written; a list makes the setting repeatable. Undefined where it has none (the schema is then optional). */
  readonly default: Written | undefined;
  /** What it does, on one line, with no full stop at the end. */
  readonly describe: string;
  /** What stands for the value in help, such as `IP:PORT`. A setting whose default is a boolean is a flag without a value. */
  readonly placeholder: string;
};

/**
 * A program's settings by kebab-case name: the one source of its flags (`--data-dir`), environment (`STARLING_DATA_DIR`), TOML
 * keys (`data-dir`) and defaults.
 */
export type Settings = Readonly<Record<string, Setting<unknown>>>;

/** `max-peers` as a type becomes `maxPeers`. */
export type CamelCase<Name extends string> = Name extends `${infer Head}-${infer Tail}`
  ? `${Head}${Capitalize<CamelCase<Tail>>}`
  : Name;

/** What `resolveConfig` gives for a table of settings: `data-dir` becomes `dataDir`. */
export type Config<Table extends Settings> = {
  readonly [Name in keyof Table & string as CamelCase<Name>]: Table[Name] extends Setting<infer Value> ? Value : never;
};

/** A flag, in the terms of commander's `Option` and of others like it. */
export type Flag = {
  /** `--data-dir <PATH>` */
  readonly flags: string;
  /** The key under which the parsed value is found: `dataDir`. */
  readonly key: string;
  readonly describe: string;
  /** Whether it may be given more than once; its value is then the list of all. */
  readonly repeatable: boolean;
};

export function camelCase(name: string): string {
  return name.replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase());
}

/** The environment variable of a setting: `max-peers` becomes `STARLING_MAX_PEERS`. */
export function environmentName(name: string): string {
  return `STARLING_${name.replaceAll("-", "_").toUpperCase()}`;
}

/** The flags of a program, with default and environment name in their descriptions. */
export function flagsOf(settings: Settings): Flag[] {
  return Object.entries(settings).map(([name, setting]) => {
    const repeatable = Array.isArray(setting.default);
    const notes = [
      repeatable ? "repeatable" : [],
      setting.default === undefined || repeatable ? [] : `default: ${setting.default}`,
      `env: ${environmentName(name)}`,
    ].flat();
    return {
      flags: typeof setting.default === "boolean" ? `--${name}` : `--${name} <${setting.placeholder}>`,
      key: camelCase(name),
      describe: `${setting.describe} (${notes.join("; ")})`,
      repeatable,
    };
  });
}
