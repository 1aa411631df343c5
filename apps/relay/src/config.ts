import {
  addressValue,
  booleanValue,
  type Config,
  contactValue,
  defaultDataDir,
  type LogLevel,
  listenOrOffValue,
  listenValue,
  listValue,
  logLevelValue,
  networkValue,
  pathValue,
  resolveConfig,
  type Setting,
} from "@starling/daemon";
import { type Address, type Contact, RECORD_ADDRESSES_MAX } from "@starling/wire-protocol";
import { type LimitSettings, limitSettings } from "./limit-settings.ts";

type Environment = Readonly<Record<string, string | undefined>>;

export type RelaySettings = LimitSettings & {
  readonly "data-dir": Setting<string>;
  readonly listen: Setting<Address>;
  readonly bootstrap: Setting<readonly Contact[]>;
  readonly announce: Setting<readonly Address[]>;
  readonly http: Setting<Address | undefined>;
  readonly network: Setting<string>;
  readonly passive: Setting<boolean>;
  readonly allow: Setting<string | undefined>;
  readonly deny: Setting<string | undefined>;
  readonly "log-level": Setting<LogLevel>;
};

export type RelayConfig = Config<RelaySettings>;

/** The environment decides only where data lies by default. */
export function relaySettings(env: Environment): RelaySettings {
  return {
    "data-dir": {
      schema: pathValue,
      default: defaultDataDir("starling-relay", env),
      describe: "Directory of the key and the lock; made where it is missing",
      placeholder: "PATH",
    },
    listen: {
      schema: listenValue,
      default: "0.0.0.0:4100",
      describe: "UDP address to listen on; port 0 is any free one, [::] takes IPv6 and IPv4",
      placeholder: "IP:PORT",
    },
    bootstrap: {
      schema: listValue(contactValue),
      default: [],
      describe: "Nodes to connect to first",
      placeholder: "ID@IP:PORT",
    },
    announce: {
      schema: listValue(addressValue, RECORD_ADDRESSES_MAX),
      default: [],
      describe: "Addresses that others are told to reach this relay at, where they differ from what is seen",
      placeholder: "IP:PORT",
    },
    http: {
      schema: listenOrOffValue,
      default: "off",
      describe: "TCP address of /healthz, /metrics and /descriptor, or off",
      placeholder: "IP:PORT|off",
    },
    network: {
      schema: networkValue,
      default: "starling",
      describe: "Name of the network; nodes of another do not understand this one",
      placeholder: "NAME",
    },
    passive: {
      schema: booleanValue,
      default: false,
      describe: "Dial bootstrap nodes and nobody else",
      placeholder: "BOOLEAN",
    },
    allow: {
      schema: pathValue.optional(),
      default: undefined,
      describe: "File of node ids and address blocks, one a line: only these may connect; read again at SIGHUP",
      placeholder: "PATH",
    },
    deny: {
      schema: pathValue.optional(),
      default: undefined,
      describe: "File of node ids and address blocks, one a line, that may not connect; read again at SIGHUP",
      placeholder: "PATH",
    },
    ...limitSettings(),
    "log-level": {
      schema: logLevelValue,
      default: "info",
      describe: "Least level that is logged: fatal, error, warn, info, debug, trace or silent",
      placeholder: "LEVEL",
    },
  };
}

/** Throws `ConfigError`. `configPath`, where it is not given, is `STARLING_CONFIG`. */
export function readRelayConfig(
  flags: Readonly<Record<string, unknown>>,
  env: Environment,
  configPath: string | undefined,
): RelayConfig {
  const path = configPath ?? (env.STARLING_CONFIG || undefined);
  return resolveConfig({ settings: relaySettings(env), flags, env, configPath: path });
}
