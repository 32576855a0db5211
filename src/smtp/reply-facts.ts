/** Replies as they are told to other processes: shortened to what a receipt shows, and read back with suspicion. */
import { isIP } from 'node:net';
import type { ExchangeHost } from '../address/index.ts';
import { classifyReply, type Phase } from './meaning/index.ts';
import { isBlock, type Outcome } from './outcome.ts';
import type { Reply } from './protocol/index.ts';
import type { CatchAllFinding } from './types.ts';

/** A reply of a hundred long lines is no receipt: the store keeps one for each domain. */
const MAX_LINES = 10;
const MAX_LINE_CHARACTERS = 500;

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const printReplyFact = (reply: Reply | null): unknown =>
  reply && {
    code: reply.code,
    enhancedCode: reply.enhancedCode,
    lines: reply.lines.slice(0, MAX_LINES).map((line) => line.slice(0, MAX_LINE_CHARACTERS).toWellFormed()),
  };

/** Undefined when it is none; null is the lack of one. */
export const readReplyFact = (value: unknown): Reply | null | undefined => {
  if (value === null) return null;
  if (!isObject(value)) return undefined;
  const { code, enhancedCode, lines } = value;
  const isCode = typeof code === 'number' && Number.isInteger(code) && code >= 200 && code <= 599;
  const isEnhanced =
    enhancedCode === null ||
    (typeof enhancedCode === 'string' && /^[245]\.\d{1,3}\.\d{1,3}$/.test(enhancedCode));
  const isText = (line: unknown): line is string =>
    typeof line === 'string' && line.length <= MAX_LINE_CHARACTERS;
  if (!isCode || !isEnhanced || !Array.isArray(lines) || lines.length > MAX_LINES || !lines.every(isText))
    return undefined;
  return { code, enhancedCode, lines, text: lines.join(' ') };
};

/** What of a finding is told; of its accepted made-up mailboxes, how many there were. */
export type FindingFact = Omit<CatchAllFinding, 'checkedAt'> & { readonly accepted: 0 | 1 | 2 };

/**
 * YES or NO, or UNKNOWN because the domain contradicts itself. The time of asking follows from how long it is believed,
 * so that no clock but one's own counts.
 */
export const printFindingFact = (
  { answer, reply }: CatchAllFinding,
  accepted: FindingFact['accepted'],
): unknown => ({ answer, accepted, reply: printReplyFact(reply) });

/** Null when it is none. */
export const readFindingFact = (value: unknown): FindingFact | null => {
  if (!isObject(value)) return null;
  const { answer, accepted } = value;
  const reply = readReplyFact(value.reply);
  const isCount = accepted === 0 || accepted === 1 || accepted === 2;
  // Only a refused one can be the first.
  const isAnswer = answer === 'NO' || ((answer === 'YES' || answer === 'UNKNOWN') && accepted !== 0);
  return reply === undefined || !isCount || !isAnswer ? null : { answer, accepted, reply };
};

const phases: ReadonlySet<unknown> = new Set<Phase>(['GREETING', 'EHLO', 'STARTTLS', 'MAIL_FROM', 'RCPT_TO']);

/** @param outcome without anybody's address in its reply */
export const printBlockFact = ({ phase, exchange, ip, reply }: Outcome): unknown => ({
  phase,
  exchange,
  ip,
  reply: printReplyFact(reply),
});

/**
 * The evidence of a block that another process met; its conversation stays there.
 * @param hosts the exchanges that it may be of
 * @returns null when it is none that would be one here
 */
export const readBlockFact = (value: unknown, hosts: readonly ExchangeHost[], at: Date): Outcome | null => {
  if (!isObject(value)) return null;
  const { phase, ip } = value;
  const exchange = hosts.find((host) => host === value.exchange);
  const reply = readReplyFact(value.reply);
  if (!reply || !exchange || !phases.has(phase) || typeof ip !== 'string' || isIP(ip) === 0) return null;
  const said = { phase: phase as Phase, reply };
  const meaning = classifyReply({ ...said, recipient: null, providerId: null });
  if (!isBlock({ meaning })) return null;
  const text = `another process was told so by ${exchange} [${ip}]: ${reply.code} ${reply.text}`;
  return {
    ...said,
    attempts: [],
    exchange,
    ip,
    meaning,
    fault: null,
    transcript: [{ at, direction: 'NOTE', text: text.slice(0, 1_000) }],
  };
};
