import type { Answer, LinkInfo, NodeInfo, NodeStatus, OpenMessage, PeerInfo, Receipt, TraceStep } from "../answers.ts";
import type {
  AckRequest,
  AskRequest,
  BroadcastRequest,
  ConnectRequest,
  DisconnectRequest,
  PingRequest,
  ReplyRequest,
  SubmitRequest,
} from "../requests.ts";

/**
 * What a daemon does for local programs. A handler fails by throwing a `LocalClientError`, whose code and message go to the
 * program; anything else that it throws is a fault of the daemon, reported to `onFault` and answered `E_INTERNAL`.
 */
export type LocalHandlers = {
  /** Answers `node.info`. */
  info(): NodeInfo;
  /** Answers `node.status`. */
  status(): NodeStatus;
  /** Answers `peers.list`. */
  peers(): readonly PeerInfo[];
  /** Answers `links.list`. */
  links(): readonly LinkInfo[];
  /** What is under way, oldest first. */
  openMessages(): readonly OpenMessage[];
  /** `signal` aborts when the program cancels, or is gone. */
  submit(request: SubmitRequest, signal: AbortSignal): Promise<Receipt>;
  /** Answers `message.request`, when the reply is there; `signal` says that the program has gone. */
  request(request: AskRequest, signal: AbortSignal): Promise<Answer>;
  /** Resolves when the asker's daemon has the reply. */
  reply(request: ReplyRequest, signal: AbortSignal): Promise<void>;
  /** Resolves when it is out. */
  broadcast(request: BroadcastRequest): Promise<{ readonly messageId: string }>;
  /** Whether the node with this key is there; no program of its hears of it. */
  ping(request: PingRequest, signal: AbortSignal): Promise<Receipt>;
  /** Opens a channel to a peer, or a session at an address. */
  connect(request: ConnectRequest): Promise<{ readonly link: PeerInfo["link"] }>;
  /** Answers `peers.disconnect`. */
  disconnect(request: DisconnectRequest): void;
  /** Answers `trace`: the steps of the way that a message to this id would take. */
  trace(to: string): Promise<readonly TraceStep[]>;
  /** Throws `E_NO_MESSAGE` where no such message waits for its ack. */
  ack(request: AckRequest): void;
};
