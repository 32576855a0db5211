/** A verification → what is kept of it for a row. */
import type { ExchangeHost } from '../address/index.ts';
import type { Evidence } from '../verdict/index.ts';
import type { Verification } from '../verify/index.ts';
import type { RowResult } from './types.ts';

/** Characters of a reply that are kept: a row of a million needs the sentence, not the essay. */
const replyCharacters = 300;

const exchangeOf = (evidence: Evidence): ExchangeHost | null =>
  evidence.kind === 'probe' ? evidence.probe.exchange : null;

const replyOf = (evidence: Evidence): RowResult['reply'] => {
  if (evidence.kind !== 'probe' || evidence.probe.reply === null) return null;
  const { code, enhancedCode, text } = evidence.probe.reply;
  return { code, enhancedCode, text: text.slice(0, replyCharacters).toWellFormed() };
};

const providerOf = (evidence: Evidence): string | null =>
  evidence.kind === 'syntax' ? null : (evidence.facts.provider?.id ?? null);

type Asked = { readonly row: number; readonly address: string };

export const resultOf = ({ row, address }: Asked, verification: Verification): RowResult => ({
  row,
  address,
  duplicateOf: null,
  status: verification.status,
  reason: verification.reason,
  score: verification.score,
  provider: providerOf(verification.evidence),
  exchange: exchangeOf(verification.evidence),
  reply: replyOf(verification.evidence),
  checkedAt: verification.checkedAt,
});

/** What a bug of ours leaves of a row: it is counted and said, and the job goes on to its end. */
export const internalResult = ({ row, address }: Asked, now: Date): RowResult => ({
  row,
  address,
  duplicateOf: null,
  status: 'UNKNOWN',
  reason: 'INTERNAL',
  score: 50,
  provider: null,
  exchange: null,
  reply: null,
  checkedAt: now,
});
