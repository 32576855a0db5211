/**
 * GET of an MTA-STS policy file (RFC 8461 §3.3), past the guard and with the policy host's own certificate
 * (`guarded-request.ts`).
 */
import type { IncomingMessage } from 'node:http';
import type { ExchangeHost } from '../../address/index.ts';
import { type RequestFault, requestGuarded } from '../guarded-request.ts';
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
const DEADLINE_MS = 5_000;
/** For one address to connect and finish TLS, so that a dead one leaves time for the next. */
const CONNECT_TIMEOUT_MS = 2_000;

/** Tries the host's addresses in turn until one speaks TLS, all under one deadline. Never rejects for what a peer did. */
export const fetchPolicyFile = async (
  dns: Pick<Dns, 'lookupAddresses'>,
  host: ExchangeHost,
  path: string,
  { isAllowed, ca, port = 443, timeoutMs = DEADLINE_MS }: PolicyFileOptions,
  signal: AbortSignal,
): Promise<PolicyFile> => {
  const outcome = await requestGuarded(
    dns,
    {
      protocol: 'https:',
      host,
      port,
      method: 'GET',
      path,
      headers: { host, accept: 'text/plain', 'user-agent': 'rcpt' },
    },
    readPolicyFile,
    { isAllowed, ...(ca === undefined ? {} : { ca }), timeoutMs, connectTimeoutMs: CONNECT_TIMEOUT_MS },
    signal,
  );
  return outcome.kind === 'read' ? outcome.result : describe(outcome);
};

const problem = (text: string): PolicyFile => ({ kind: 'problem', problem: text });

const describe = (fault: RequestFault): PolicyFile => {
  switch (fault.kind) {
    case 'noAddress':
      return problem('the policy host has no address');
    case 'dnsFailure':
      return { kind: 'failure', failure: fault.failure };
    case 'refusedByGuard':
      return problem('the policy host is only at special-purpose addresses');
    case 'unreachable':
      return problem('the policy host could not be connected to');
    case 'badCertificate':
      return problem(`its certificate was refused (${fault.code})`);
    case 'tlsFailed':
      return problem('the TLS handshake failed');
    case 'brokenOff':
      return problem('the policy host did not speak HTTP or hung up');
    case 'late':
      return problem('the policy host did not answer in time');
    case 'aborted':
      return { kind: 'failure', failure: 'ABORTED' };
  }
};

const readPolicyFile = (response: IncomingMessage): Promise<PolicyFile> =>
  new Promise((resolve, reject) => {
    // RFC 8461 §3.3: only 200, and no redirect is followed, or whoever runs a redirector on the host sets the policy.
    if (response.statusCode !== 200) {
      resolve(problem(`the policy host answered ${response.statusCode}`));
      return;
    }
    if (!/^text\/plain(?:[ \t]*;|$)/i.test(response.headers['content-type'] ?? '')) {
      resolve(problem('the policy file is not text/plain'));
      return;
    }
    const chunks: Buffer[] = [];
    let octets = 0;
    response.on('data', (chunk: Buffer) => {
      octets += chunk.length;
      chunks.push(chunk);
      if (octets > FILE_CEILING_OCTETS)
        resolve(problem(`the policy file is larger than ${FILE_CEILING_OCTETS} octets`));
    });
    response.on('end', () => resolve({ kind: 'text', text: Buffer.concat(chunks).toString('utf8') }));
    response.on('error', reject);
  });
