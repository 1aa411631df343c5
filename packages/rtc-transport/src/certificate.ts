// One DTLS certificate a process: making one takes milliseconds, and the session above, not the certificate, says who a peer is.
import type { Certificate, Werift } from "./werift.ts";

export type LocalCertificate = { readonly pem: Certificate; readonly fingerprint: Uint8Array };

export async function localCertificate(werift: Werift): Promise<LocalCertificate> {
  const pem = await werift.RTCDtlsTransport.SetupCertificate();
  const [first] = pem.getFingerprints();
  return { pem, fingerprint: Uint8Array.from(Buffer.from((first?.value ?? "").replaceAll(":", ""), "hex")) };
}
