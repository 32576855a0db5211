import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Provider } from '../catalog/index.ts';
import { judge, type ReasonRow, reasonTable, signalTable, statusTable } from './index.ts';
import {
  address,
  attempt,
  canary,
  exchanges,
  mx1,
  noFacts,
  probe,
  refused,
  reply,
  unreached,
} from './samples.ts';
import type { AddressFacts, Evidence } from './types.ts';

const rows: readonly (readonly [string, ReasonRow])[] = Object.entries(reasonTable);
const provider: Provider = {
  id: 'X',
  name: 'X',
  kind: 'MAILBOX_PROVIDER',
  acceptsBeforeChecking: false,
  note: '',
};

describe('the tables', () => {
  test.each(rows)(
    '%s: score within the band of its status, words for people and for the schema',
    (_, row) => {
      const { lowest, highest } = statusTable[row.status];
      expect(row.score).toBeGreaterThanOrEqual(lowest);
      expect(row.score).toBeLessThanOrEqual(highest);
      expect(row.summary).toMatch(/^[A-Z][^@]*\.$/);
      expect(row.description).toMatch(/^[A-Z].*\.$/);
    },
  );

  test('bands do not overlap and cover 0 to 100', () => {
    const bands = Object.values(statusTable).sort((a, b) => a.lowest - b.lowest);
    expect(bands[0]?.lowest).toBe(0);
    expect(bands.at(-1)?.highest).toBe(100);
    for (const [index, band] of bands.entries()) {
      expect(band.highest).toBeGreaterThan(band.lowest);
      expect(bands[index + 1]?.lowest ?? 101).toBe(band.highest + 1);
    }
  });

  test('only what the server put off has a time to ask again', () => {
    const again = rows.filter(([, row]) => row.retryAfterSeconds !== null).map(([reason]) => reason);
    expect(again).toEqual(['GREYLISTED', 'RATE_LIMITED', 'TEMPORARY_FAILURE']);
  });

  test('lives are those of verify(8): accepted 7 d, refused 3 h to 3 d, catch-all 24 h, unknown minutes', () => {
    const hour = 3_600;
    expect(reasonTable.MAILBOX_EXISTS.lifeSeconds).toBe(168 * hour);
    expect(reasonTable.CATCH_ALL.lifeSeconds).toBe(24 * hour);
    for (const [reason, row] of rows) {
      if (row.status === 'UNKNOWN') expect(row.lifeSeconds).toBeLessThanOrEqual(hour / 2);
      if (row.status === 'UNDELIVERABLE' && reason !== 'INVALID_SYNTAX') {
        expect(row.lifeSeconds).toBeGreaterThanOrEqual(3 * hour);
        expect(row.lifeSeconds).toBeLessThanOrEqual(72 * hour);
      }
    }
  });

  test('signals have codes of their own and no address in their message', () => {
    expect(new Set(signalTable.map(({ code }) => code)).size).toBe(signalTable.length);
    for (const { code, effect, points, message } of signalTable) {
      expect(code).toMatch(/^[A-Z][A-Z0-9_]+$/);
      expect(message).toMatch(/^[A-Z][^@]*\.$/);
      if (points !== 0 && effect !== 'NEUTRAL') expect(effect).toBe(points > 0 ? 'POSITIVE' : 'NEGATIVE');
    }
  });
});

describe('signals', () => {
  const withFacts = (facts: Partial<AddressFacts>) => probe({}, { facts: { ...noFacts, ...facts } });
  const implicit = { ...exchanges(mx1), isImplicit: true } as const;

  test.each<[string, Evidence, string]>([
    ['CATCH_ALL_REFUSED', probe(), '95'],
    ['CATCH_ALL_DOMAIN', probe({ catchAll: canary('YES') }), '62'],
    ['CATCH_ALL_UNKNOWN', probe({ catchAll: null }), '80'],
    ['CATCH_ALL_UNKNOWN', probe({ catchAll: canary('UNKNOWN') }), '80'],
    ['MAILBOX_BUSY', probe(refused('MAILBOX_BUSY', 'RCPT_TO', 450)), '49'],
    ['FORWARDED', probe({ reply: reply(251) }), '92'],
    ['KNOWN_PROVIDER', withFacts({ provider }), '99'],
    ['SECURITY_GATEWAY', withFacts({ provider: { ...provider, kind: 'SECURITY_GATEWAY' } }), '91'],
    ['IMPLICIT_MX', probe({}, { hosts: implicit }), '91'],
    ['TYPO_SUSPECTED', withFacts({ suggestion: 'jo@example.org' }), '90'],
    ['DISPOSABLE_DOMAIN', withFacts({ isDisposable: true }), '80'],
    ['ROLE_ACCOUNT', withFacts({ isRole: true }), '90'],
    ['FREE_PROVIDER', withFacts({ isFree: true }), '95'],
    ['NEEDS_SMTPUTF8', probe({}, { address: { ...address, requiresSmtpUtf8: true } }), '93'],
  ])('%s', (code, evidence, score) => {
    const verdict = judge(evidence);
    expect(verdict.signals.map((signal) => signal.code)).toContain(code);
    expect(String(verdict.score)).toBe(score);
    expect(Object.keys(verdict.signals[0] ?? {})).toEqual(['code', 'effect', 'message']);
  });

  test('every signal is in the table above', () => {
    const all: Evidence[] = [
      probe(
        { reply: reply(251), catchAll: null },
        {
          hosts: implicit,
          address: { ...address, requiresSmtpUtf8: true },
          facts: { isRole: true, isFree: true, isDisposable: true, provider, suggestion: 'x' },
        },
      ),
      probe(),
      probe({ catchAll: canary('YES') }),
      probe(refused('MAILBOX_BUSY', 'RCPT_TO', 450)),
      withFacts({ provider: { ...provider, kind: 'SECURITY_GATEWAY' } }),
    ];
    const seen = new Set(all.flatMap((evidence) => judge(evidence).signals.map(({ code }) => code)));
    expect(seen).toEqual(new Set(signalTable.map(({ code }) => code)));
  });

  test('an address that is no address has none', () => {
    const verdict = judge({
      kind: 'syntax',
      fault: { code: 'EMPTY', message: 'There is nothing.', position: 0 },
    });
    expect(verdict).toMatchObject({ score: 0, signals: [], summary: 'There is nothing.' });
  });
});

