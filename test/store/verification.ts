/** Verdicts for the suites of their memory. */
import type { EmailAddress, ExchangeHost } from '../../src/address/index.ts';
import { parseAddress } from '../../src/address/index.ts';
import type { Verification } from '../../src/verify/index.ts';
import { day, later, start } from './list.ts';

export const addressOf = (text: string): EmailAddress => {
  const parsed = parseAddress(text);
  if (parsed.kind === 'fault') throw new Error(`${text} is no address`);
  return parsed.address;
};

/** A verdict with all the dates and nested evidence that one can have. */
export const verificationOf = (
  text: string,
  over: Partial<Verification> & { readonly lines?: number } = {},
): Verification => {
  const { lines = 2, ...rest } = over;
  const address = addressOf(text);
  return {
    status: 'DELIVERABLE',
    reason: 'MAILBOX_EXISTS',
    score: 95,
    summary: 'The exchange accepts it.',
    signals: [{ code: 'ROLE', effect: 'NEGATIVE', message: 'A role account.' }],
    retryAfterSeconds: null,
    lifeSeconds: 86_400,
    checkedAt: start,
    expiresAt: later(day),
    retryAt: later(5_000),
    fromCache: false,
    evidence: {
      kind: 'probe',
      address,
      hosts: { kind: 'nullMx', domain: address.domain },
      facts: { isRole: true, isFree: false, isDisposable: false, provider: null, suggestion: null },
      probe: {
        attempts: [{ host: 'mx.x.example' as ExchangeHost, ip: '192.0.2.1', outcome: { kind: 'connected' } }],
        exchange: 'mx.x.example' as ExchangeHost,
        ip: '192.0.2.1',
        phase: 'RCPT_TO',
        reply: { code: 250, enhancedCode: '2.1.5', lines: ['OK \u2028 "☂"'], text: 'OK \u2028 "☂"' },
        meaning: { kind: 'ACCEPTED', rule: 'accepted', retryAfterSeconds: null },
        fault: null,
        catchAll: { answer: 'NO', reply: null, checkedAt: later(-9) },
        startedAt: later(-20),
        durationMs: 20,
        transcript: Array.from({ length: lines }, (_, n) => ({
          at: later(n),
          direction: n % 2 === 0 ? ('SERVER' as const) : ('CLIENT' as const),
          text: `line ${n}`,
        })),
      },
    },
    ...rest,
  };
};
