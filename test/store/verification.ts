/** Verdicts for the suites of their memory. */
import type { EmailAddress, ExchangeHost } from '../../src/address/index.ts';
import { parseAddress } from '../../src/address/index.ts';
import { providerById } from '../../src/catalog/index.ts';
import type { MeaningKind } from '../../src/smtp/meaning/types.ts';
import { type Evidence, judge } from '../../src/verdict/index.ts';
import type { Verification } from '../../src/verify/index.ts';
import { day, later, start } from './list.ts';

export const addressOf = (text: string): EmailAddress => {
  const parsed = parseAddress(text);
  if (parsed.kind === 'fault') throw new Error(`${text} is no address`);
  return parsed.address;
};

export type Over = {
  readonly checkedAt?: Date;
  readonly expiresAt?: Date;
  readonly lines?: number;
  readonly text?: string;
  readonly code?: number;
  /** Default: ACCEPTED. */
  readonly meaning?: MeaningKind;
};

/** A verdict with all the dates and nested evidence that one can have. */
export const verificationOf = (text: string, over: Over = {}): Verification => {
  const {
    checkedAt = start,
    expiresAt = later(day),
    lines = 2,
    text: reply = 'OK \u2028 "☂"',
    code = 250,
    meaning = 'ACCEPTED',
  } = over;
  const address = addressOf(text);
  const evidence: Evidence = {
    kind: 'probe',
    address,
    hosts: {
      kind: 'exchanges',
      domain: address.domain,
      exchanges: [
        { host: 'mx.x.example' as ExchangeHost, preference: 10 },
        { host: 'mx2.x.example' as ExchangeHost, preference: 20 },
      ],
      isImplicit: false,
    },
    facts: {
      isRole: true,
      isFree: false,
      isDisposable: true,
      provider: providerById('GOOGLE'),
      suggestion: 'x@y.example',
    },
    probe: {
      attempts: [
        {
          host: 'mx.x.example' as ExchangeHost,
          ip: '192.0.2.1',
          outcome: { kind: 'connectFailed', error: 'ECONNREFUSED' },
        },
        { host: 'mx2.x.example' as ExchangeHost, ip: '192.0.2.2', outcome: { kind: 'connected' } },
      ],
      exchange: 'mx2.x.example' as ExchangeHost,
      ip: '192.0.2.2',
      phase: 'RCPT_TO',
      reply: { code, enhancedCode: '2.1.5', lines: [reply, 'bye'], text: `${reply} bye` },
      meaning: { kind: meaning, rule: 'accepted', retryAfterSeconds: null },
      fault: null,
      catchAll: {
        answer: 'NO',
        reply: { code: 550, enhancedCode: null, lines: ['no'], text: 'no' },
        checkedAt: later(-9),
      },
      startedAt: later(-20),
      durationMs: 20,
      transcript: Array.from({ length: lines }, (_, n) => ({
        at: later(n),
        direction: n % 2 === 0 ? ('SERVER' as const) : ('CLIENT' as const),
        text: `line ${n}`,
      })),
    },
  };
  const verdict = judge(evidence);
  const { retryAfterSeconds } = verdict;
  const retryAt =
    retryAfterSeconds === null ? null : new Date(checkedAt.getTime() + retryAfterSeconds * 1_000);
  return { ...verdict, evidence, checkedAt, expiresAt, retryAt, fromCache: false };
};
