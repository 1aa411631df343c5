export { MESSAGE_MAX_BYTES, MESSAGE_ONCE_MAX_BYTES, UdpError, type UdpErrorCode } from "./errors.ts";
export { createSecureUdp, type SecureUdp, type SecureUdpMessage, type SecureUdpOptions } from "./secure-udp.ts";
export { openUdpSocket, type UdpCounterName, type UdpSocket, type UdpSocketOptions } from "./socket.ts";
