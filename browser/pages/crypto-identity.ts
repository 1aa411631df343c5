// One end of every exchange, on the backend that a browser gets; the test is the other end, on node:crypto.
import {
  generateIdentity,
  type Identity,
  IdentityError,
  initiateHandshake,
  type NodeId,
  openBox,
  parseNodeId,
  protocolPrologue,
  respondHandshake,
  sealBox,
  sign,
  verify,
} from "@starling/crypto-identity";
import { expose, random } from "./expose.ts";

const prologue = protocolPrologue("browser", "test");
const identity: Identity = generateIdentity(random);
const list = (bytes: Uint8Array): number[] => [...bytes];

expose({
  id: (): NodeId => identity.id,

  seal({ recipient, text }: { recipient: NodeId; text: string }): number[] {
    const plaintext = new TextEncoder().encode(text);
    return list(sealBox({ identity, recipient, prologue, plaintext, random }));
  },

  open(box: number[]): { sender: NodeId; text: string } | null {
    const opened = openBox({ identity, prologue, box: Uint8Array.from(box) });
    return opened === undefined ? null : { sender: opened.sender, text: new TextDecoder().decode(opened.plaintext) };
  },

  respond(message: number[]): { message: number[]; handshakeHash: number[]; data: number[] } | null {
    const read = respondHandshake({ identity, prologue, message: Uint8Array.from(message) });
    if (read === undefined) return null;
    const { message: answer, keys } = read.respond(read.payload, random);
    const data = keys.send.seal(7, new Uint8Array(0), Uint8Array.of(1, 2, 3));
    return { message: list(answer), handshakeHash: list(keys.handshakeHash), data: list(data) };
  },

  initiate({ responder, message2 }: { responder: NodeId; message2?: number[] }): number[] {
    // A first call gives message 1 and keeps the state for the second, which reads message 2.
    if (message2 === undefined) {
      started = initiateHandshake({ identity, responder, prologue, payload: Uint8Array.of(9), random });
      return list(started.message);
    }
    return list(started?.finish(Uint8Array.from(message2))?.keys.handshakeHash ?? new Uint8Array(0));
  },

  sign: (text: string): number[] =>
    list(sign({ identity, domain: "test", message: new TextEncoder().encode(text), random })),

  verify: ({ id, text, signature }: { id: NodeId; text: string; signature: number[] }): boolean =>
    verify({ id, domain: "test", message: new TextEncoder().encode(text), signature: Uint8Array.from(signature) }),

  misuse(text: string): string {
    try {
      return parseNodeId(text);
    } catch (error) {
      return error instanceof IdentityError ? error.code : String(error);
    }
  },
});

let started: ReturnType<typeof initiateHandshake> | undefined;
