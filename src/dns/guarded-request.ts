/**
 * One HTTP request, at addresses that our own DNS gave and the guard let pass, never at a name that is resolved again:
 * whoever owns the name writes its addresses, and may write others a second later (SSRF, DNS rebinding). No redirects,
 * no proxies, no cookies, no kept connections; the certificate must be the host's.
 */
import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP } from 'node:net';
import type { ExchangeHost } from '../address/index.ts';
import type { Dns, DnsFailure } from './types.ts';

export type GuardedRequest = {
  readonly protocol: 'http:' | 'https:';
  /** A name, or an IP address without brackets, which the guard judges just the same. */
  readonly host: ExchangeHost | string;
  readonly port: number;
  readonly method: 'GET' | 'POST';
  /** With the query. */
  readonly path: string;
  /** With `host`. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
};

export type GuardedRequestOptions = {
  /** May this address be connected to? The guard against special-purpose addresses. */
  readonly isAllowed: (ip: string) => boolean;
  /** Certificates to trust instead of Node's own, in PEM; for tests. */
  readonly ca?: string;
  /** Milliseconds for everything. */
  readonly timeoutMs: number;
  /** Milliseconds for one address to connect and finish TLS, so that a dead one leaves time for the next. */
  readonly connectTimeoutMs: number;
};

export type RequestFault =
  | { readonly kind: 'noAddress' }
  | { readonly kind: 'dnsFailure'; readonly failure: DnsFailure }
  /** The guard let none of its addresses pass; nothing was connected to. */
  | { readonly kind: 'refusedByGuard' }
  | { readonly kind: 'unreachable' }
  /** `code` is OpenSSL's or Node's word for it. */
  | { readonly kind: 'badCertificate'; readonly code: string }
  | { readonly kind: 'tlsFailed' }
  /** Connected, and then no HTTP, too many headers, or hung up. */
  | { readonly kind: 'brokenOff' }
  | { readonly kind: 'late' }
  | { readonly kind: 'aborted' };

export type RequestOutcome<Result> = { readonly kind: 'read'; readonly result: Result } | RequestFault;

const HEADER_CEILING_OCTETS = 16_384;
/** Interim responses (RFC 9110 §15.2) before the one that counts: an endless row of them never ends the headers. */
const INTERIM_CEILING = 10;

/**
 * Tries the host's addresses in turn until one is connected to, all under one deadline; what was connected to is not
 * left for another. `read` takes what it wants of the response and is then hung up on; it rejects when the response
 * breaks off. Never rejects for what a peer did.
 */
export const requestGuarded = async <Result>(
  dns: Pick<Dns, 'lookupAddresses'>,
  request: GuardedRequest,
  read: (response: IncomingMessage) => Promise<Result>,
  options: GuardedRequestOptions,
  signal: AbortSignal,
): Promise<RequestOutcome<Result>> => {
  const deadline = AbortSignal.timeout(options.timeoutMs);
  const either = AbortSignal.any([signal, deadline]);
  const interrupted = (): RequestFault | null =>
    signal.aborted ? { kind: 'aborted' } : deadline.aborted ? { kind: 'late' } : null;

  const found = await lookup(dns, request.host, either);
  if (found.kind === 'none') return interrupted() ?? { kind: 'noAddress' };
  if (found.kind === 'failure') return interrupted() ?? { kind: 'dnsFailure', failure: found.failure };
  const allowed = found.addresses.filter(({ ip }) => options.isAllowed(ip));
  let last: RequestOutcome<Result> = { kind: 'refusedByGuard' };
  for (const { ip } of allowed) {
    last = await requestAt(ip, request, read, options, either);
    if (last.kind === 'read') return last;
    const cut = interrupted();
    if (cut !== null) return cut;
    if (last.kind !== 'unreachable') break;
  }
  return last;
};

const lookup = async (dns: Pick<Dns, 'lookupAddresses'>, host: string, signal: AbortSignal) =>
  isIP(host) === 0
    ? dns.lookupAddresses(host as ExchangeHost, signal)
    : { kind: 'addresses' as const, addresses: [{ ip: host }] };

const requestAt = <Result>(
  ip: string,
  { protocol, host, port, method, path, headers, body }: GuardedRequest,
  read: (response: IncomingMessage) => Promise<Result>,
  { ca, connectTimeoutMs }: GuardedRequestOptions,
  signal: AbortSignal,
): Promise<RequestOutcome<Result>> =>
  new Promise((resolve) => {
    let isConnected = false;
    let interim = 0;
    const isSecured = protocol === 'https:';
    const outgoing = (isSecured ? requestHttps : requestHttp)({
      host: ip,
      port,
      method,
      path,
      headers,
      agent: false,
      maxHeaderSize: HEADER_CEILING_OCTETS,
      signal,
      // Checked against the certificate and sent as SNI: the name, though we connect to the address. An address is no
      // name (RFC 6066 §3), and is checked as an address.
      ...(isSecured && isIP(host) === 0 ? { servername: host } : {}),
      ...(isSecured ? { rejectUnauthorized: true } : {}),
      ...(ca === undefined ? {} : { ca }),
    });
    const settle = (outcome: RequestOutcome<Result>) => {
      clearTimeout(timer);
      resolve(outcome);
      outgoing.destroy();
    };
    const timer = setTimeout(() => settle({ kind: 'unreachable' }), connectTimeoutMs);
    outgoing.on('socket', (socket) =>
      socket.on(isSecured ? 'secureConnect' : 'connect', () => {
        isConnected = true;
        clearTimeout(timer);
      }),
    );
    outgoing.on('information', () => {
      interim += 1;
      if (interim > INTERIM_CEILING) settle({ kind: 'brokenOff' });
    });
    // Not asked for (RFC 9110 §7.8). Unheard, Node drops the connection and says nothing, not even to the signal.
    outgoing.on('upgrade', (_response, socket) => {
      socket.destroy();
      settle({ kind: 'brokenOff' });
    });
    outgoing.on('response', (response) => {
      read(response).then(
        (result) => settle({ kind: 'read', result }),
        () => settle({ kind: 'brokenOff' }),
      );
    });
    outgoing.on('error', (error) => {
      if (isConnected) settle({ kind: 'brokenOff' });
      else if (isCertificateFault(error)) settle({ kind: 'badCertificate', code: codeOf(error) });
      else if (/^(?:ERR_SSL_|EPROTO)/.test(codeOf(error))) settle({ kind: 'tlsFailed' });
      else settle({ kind: 'unreachable' });
    });
    outgoing.end(body);
  });

const codeOf = (error: Error): string =>
  'code' in error && typeof error.code === 'string' ? error.code : '';

/** OpenSSL's verification results as Node names them, and Node's own for a name that does not match. */
const isCertificateFault = (error: Error): boolean =>
  /CERT|SELF_SIGNED|UNABLE_TO_|CRL_|HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH/.test(
    codeOf(error),
  );
