import { LruMap } from "./lru-map.ts";
import { type NodeId, nodeIdToBytes } from "./node-id.ts";
import type { KeyPair, Primitives, PublicKey } from "./primitives.ts";

const CAPACITY = 1024;

/** A peer's static key, imported. */
export interface PeerKey {
  readonly id: NodeId;
  readonly publicKey: PublicKey;
}

/** Imported static keys of peers, and the secrets shared with them: importing and agreeing anew costs most of a message. */
export interface PeerKeys {
  /** The remembered key, or a fresh import that is *not* remembered: an id nobody has proved to own must displace none. */
  lookUp(id: NodeId): PeerKey;
  /** Keeps a key that was authenticated, or that our own side chose to talk to. */
  remember(peer: PeerKey): void;
  /** The static-static secret. Kept for as long as the peer's key is. */
  staticSecret(local: KeyPair, peer: PeerKey): Uint8Array | undefined;
  /** Overwrites the secrets of a key pair that is given up. */
  forget(local: KeyPair): void;
}

export function createPeerKeys(primitives: Primitives): PeerKeys {
  // BOUNDED: CAPACITY keys, the least recently used goes first.
  const keys = new LruMap<NodeId, PeerKey>(CAPACITY);
  // BOUNDED: by `keys`; an entry dies with the PeerKey that it hangs on.
  const secrets = new WeakMap<PeerKey, WeakMap<KeyPair, Uint8Array>>();
  return {
    lookUp: (id) => keys.get(id) ?? { id, publicKey: primitives.importPublicKey(nodeIdToBytes(id)) },
    remember: (peer) => keys.set(peer.id, peer),
    staticSecret(local, peer) {
      let known = secrets.get(peer);
      if (known === undefined) {
        known = new WeakMap();
        secrets.set(peer, known);
      }
      const cached = known.get(local);
      if (cached !== undefined) return cached;
      const secret = local.agree(peer.publicKey);
      if (secret !== undefined) known.set(local, secret);
      return secret;
    },
    forget(local) {
      for (const peer of keys.values()) {
        const known = secrets.get(peer);
        known?.get(local)?.fill(0);
        known?.delete(local);
      }
    },
  };
}
