/** TLS for those who demand it. Certificates are reported and not required: DNS decided who answers, and a probe has
 * no secret to keep (RFC 3207 §4.1 leaves the decision to the client; RFC 7435 has the reasons). */
import { isIP, type Socket } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';

export const startTls = (tcp: Socket, host: string): TLSSocket =>
  connect({
    socket: tcp,
    ...(isIP(host) === 0 ? { servername: host } : {}),
    rejectUnauthorized: false,
    // A server that demands TLS may know only an old one; a probe over it gives nothing away.
    minVersion: 'TLSv1',
    ciphers: 'DEFAULT@SECLEVEL=0',
  });

/** One line for the transcript. */
export const printTls = (socket: TLSSocket): string => {
  const { subject } = socket.getPeerCertificate();
  const trust = socket.authorized ? 'trusted' : `not trusted: ${socket.authorizationError}`;
  const cipher = socket.getCipher().standardName;
  return `${socket.getProtocol()} with ${cipher}; certificate of ${subject?.CN ?? '(no name)'}, ${trust}`;
};
