// werift's DTLS repeats a flight by a loop of timers that nothing can stop: after close() they keep a process alive for seconds.
// Its loop is replaced, for our own connections only, by one that ends with the channel.
import { pause } from "./cancellation.ts";
import { RtcError } from "./errors.ts";
import type { DtlsSocket, Flight, Werift } from "./werift.ts";

/** 0.5 s, 1 s, 1.5 s and so on, as werift has it; the deadline of the channel ends it long before the last. */
const RETRANSMIT_STEP_MS = 500;
const TRIES_MAX = 10;
/** As for SCTP: passes wherever 1280-byte packets do. */
const DATAGRAM_MAX_BYTES = 1191;
const SERVER_HELLO = 2;

// Keyed by werift's handshake context, so that an entry goes with its connection.
const signals = new WeakMap<object, AbortSignal>();
let patched = false;

/** Binds the retransmissions of this connection to the signal. */
export function endFlightsWith(signal: AbortSignal, socket: DtlsSocket): void {
  signals.set(socket.dtls, signal);
}

/** Once a process; throws `E_WERIFT` where werift has no such loop. */
export async function patchFlights(werift: Werift): Promise<void> {
  if (patched) return;
  const flight = await anyFlight(werift);
  const prototype: Flight | undefined = Object.getPrototypeOf(Object.getPrototypeOf(flight));
  if (typeof prototype?.transmit !== "function" || typeof flight.send !== "function") {
    throw new RtcError("E_WERIFT", "this werift repeats DTLS flights in another way: install exactly version 0.25.2");
  }
  if (patched) return;
  patched = true;
  const original = prototype.transmit;
  prototype.transmit = function (this: Flight, datagrams: Uint8Array[]): Promise<void> {
    const signal = signals.get(this.dtls);
    return signal === undefined ? original.call(this, datagrams) : transmit(this, datagrams, signal);
  };
}

async function transmit(flight: Flight, datagrams: Uint8Array[], signal: AbortSignal): Promise<void> {
  const joined = join(datagrams);
  for (let tries = 1; tries <= TRIES_MAX && !signal.aborted; tries += 1) {
    await flight.send(joined);
    if (flight.nextFlight === undefined) return;
    await pause(RETRANSMIT_STEP_MS * tries, signal);
    if (flight.dtls.flight >= flight.nextFlight) return;
  }
}

/** werift gives each record a datagram of its own, and one that is lost costs the flight: together they are one. */
function join(records: readonly Uint8Array[]): Uint8Array[] {
  const datagrams: Uint8Array[] = [];
  for (const record of records) {
    const last = datagrams.at(-1);
    if (last === undefined || last.length + record.length > DATAGRAM_MAX_BYTES) datagrams.push(record);
    else datagrams[datagrams.length - 1] = Buffer.concat([last, record]);
  }
  return datagrams;
}

/** The class is not exported: a client that is shown an empty ServerHello makes a flight before it refuses it. */
async function anyFlight(werift: Werift): Promise<Flight> {
  const nowhere = {
    type: "ice" as const,
    closed: true,
    address: {},
    onData: () => {},
    send: async () => {},
    close: async () => {},
  };
  const client = new werift.DtlsClient({ transport: nowhere, srtpProfiles: [], extendedMasterSecret: true });
  await client
    .onHandleHandshakes([{ msg_type: SERVER_HELLO, message_seq: 0, fragment: Buffer.alloc(0) }])
    .catch(() => {});
  if (client.flight5 === undefined) {
    throw new RtcError("E_WERIFT", "this werift makes its DTLS flights in another way: install exactly version 0.25.2");
  }
  return client.flight5 as Flight;
}
