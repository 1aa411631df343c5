// Routers by what RFC 4787 calls their mapping and their filtering, as rules for nftables:
//
//             mapping                         filtering
//   none      none: the hosts have public addresses, and nothing is kept out
//   full      endpoint-independent            endpoint-independent
//   addr      endpoint-independent            address-dependent
//   port      endpoint-independent            address and port-dependent
//   sym       address and port-dependent      address and port-dependent
//   udpblock  UDP does not pass at all
//
// Linux by itself is "port": it keeps the source port where it can, and lets in what belongs to a flow. "sym" has it draw a new port
// for each flow. "full" and "addr" add a map of ports to hosts, filled by what goes out, through which strangers' datagrams come in.

export type NatType = "none" | "full" | "addr" | "port" | "sym" | "udpblock";

export type NatOptions = {
  /** How long a mapping lives without a datagram. */
  readonly timeoutS: number;
  /** Says by ICMP that a port cannot be reached, where others drop a datagram without a word. */
  readonly refuses: boolean;
};

type Kind = { readonly map: string; readonly learn: string; readonly letIn: string; readonly source: string };

const PLAIN: Kind = { map: "", learn: "", letIn: "", source: "oifname wan masquerade" };

function kindOf(type: NatType): Kind {
  switch (type) {
    case "full":
      return {
        ...PLAIN,
        map: "type inet_service : ipv4_addr",
        learn: "update @inner { udp sport : ip saddr }",
        letIn: "dnat ip to udp dport map @inner",
      };
    case "addr":
      return {
        ...PLAIN,
        map: "type ipv4_addr . inet_service : ipv4_addr",
        learn: "update @inner { ip daddr . udp sport : ip saddr }",
        letIn: "dnat ip to ip saddr . udp dport map @inner",
      };
    case "sym":
      return { ...PLAIN, source: "oifname wan masquerade fully-random" };
    case "none":
      return { ...PLAIN, source: "" };
    case "port":
    case "udpblock":
      return PLAIN;
  }
}

/** The ruleset of a router whose interfaces are called `lan` and `wan`. */
export function natRules(type: NatType, { timeoutS, refuses }: NatOptions): string {
  const { map, learn, letIn, source } = kindOf(type);
  return `
table ip translation {
  ${map === "" ? "" : `map inner { ${map}; flags dynamic,timeout; timeout ${timeoutS}s; size 65535; }`}
  chain learning { type filter hook forward priority -10;
    ${learn === "" ? "" : `iifname lan oifname wan meta l4proto udp ${learn}`}
  }
  chain inbound { type nat hook prerouting priority dstnat;
    ${letIn === "" ? "" : `iifname wan meta l4proto udp ${letIn}`}
  }
  chain outbound { type nat hook postrouting priority srcnat;
    ${source}
  }
}
table ip filtering {
  chain passing { type filter hook forward priority 0; policy drop;
    ${type === "udpblock" ? "meta l4proto udp drop" : ""}
    ct state established,related accept
    iifname lan accept
    iifname wan ${type === "none" ? "accept" : "ct status dnat accept"}
  }
  # What nobody asked for is dropped (or refused) before it becomes a flow of the router's own, which would take the port away from a host's flow
  # to the same place.
  chain own { type filter hook input priority 0; policy drop;
    iifname { lo, lan } accept
    meta l4proto icmp accept
    ct state established,related accept
    ${refuses ? "meta l4proto udp reject with icmp type port-unreachable" : ""}
  }
}
`;
}
