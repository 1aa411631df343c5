import type { NodeId } from "@starling/crypto-identity";
import { parseNodeId } from "@starling/crypto-identity/node-id";
import type { Address, Contact } from "@starling/wire-protocol";
import { parseAddress } from "@starling/wire-protocol/address";
import * as z from "zod";

// Schemas of single values, as a person writes them: on a command line, in the environment, in a TOML file. Each takes text;
// numbers are also taken as numbers, for TOML has them. Messages say what to write.

/** Levels of the log, gravest first; `silent` writes nothing. */
export type LogLevel = "fatal" | "error" | "warn" | "info" | "debug" | "trace" | "silent";

const NETWORK_NAME_MAX_BYTES = 64;
const LIST_MAX = 64;

function parsed<T>(parse: (text: string) => T): z.ZodType<T> {
  return z.string().transform((text, context): T => {
    try {
      return parse(text);
    } catch (error) {
      context.addIssue({ code: "custom", message: error instanceof Error ? error.message : String(error) });
      return z.NEVER;
    }
  });
}

function parseListen(text: string): Address {
  // Port 0, "any free port", is no Address to send to, but one to listen on.
  const anyPort = /^(.*):0{1,5}$/.exec(text);
  return anyPort ? { ip: parseAddress(`${anyPort[1]}:1`).ip, port: 0 } : parseAddress(text);
}

function parseContact(text: string): Contact {
  const at = text.indexOf("@");
  if (at < 0) throw new Error("write ID@IP:PORT, an id of 64 hexadecimal digits before the @");
  return { id: parseNodeId(text.slice(0, at)), address: parseAddress(text.slice(at + 1)) };
}

/** `IP:PORT` to send to; IP is a literal, an IPv6 one in brackets. */
export const addressValue: z.ZodType<Address> = parsed(parseAddress);

/** `IP:PORT` to listen on; port 0 is any free one. */
export const listenValue: z.ZodType<Address> = parsed(parseListen);

/** `IP:PORT` to listen on, or `off` (undefined). */
export const listenOrOffValue: z.ZodType<Address | undefined> = parsed((text) =>
  text === "off" ? undefined : parseListen(text),
);

/** `IP:PORT` on loopback to listen on, or `off` (undefined). */
export const loopbackOrOffValue: z.ZodType<Address | undefined> = listenOrOffValue.refine(
  (address) => address === undefined || address.ip === "::1" || address.ip === "127.0.0.1",
  { error: "the local API is for programs of this machine: write 127.0.0.1:PORT, [::1]:PORT or off" },
);

/** Where a page comes from: scheme, host and port, as browsers write it. */
export const originValue: z.ZodType<string> = z.string().refine(
  (text) => {
    try {
      return new URL(text).origin === text;
    } catch {
      return false;
    }
  },
  { error: "write an origin such as http://localhost:5173, without a path" },
);

/** A NodeId: 64 hex digits of a key that is one. */
export const nodeIdValue: z.ZodType<NodeId> = parsed(parseNodeId);

/** `ID@IP:PORT`. */
export const contactValue: z.ZodType<Contact> = parsed(parseContact);

/** The name of a network, 1-64 bytes: nodes of different names do not understand each other. */
export const networkValue: z.ZodType<string> = z.string().refine(
  (name) => {
    const { length } = new TextEncoder().encode(name);
    return length >= 1 && length <= NETWORK_NAME_MAX_BYTES;
  },
  { error: `a network's name has 1 to ${NETWORK_NAME_MAX_BYTES} bytes` },
);

/** One of these words. */
export function wordValue<const Word extends string>(...words: readonly [Word, ...Word[]]): z.ZodType<Word> {
  return z.enum(words, { error: `write one of ${words.join(", ")}` });
}

/** A level of the log, by its name. */
export const logLevelValue: z.ZodType<LogLevel> = wordValue(
  "fatal",
  "error",
  "warn",
  "info",
  "debug",
  "trace",
  "silent",
);

/** A path in the file system, not empty. */
export const pathValue: z.ZodType<string> = z
  .string()
  .min(1, "a path is not empty")
  .refine((path) => !path.includes("\0"), { error: "a path holds no NUL" });

/** A whole number from `min` to `max`, as a number or in decimal digits. */
export function integerValue(min: number, max: number): z.ZodType<number> {
  const error = `write a whole number from ${min} to ${max}`;
  const digits = z
    .string()
    .regex(/^\d{1,15}$/, error)
    .transform(Number);
  return z.union([z.number(), digits], { error }).pipe(z.int(error).min(min, error).max(max, error));
}

/** A rate from 1: `500/s`, or the number alone. */
export function perSecondValue(max: number): z.ZodType<number> {
  const error = `write a rate from 1/s to ${max}/s`;
  const rate = z
    .string()
    .regex(/^\d{1,15}(?:\/s)?$/, error)
    .transform((text) => Number(text.replace("/s", "")));
  return z.union([z.number(), rate], { error }).pipe(z.int(error).min(1, error).max(max, error));
}

/** `true` or `false`. */
export const booleanValue: z.ZodType<boolean> = z.union(
  [z.boolean(), z.enum(["true", "false"]).transform((text) => text === "true")],
  { error: "write true or false" },
);

/** A list, for settings that can be given more than once; at most 64 unless told. */
export function listValue<T>(item: z.ZodType<T>, max: number = LIST_MAX): z.ZodType<readonly T[]> {
  return z.array(item).max(max, `at most ${max} of these`);
}
