import { describe, expect, test } from "@jest/globals";
import { generateIdentity } from "@starling/crypto-identity";
import { AddressVotes } from "../src/address-votes.ts";
import { random } from "./support.ts";

const ME = { ip: "203.0.113.9", port: 4_000 };
const LIE = { ip: "192.0.2.66", port: 53 };
const peer = () => generateIdentity(random).id;
const from = (block: number, host = 1) => ({ ip: `198.51.${block}.${host}`, port: 9 });

describe("votes on the own address", () => {
  test("one is none; two of different blocks decide; a majority is needed", () => {
    const votes = new AddressVotes();
    votes.vote(peer(), from(1), ME);
    expect(votes.winner()).toBeUndefined();
    votes.vote(peer(), from(2), ME);
    expect(votes.winner()).toEqual(ME);
    votes.vote(peer(), from(3), LIE);
    expect(votes.winner()).toEqual(ME);
    votes.vote(peer(), from(4), LIE);
    expect(votes.winner()).toBeUndefined();
  });

  test("a thousand liars of one block have one vote", () => {
    const votes = new AddressVotes();
    for (const block of [1, 2, 3]) votes.vote(peer(), from(block), ME);
    for (let host = 0; host < 1_000; host += 1) votes.vote(peer(), from(66, host % 250), LIE);
    expect(votes.winner()).toEqual(ME);
  });

  test("behind a NAT with a port for each peer nobody wins; who leaves or thinks again has no old vote", () => {
    const votes = new AddressVotes();
    const peers = [1, 2, 3].map((block) => {
      const id = peer();
      votes.vote(id, from(block), { ip: ME.ip, port: 4_000 + block });
      return id;
    });
    expect(votes.winner()).toBeUndefined();
    for (const id of peers.slice(1)) votes.forget(id);
    votes.vote(peers[0] ?? peer(), from(1), ME);
    votes.vote(peer(), from(9), ME);
    expect(votes.winner()).toEqual(ME);
  });

  test("nobody outside can have seen loopback, and nobody is at a multicast address or port 0", () => {
    const votes = new AddressVotes();
    for (const block of [1, 2, 3]) {
      votes.vote(peer(), from(block), { ip: "127.0.0.1", port: 4_000 });
      votes.vote(peer(), from(block), { ip: "224.0.0.1", port: 4_000 });
      votes.vote(peer(), from(block), { ip: ME.ip, port: 0 });
    }
    expect(votes.winner()).toBeUndefined();
    for (const _ of [1, 2]) votes.vote(peer(), { ip: "127.0.0.1", port: 9 }, { ip: "127.0.0.1", port: 4_000 });
    expect(votes.winner()).toEqual({ ip: "127.0.0.1", port: 4_000 });
  });
});
