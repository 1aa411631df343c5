import { LruMap } from "./lru-map.ts";
import { type NodeId, nodeIdToBytes } from "./node-id.ts";
import type { KeyPair, Primitives, PublicKey } from "./primitives.ts";

const CAPACITY = 1024;

/** A peer's static key, imported. */
export interface PeerKey {
  readonly id: NodeId;
  readonly publicKey: PublicKey;
  /** The secret with whichever own key was used last: a process has one as a rule, and a second costs an agreement. */
  shared: { readonly local: KeyPair; readonly secret: Uint8Array } | undefined;
}

/** Imported static keys of peers, and the secrets shared with them: importing and agreeing anew costs most of a message. */
export interface PeerKeys {
  /** The remembered key, or a fresh import that is *not* remembered: an id nobody has proved to own must displace none. */
  lookUp(id: NodeId): PeerKey;
  /** Keeps a key that was authenticated, or that our own side chose to talk to. */
  remember(peer: PeerKey): void;
  /** The static-static secret. Kept for as long as the peer's key is, or until it is asked for with another own key. */
  staticSecret(local: KeyPair, peer: PeerKey): Uint8Array | undefined;
  /** Overwrites the secrets of a key pair that is given up. */
  forget(local: KeyPair): void;
}

export function createPeerKeys(primitives: Primitives): PeerKeys {
  // BOUNDED: CAPACITY keys, the least recently used goes first.
  const keys = new LruMap<NodeId, PeerKey>(CAPACITY);
  return {
    lookUp: (id) => keys.get(id) ?? { id, publicKey: primitives.importPublicKey(nodeIdToBytes(id)), shared: undefined },
    remember: (peer) => keys.set(peer.id, peer),
    staticSecret(local, peer) {
      if (peer.shared?.local === local) return peer.shared.secret;
      const secret = local.agree(peer.publicKey);
      if (secret === undefined) return undefined;
      peer.shared?.secret.fill(0);
      peer.shared = { local, secret };
      return secret;
    },
    forget(local) {
      for (const peer of keys.values()) {
        if (peer.shared?.local !== local) continue;
        peer.shared.secret.fill(0);
        peer.shared = undefined;
      }
    },
  };
}
