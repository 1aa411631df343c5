export { type ConfigInput, type ExplainedSetting, explainConfig, printDefaults, resolveConfig } from "./config.ts";
export {
  type DataDir,
  type DataDirPaths,
  dataDirPaths,
  defaultDataDir,
  openDataDir,
  prepareDataDir,
} from "./data-dir.ts";
export {
  CommandError,
  ConfigError,
  type ConfigErrorDetail,
  type ConfigSource,
  DataDirError,
  type DataDirErrorCode,
} from "./errors.ts";
export { EXIT, exitCodeHelp, exitCodeOf, reportError } from "./exit.ts";
export { CLOCK_SET_BACK, type FreshnessFile, freshnessFile } from "./freshness-file.ts";
export { createLineBudget, type LineBudget } from "./line-budget.ts";
export { listenTcp } from "./listen-tcp.ts";
export type { Log, LogOptions } from "./log.ts";
export { tolerateClosedOutput } from "./output.ts";
export { peerText } from "./peer-text.ts";
export { type SavedPeersFile, savedPeersFile } from "./saved-peers.ts";
export {
  type CamelCase,
  type Config,
  environmentName,
  type Flag,
  flagsOf,
  type Setting,
  type Settings,
  type Written,
} from "./settings.ts";
export { type StopOptions, type StopReason, whenStopped } from "./stop.ts";
export {
  addressValue,
  booleanValue,
  contactValue,
  integerValue,
  type LogLevel,
  listenOrOffValue,
  listenValue,
  listValue,
  logLevelValue,
  loopbackOrOffValue,
  networkValue,
  nodeIdValue,
  originValue,
  pathValue,
  perSecondValue,
  wordValue,
} from "./values.ts";