test('facts about the address move the score within its band and never the status or the reason', () => {
  const facts = fc.record({
    isRole: fc.boolean(),
    isFree: fc.boolean(),
    isDisposable: fc.boolean(),
    suggestion: fc.option(fc.constant('jo@example.org')),
    provider: fc.option(fc.constantFrom(provider, { ...provider, kind: 'SECURITY_GATEWAY' as const })),
  });
  const evidence = fc.constantFrom(
    probe(),
    probe({ catchAll: null }),
    probe({ catchAll: canary('YES') }),
    probe(refused('MAILBOX_NOT_FOUND')),
    probe(refused('MAILBOX_FULL')),
    probe(refused('IP_BLOCKED')),
    probe(unreached(attempt('noAddress'))),
  );
  fc.assert(
    fc.property(evidence, facts, (plain, changed) => {
      const before = judge(plain);
      const after = judge({ ...plain, facts: changed });
      expect(after).toMatchObject({
        status: before.status,
        reason: before.reason,
        lifeSeconds: before.lifeSeconds,
      });
      const { lowest, highest } = statusTable[after.status];
      expect(after.score).toBeGreaterThanOrEqual(lowest);
      expect(after.score).toBeLessThanOrEqual(highest);
    }),
  );
});

describe('time', () => {
  test.each<[string, Evidence, number | null, number]>([
    ['greylisted without a delay: 5 min', probe(refused('GREYLISTED', 'RCPT_TO', 450)), 300, 300],
    ['greylisted with one', probe(refused('GREYLISTED', 'RCPT_TO', 450, 180)), 180, 180],
    [
      'greylisted with a long one: remembered no longer than unknowns are',
      probe(refused('GREYLISTED', 'RCPT_TO', 450, 7_200)),
      7_200,
      900,
    ],
    ['rate limited', probe(refused('RATE_LIMITED', 'GREETING', 421)), 900, 900],
    ['temporary, with a delay', probe(refused('TEMPORARY', 'RCPT_TO', 451, 60)), 60, 60],
    ['blocked for a stated time', probe(refused('IP_BLOCKED', 'RCPT_TO', 450, 600)), 600, 600],
    ['blocked', probe(refused('IP_BLOCKED')), null, 1_800],
    [
      'full, with a delay that means nothing for a status',
      probe(refused('MAILBOX_FULL', 'RCPT_TO', 452, 60)),
      null,
      10_800,
    ],
    ['not found', probe(refused('MAILBOX_NOT_FOUND')), null, 86_400],
    ['exists', probe(), null, 604_800],
    ['exists, unchecked', probe({ catchAll: null }), null, 3_600],
    ['a bug is not remembered', { kind: 'internal', address, facts: noFacts }, null, 0],
    [
      "nor is an asker's limit, whose end is known",
      { kind: 'harvest', address, facts: noFacts, retryAfterSeconds: 1_800 },
      1_800,
      0,
    ],
    ["nor is the asker's impatience", { kind: 'budget', address, facts: noFacts }, null, 0],
  ])('%s', (_, evidence, retryAfterSeconds, lifeSeconds) => {
    expect(judge(evidence)).toMatchObject({ retryAfterSeconds, lifeSeconds });
  });
});

test('the summary of an unchecked acceptance promises less', () => {
  expect(judge(probe({ catchAll: null })).summary).not.toBe(judge(probe()).summary);
});
