import { blockOf, type Scope, scopeOf } from "./scope.ts";

// How many of one block (the /24 of an IPv4, the /48 of an IPv6) may stand where, PROTOCOL §6: whoever has one address mostly has more
// next to it, and they are not to be all that a node knows. Machines of a loopback or a private network share a block by nature.

/** How many addresses of one /24 (IPv6: /48) may stand where. */
export type BlockLimits = {
  /** Contacts and candidates in one bucket. */
  readonly bucket: number;
  /** Contacts in the table, and candidates. */
  readonly table: number;
  /** The part of the table that its contacts may be, 0 to 1, where that is less, and more than `tableFew`. */
  readonly tablePart: number;
  /** Contacts in a table that is small yet. */
  readonly tableFew: number;
  /** Contacts in an answer. */
  readonly answer: number;
  readonly anchors: number;
  /** Addresses to which no limit applies. */
  readonly exempt: readonly Scope[];
};

/** The limits of the network. */
export const BLOCK_LIMITS: BlockLimits = {
  bucket: 2,
  table: 10,
  tablePart: 0.2,
  tableFew: 4,
  answer: 2,
  anchors: 1,
  exempt: ["loopback", "private"],
};

/** What an address counts under; undefined where no limit holds. */
export function limitedBlock(ip: string, { exempt }: BlockLimits): string | undefined {
  return exempt.includes(scopeOf(ip)) ? undefined : blockOf(ip);
}

/** The first of each block, `perBlock` of them, in their order. */
export function* withinBlocks<Item extends { readonly block: string | undefined }>(
  items: Iterable<Item>,
  perBlock: number,
): Generator<Item> {
  const taken = new Map<string, number>();
  for (const item of items) {
    if (item.block !== undefined) {
      const count = taken.get(item.block) ?? 0;
      if (count >= perBlock) continue;
      taken.set(item.block, count + 1);
    }
    yield item;
  }
}
