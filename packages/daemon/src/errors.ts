/** Why a data directory cannot be used. */
export type DataDirErrorCode =
  /** Another process holds the directory. */
  | "E_DATA_DIR_IN_USE"
  /** Group or world may write to it. */
  | "E_DATA_DIR_PERMISSIONS"
  /** It belongs to another user. */
  | "E_DATA_DIR_FOREIGN"
  /** Not a directory, or it cannot be made, entered or written to. */
  | "E_DATA_DIR_UNUSABLE"
  /** A unix socket in it would have a longer path than systems allow. */
  | "E_DATA_DIR_PATH_TOO_LONG";

/** A data directory that must not or cannot be used. The message names it and says what to do. */
export class DataDirError extends Error {
  override readonly name = "DataDirError";
  readonly code: DataDirErrorCode;

  constructor(code: DataDirErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Where a value came from. */
export type ConfigSource = "flag" | "environment" | "file" | "default";

/** Where a wrong setting stands. */
export type ConfigErrorDetail = {
  readonly source: ConfigSource;
  /** The setting as it was written there: `--listen`, `STARLING_LISTEN`, `listen`. Absent where the file itself is at fault. */
  readonly key?: string | undefined;
  readonly value?: unknown;
  /** For a file: its path and the line, from 1. */
  readonly path?: string | undefined;
  readonly line?: number | undefined;
};

/** A configuration that cannot be used. The message names source, key and value. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly code = "E_CONFIG";
  readonly source: ConfigSource;
  readonly key: string | undefined;
  readonly value: unknown;
  readonly path: string | undefined;
  readonly line: number | undefined;

  constructor(message: string, detail: ConfigErrorDetail, options?: ErrorOptions) {
    super(message, options);
    this.source = detail.source;
    this.key = detail.key;
    this.value = detail.value;
    this.path = detail.path;
    this.line = detail.line;
  }
}

/** A command that ends otherwise than by success, with the exit code it chose (see `EXIT`). */
export class CommandError extends Error {
  override readonly name = "CommandError";
  readonly code: string;
  readonly exitCode: number;

  constructor(code: string, message: string, exitCode: number, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.exitCode = exitCode;
  }
}
