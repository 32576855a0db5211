/** What became of one question, before the times and the catch-all finding of the asker are added. */
import type { MeaningKind } from './meaning/index.ts';
import type { Reply } from './protocol/index.ts';
import type { ProbeEvidence } from './types.ts';

export type Outcome = Omit<ProbeEvidence, 'catchAll' | 'startedAt' | 'durationMs'>;

/** Its turn never came. */
export const UNASKED: Outcome = {
  attempts: [],
  exchange: null,
  ip: null,
  phase: 'CONNECT',
  reply: null,
  meaning: null,
  fault: { kind: 'budget', phase: 'CONNECT' },
  transcript: [],
};

/** Meanings that are about us, so that asking again soon, about anybody, is only another knock at a shut door. */
const blocks: ReadonlySet<MeaningKind> = new Set(['IP_BLOCKED', 'EHLO_REFUSED', 'SENDER_REFUSED']);

/** Does the reply say that we are not wanted? */
export const isBlock = ({ meaning }: Pick<Outcome, 'meaning'>): boolean =>
  meaning !== null && blocks.has(meaning.kind);

/** Meanings under which 4.7.x is a matter of policy for the moment (RFC 3463 §3.8), and not greylisting or TLS. */
const mayBeSlowDowns: ReadonlySet<MeaningKind> = new Set(['TEMPORARY', 'POLICY', 'NOT_UNDERSTOOD']);

/** Does the reply say: not so fast, not so many? */
export const isSlowDown = ({ reply, meaning }: Pick<Outcome, 'reply' | 'meaning'>): boolean => {
  if (reply === null || meaning === null) return false;
  if (meaning.kind === 'RATE_LIMITED') return true;
  if (blocks.has(meaning.kind) || meaning.kind === 'GREYLISTED') return false;
  return (
    reply.code === 421 ||
    (mayBeSlowDowns.has(meaning.kind) &&
      reply.code < 500 &&
      (reply.enhancedCode?.startsWith('4.7.') ?? false))
  );
};

/** Could no address of any exchange be connected to, through no known fault of ours? */
export const isUnreachable = ({ reply, fault, attempts }: Outcome): boolean =>
  reply === null &&
  fault === null &&
  attempts.every(({ outcome }) => outcome.kind !== 'connected') &&
  attempts.some(
    ({ outcome }) =>
      outcome.kind === 'connectTimeout' || (outcome.kind === 'connectFailed' && !isOurFault(outcome.error)),
  );

/** Errors of connect(2) that this machine gives before anything was sent: no route, no port, no descriptor. */
const ourFaults: ReadonlySet<string> = new Set([
  'EACCES',
  'EADDRNOTAVAIL',
  'EAFNOSUPPORT',
  'EMFILE',
  'ENETDOWN',
  'ENETUNREACH',
  'ENFILE',
  'ENOBUFS',
  'ENOMEM',
  'EPERM',
]);

/** Our proxy and our source addresses too. */
const isOurFault = (error: string): boolean =>
  ourFaults.has(error) || error.startsWith('PROXY_') || error === 'NO_SOURCE_ADDRESS';

const escapePattern = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/**
 * A reply as others may see it: servers like to echo the recipient, who is nobody else's business.
 */
export const redactReply = (
  reply: Reply,
  recipient: { readonly localPart: string; readonly domain: string },
): Reply => {
  const address = new RegExp(escapePattern(`${recipient.localPart}@${recipient.domain}`), 'giu');
  const local = new RegExp(
    `(?<![\\p{L}\\p{N}])${escapePattern(recipient.localPart)}(?![\\p{L}\\p{N}])`,
    'giu',
  );
  const redact = (text: string): string => text.replace(address, '…').replace(local, '…');
  return { ...reply, lines: reply.lines.map(redact), text: redact(reply.text) };
};

/** An outcome as others may see it who were asked about in the same session. */
export const redactOutcome = (
  outcome: Outcome,
  recipients: readonly { readonly localPart: string; readonly domain: string }[],
): Outcome => {
  const { reply } = outcome;
  if (reply === null) return outcome;
  const seen = recipients.reduce(redactReply, reply);
  const said = new Map(reply.lines.map((line, index) => [line, seen.lines[index] ?? '']));
  const transcript = outcome.transcript.map((entry) => {
    const line = [...said.keys()].find((one) => one !== '' && entry.text.endsWith(one));
    if (entry.direction !== 'SERVER' || line === undefined) return entry;
    return { ...entry, text: `${entry.text.slice(0, -line.length)}${said.get(line)}` };
  });
  return { ...outcome, reply: seen, transcript };
};
