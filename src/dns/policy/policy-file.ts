/**
 * The one thing of this room that connects: GET of an MTA-STS policy file (RFC 8461 §3.3), at addresses that our own
 * DNS gave and the guard let pass, never at a name that is resolved again. No redirects, no proxies, no cookies,
 * no kept connections; the certificate must be the policy host's.
 */
import { request } from 'node:https';
import type { ExchangeHost } from '../../address/index.ts';
import type { Memory } from '../memory.ts';
import type { Dns, DnsFailure } from '../types.ts';

export type PolicyFileOptions = {
  /** May this address be connected to? The guard against special-purpose addresses. */
  readonly isAllowed: (ip: string) => boolean;
  /** Certificates to trust instead of Node's own, in PEM; for tests. */
  readonly ca?: string;
  /** Default 443; for tests. */
  readonly port?: number;
  /** Milliseconds for everything. Default 5,000. */
  readonly timeoutMs?: number;
  /** Without one, each look-up is a request. */
  readonly memory?: Memory<PolicyFile>;
};

export type PolicyFile =
  | { readonly kind: 'text'; readonly text: string }
  /** One sentence without any address in it. */
  | { readonly kind: 'problem'; readonly problem: string }
  | { readonly kind: 'failure'; readonly failure: DnsFailure };

/** RFC 8461 §3.3 suggests 64 KB: an endless file must not fill memory. */
const FILE_CEILING_OCTETS = 65_536;
const HEADER_CEILING_OCTETS = 16_384;
const DEADLINE_MS = 5_000;
/** For one address to connect and finish TLS, so that a dead one leaves time for the next. */
const CONNECT_TIMEOUT_MS = 2_000;

/** Tries the host's addresses in turn until one speaks HTTP, all under one deadline. Never rejects for what a peer did. */
export const fetchPolicyFile = async (
  dns: Pick<Dns, 'lookupAddresses'>,
  host: ExchangeHost,
  path: string,
  options: PolicyFileOptions,
  signal: AbortSignal,
): Promise<PolicyFile> => {
  const deadline = AbortSignal.timeout(options.timeoutMs ?? DEADLINE_MS);
  const either = AbortSignal.any([signal, deadline]);
  const found = await dns.lookupAddresses(host, either);
  if (found.kind === 'none') return problem('the policy host has no address');
  if (found.kind === 'failure') return deadline.aborted && !signal.aborted ? late : found;
  const allowed = found.addresses.filter(({ ip }) => options.isAllowed(ip));
  let last: PolicyFile = problem('the policy host is only at special-purpose addresses');
  for (const { ip } of allowed) {
    const outcome = await fetchFrom(ip, host, path, options, either);
    if (signal.aborted) return { kind: 'failure', failure: 'ABORTED' };
    if (deadline.aborted && outcome.kind !== 'text') return late;
    last = outcome.kind === 'unreachable' ? problem('the policy host could not be connected to') : outcome;
    if (outcome.kind !== 'unreachable') break;
  }
  return last;
};

const problem = (text: string): PolicyFile => ({ kind: 'problem', problem: text });
const late = problem('the policy host did not answer in time');

const fetchFrom = (
  ip: string,
  host: ExchangeHost,
  path: string,
  options: PolicyFileOptions,
  signal: AbortSignal,
): Promise<PolicyFile | { readonly kind: 'unreachable' }> =>
  new Promise((resolve) => {
    let isSecure = false;
    const outgoing = request(
      {
        host: ip,
        port: options.port ?? 443,
        // Checked against the certificate and sent as SNI: the name, though we connect to the address.
        servername: host,
        path,
        headers: { host, accept: 'text/plain', 'user-agent': 'rcpt' },
        agent: false,
        maxHeaderSize: HEADER_CEILING_OCTETS,
        signal,
        ...(options.ca === undefined ? {} : { ca: options.ca }),
      },
      (response) => {
        const settle = (outcome: PolicyFile) => {
          resolve(outcome);
          outgoing.destroy();
        };
        // RFC 8461 §3.3: only 200, and no redirect is followed, or whoever runs a redirector on the host sets the policy.
        if (response.statusCode !== 200) {
          settle(problem(`the policy host answered ${response.statusCode}`));
          return;
        }
        if (!/^text\/plain(?:[ \t]*;|$)/i.test(response.headers['content-type'] ?? '')) {
          settle(problem('the policy file is not text/plain'));
          return;
        }
        const chunks: Buffer[] = [];
        let octets = 0;
        response.on('data', (chunk: Buffer) => {
          octets += chunk.length;
          chunks.push(chunk);
          if (octets > FILE_CEILING_OCTETS)
            settle(problem(`the policy file is larger than ${FILE_CEILING_OCTETS} octets`));
        });
        response.on('end', () => settle({ kind: 'text', text: Buffer.concat(chunks).toString('utf8') }));
        response.on('error', () => settle(problem('the policy host hung up')));
      },
    );
    outgoing.on('socket', (socket) =>
      socket.on('secureConnect', () => {
        isSecure = true;
      }),
    );
    outgoing.setTimeout(CONNECT_TIMEOUT_MS, () => {
      if (!isSecure) outgoing.destroy(new Error('not connected in time'));
    });
    outgoing.on('error', (error) => {
      if (isSecure) resolve(problem('the policy host did not speak HTTP or hung up'));
      else if (isCertificateFault(error)) resolve(problem(`its certificate was refused (${codeOf(error)})`));
      else if (/^(?:ERR_SSL_|EPROTO)/.test(codeOf(error))) resolve(problem('the TLS handshake failed'));
      else resolve({ kind: 'unreachable' });
    });
    outgoing.end();
  });

const codeOf = (error: Error): string =>
  'code' in error && typeof error.code === 'string' ? error.code : '';

/** OpenSSL's verification results as Node names them, and Node's own for a name that does not match. */
const isCertificateFault = (error: Error): boolean =>
  /CERT|SELF_SIGNED|UNABLE_TO_|CRL_|HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH/.test(
    codeOf(error),
  );
