import { expect, test } from "@jest/globals";
import { stunServersOf } from "../src/stun-servers.ts";

const at = (ip: string, reachable = true) => ({ address: { ip, port: 4100 }, reachable });

test("two reachable neighbours are asked for a channel's public address, none on loopback", () => {
  const neighbours = [at("127.0.0.1"), at("198.51.100.7", false), at("198.51.100.8"), at("::1"), at("2001:db8::1")];
  expect(stunServersOf([...neighbours, at("198.51.100.9")])).toEqual([
    { ip: "198.51.100.8", port: 4100 },
    { ip: "2001:db8::1", port: 4100 },
  ]);
  expect(stunServersOf([at("127.0.0.1"), at("198.51.100.7", false)])).toEqual([]);
});
