/** One attempt: the request, and in a sentence what came of it. */
import type { IncomingMessage } from 'node:http';
import { type Dns, type RequestFault, requestGuarded } from '../../dns/index.ts';
import { readReceiver } from './receiver.ts';

export type PostOptions = {
  readonly dns: Pick<Dns, 'lookupAddresses'>;
  readonly isAllowed: (ip: string) => boolean;
  readonly timeoutMs: number;
  readonly ca?: string;
};

export type PostOutcome =
  | { readonly kind: 'response'; readonly status: number; readonly retryAfter: string | null }
  /** One sentence without a word of the receiver's. */
  | { readonly kind: 'problem'; readonly problem: string }
  | { readonly kind: 'aborted' };

/** Of one address, TLS included: with four addresses a name costs less than the whole time. */
const connectTimeoutMs = 3_500;
/** The status tells all. The body is read to let the receiver end in peace, and no longer than that. */
const bodyCeilingOctets = 16_384;
const bodyTimeoutMs = 2_000;

export const postWebhook = async (
  url: string,
  headers: Readonly<Record<string, string>>,
  body: Uint8Array,
  { dns, isAllowed, timeoutMs, ca }: PostOptions,
  signal: AbortSignal,
): Promise<PostOutcome> => {
  const receiver = readReceiver(url);
  if (typeof receiver === 'string') return { kind: 'problem', problem: `The URL ${receiver}.` };
  const { authority, ...place } = receiver;
  const outcome = await requestGuarded(
    dns,
    {
      ...place,
      method: 'POST',
      headers: {
        host: authority,
        'content-type': 'application/json',
        'content-length': String(body.length),
        'user-agent': 'rcpt',
        ...headers,
      },
      body,
    },
    readStatus,
    { isAllowed, timeoutMs, connectTimeoutMs, ...(ca === undefined ? {} : { ca }) },
    signal,
  );
  if (outcome.kind === 'aborted') return outcome;
  if (outcome.kind === 'read') return { kind: 'response', ...outcome.result };
  return { kind: 'problem', problem: describe(outcome, timeoutMs) };
};

const readStatus = async (response: IncomingMessage) => {
  await drain(response);
  return { status: response.statusCode ?? 0, retryAfter: response.headers['retry-after'] ?? null };
};

const drain = (response: IncomingMessage): Promise<void> =>
  new Promise((resolve) => {
    let octets = 0;
    const timer = setTimeout(resolve, bodyTimeoutMs);
    const end = () => {
      clearTimeout(timer);
      resolve();
    };
    response.on('data', (chunk: Buffer) => {
      octets += chunk.length;
      if (octets > bodyCeilingOctets) end();
    });
    response.on('end', end).on('error', end).on('close', end);
  });

const describe = (fault: Exclude<RequestFault, { kind: 'aborted' }>, timeoutMs: number): string => {
  switch (fault.kind) {
    case 'noAddress':
      return "The URL's host has no address.";
    case 'dnsFailure':
      return `The DNS could not tell where the URL's host is (${fault.failure}).`;
    case 'refusedByGuard':
      return "The URL's host is only at special-purpose addresses, which are not connected to.";
    case 'unreachable':
      return 'The receiver could not be connected to.';
    case 'badCertificate':
      return `The receiver's certificate was refused (${fault.code}).`;
    case 'tlsFailed':
      return 'The TLS handshake failed.';
    case 'brokenOff':
      return 'The receiver hung up or did not speak HTTP.';
    case 'late':
      return `The receiver did not answer within ${Math.ceil(timeoutMs / 1_000)} s.`;
  }
};
