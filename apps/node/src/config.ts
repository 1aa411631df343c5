import { resolve } from "node:path";
import {
  addressValue,
  type Config,
  ConfigError,
  type ConfigInput,
  contactValue,
  dataDirPaths,
  defaultDataDir,
  type ExplainedSetting,
  explainConfig,
  integerValue,
  type LogLevel,
  listenValue,
  listValue,
  logLevelValue,
  loopbackOrOffValue,
  networkValue,
  originValue,
  pathValue,
  resolveConfig,
  type Setting,
  wordValue,
} from "@starling/daemon";
import type { IcePolicy } from "@starling/node-core";
import type { Address, Contact } from "@starling/wire-protocol";
import { formatAddress } from "@starling/wire-protocol/address";
import { RECORD_ADDRESSES_MAX } from "@starling/wire-protocol/limits";

type Environment = Readonly<Record<string, string | undefined>>;

export type NodeSettings = {
  readonly "data-dir": Setting<string>;
  readonly socket: Setting<string | undefined>;
  readonly listen: Setting<Address>;
  readonly bootstrap: Setting<readonly Contact[]>;
  readonly announce: Setting<readonly Address[]>;
  readonly http: Setting<Address | undefined>;
  readonly "http-origin": Setting<readonly string[]>;
  readonly network: Setting<string>;
  readonly "max-channels": Setting<number>;
  readonly "ice-policy": Setting<IcePolicy>;
  readonly "inbox-days": Setting<number>;
  readonly "log-level": Setting<LogLevel>;
};

export type NodeConfig = Config<NodeSettings>;

/** The environment decides only where data lies by default. */
export function nodeSettings(env: Environment): NodeSettings {
  return {
    "data-dir": {
      schema: pathValue,
      default: defaultDataDir("starling", env),
      describe: "Directory of the key, the inbox, the lock and the socket; made where it is missing",
      placeholder: "PATH",
    },
    socket: {
      schema: pathValue.optional(),
      default: undefined,
      describe: "Unix socket of local programs, if not starling.sock in the data directory",
      placeholder: "PATH",
    },
    listen: {
      schema: listenValue,
      default: "0.0.0.0:0",
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
      describe: "Addresses at which others can reach this node, where its operator knows them",
      placeholder: "IP:PORT",
    },
    http: {
      schema: loopbackOrOffValue,
      default: "off",
      describe:
        "TCP address on loopback of the dashboard, of /metrics and of the local API over WebSocket (/lpc), or off",
      placeholder: "IP:PORT|off",
    },
    "http-origin": {
      schema: listValue(originValue),
      default: [],
      describe: "Pages from elsewhere that may use the local API with its token",
      placeholder: "ORIGIN",
    },
    network: {
      schema: networkValue,
      default: "starling",
      describe: "Name of the network; nodes of another do not understand this one",
      placeholder: "NAME",
    },
    "max-channels": {
      schema: integerValue(0, 4096),
      default: 128,
      describe: "WebRTC channels open at once; 0 opens none, and all goes over relays",
      placeholder: "N",
    },
    "ice-policy": {
      schema: wordValue("all", "relayed-only"),
      default: "all",
      describe: "Who may see an address of this node: all, or its neighbours alone, so that it opens no channels",
      placeholder: "all|relayed-only",
    },
    "inbox-days": {
      schema: integerValue(1, 3650),
      default: 30,
      describe: "Days that a message waits for a program before it is dropped",
      placeholder: "N",
    },
    "log-level": {
      schema: logLevelValue,
      default: "info",
      describe: "Least level that is logged: fatal, error, warn, info, debug, trace or silent",
      placeholder: "LEVEL",
    },
  };
}

/** Throws `ConfigError`. The file is `--config`, else `STARLING_CONFIG`, else none. */
export function readNodeConfig(flags: Readonly<Record<string, unknown>>, env: Environment): NodeConfig {
  const config = resolveConfig(sourcesOf(flags, env));
  const [announced] = config.announce;
  if (announced !== undefined && config.icePolicy === "relayed-only") {
    const message = `ice-policy relayed-only shows no address to strangers, and announce ${formatAddress(announced)} does: leave one out`;
    const found = explainConfig(sourcesOf(flags, env)).find(({ name }) => name === "announce");
    const { source = "flag", place: key = "announce" } = found ?? {};
    throw new ConfigError(message, { source, key, value: formatAddress(announced) });
  }
  return config;
}

/** The same settings as they were written, and where each comes from. Throws `ConfigError`. */
export function explainNodeConfig(flags: Readonly<Record<string, unknown>>, env: Environment): ExplainedSetting[] {
  // What `start` would refuse is refused here.
  readNodeConfig(flags, env);
  return explainConfig(sourcesOf(flags, env));
}

function sourcesOf(flags: Readonly<Record<string, unknown>>, env: Environment): ConfigInput<NodeSettings> {
  return { settings: nodeSettings(env), flags, env, configPath: configPathOf(flags, env) };
}

function configPathOf(flags: Readonly<Record<string, unknown>>, env: Environment): string | undefined {
  const flag = typeof flags.config === "string" ? flags.config : undefined;
  return flag ?? (env.STARLING_CONFIG || undefined);
}

/** Where the daemon of this configuration serves local programs. */
export function socketPathOf({ dataDir, socket }: Pick<NodeConfig, "dataDir" | "socket">): string {
  return socket === undefined ? dataDirPaths(dataDir).socketPath : resolve(socket);
}
