/** TLS for those who demand it. Certificates are reported and not required: DNS decided who answers, and a probe has
 * no secret to keep (RFC 3207 §4.1 leaves the decision to the client; RFC 7435 has the reasons).
 *
 * OpenSSL reads at most 100 KB of certificates and fails the handshake past that; what is kept of them is bounded here.
 */
import { isIP, type Socket } from 'node:net';
import { checkServerIdentity, connect, type PeerCertificate, type TLSSocket } from 'node:tls';
import type { TlsFacts } from './types.ts';

/** A certificate may carry thousands of names, and is kept for as long as its session. */
const MAX_ALT_NAMES = 100;
/** The longest domain name, and more than any honest subject. */
const MAX_NAME_CHARACTERS = 255;

export const startTls = (tcp: Socket, host: string): TLSSocket =>
  connect({
    socket: tcp,
    host,
    ...(isIP(host) === 0 ? { servername: host } : {}),
    rejectUnauthorized: false,
    // What a peer put into its names must not become an exception in the socket's event.
    checkServerIdentity: (name, certificate) => {
      try {
        return checkServerIdentity(name, certificate);
      } catch (error) {
        return error instanceof Error ? error : new Error('unreadable names');
      }
    },
    // A server that demands TLS may know only an old one; a probe over it gives nothing away.
    minVersion: 'TLSv1',
    ciphers: 'DEFAULT@SECLEVEL=0',
  });

const printName = (text: string): string => text.replace(/\p{Cc}/gu, '\ufffd').slice(0, MAX_NAME_CHARACTERS);

const printDistinguishedName = (name: PeerCertificate['subject'] | undefined): string =>
  printName(
    Object.entries(name ?? {})
      .map(([key, value]) => `${key}=${Array.isArray(value) ? value.join('+') : value}`)
      .join(', '),
  );

const readCertificate = (certificate: PeerCertificate): TlsFacts['certificate'] => {
  const validTo = new Date(certificate.valid_to ?? Number.NaN);
  if (Number.isNaN(validTo.getTime())) return null;
  return {
    subject: printDistinguishedName(certificate.subject),
    issuer: printDistinguishedName(certificate.issuer),
    validTo,
    altNames: (certificate.subjectaltname ?? '')
      .split(', ', MAX_ALT_NAMES)
      .flatMap((name) => /^(?:DNS|IP Address):(.+)$/s.exec(name)?.[1] ?? [])
      .map(printName),
  };
};

/** After the handshake. */
export const readTlsFacts = (socket: TLSSocket): TlsFacts => ({
  version: socket.getProtocol() ?? 'unknown',
  cipher: socket.getCipher().standardName,
  isTrusted: socket.authorized,
  certificate: readCertificate(socket.getPeerCertificate()),
});

/** One line for the transcript. */
export const printTls = (facts: TlsFacts, socket: TLSSocket): string => {
  const { version, cipher, isTrusted } = facts;
  const name = socket.getPeerCertificate().subject?.CN ?? '(no name)';
  const trust = isTrusted ? 'trusted' : `not trusted: ${socket.authorizationError}`;
  return `${version} with ${cipher}; certificate of ${name}, ${trust}`;
};
