export { UdpError, type UdpErrorCode } from "./errors.ts";
export { createSecureUdp, type SecureUdp, type SecureUdpOptions } from "./secure-udp.ts";
export { openUdpSocket, type UdpCounterName, type UdpSocket, type UdpSocketOptions } from "./socket.ts";
export { acceptsSource } from "./source-filter.ts";
