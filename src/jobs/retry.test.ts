import { describe, expect, it } from 'vitest';
import type { Reason } from '../verdict/index.ts';
import type { Verification } from '../verify/index.ts';
import { planRow } from './retry.ts';

const now = new Date('2026-03-01T12:00:00.000Z');
const minute = 60_000;
const schedule = [5 * minute, 15 * minute];

const verificationOf = (reason: Reason, retryAt: Date | null, statedSeconds: number | null = null) =>
  ({
    reason,
    retryAt,
    evidence: {
      kind: 'probe',
      probe: { meaning: { kind: 'GREYLISTED', rule: 'r', retryAfterSeconds: statedSeconds } },
    },
  }) as unknown as Verification;

describe('planRow', () => {
  const soon = new Date(now.getTime() + 1_000);
  /** Reason, has a retryAt, seconds the server stated, tries so far → minutes to wait, or null to settle. */
  const rows: readonly (readonly [Reason, boolean, number | null, number, number | null])[] = [
    ['GREYLISTED', true, null, 0, 5],
    ['GREYLISTED', true, null, 1, 15],
    ['GREYLISTED', true, null, 2, null],
    ['RATE_LIMITED', true, null, 0, 5],
    ['TEMPORARY_FAILURE', true, null, 0, 5],
    // The server's own word counts when it asks for more patience than we have.
    ['GREYLISTED', true, 60, 0, 5],
    ['GREYLISTED', true, 1_800, 0, 30],
    ['GREYLISTED', true, 1_800, 2, null],
    ['GREYLISTED', true, 10_000_000, 0, 1_440],
    // Nothing says that asking again may tell more.
    ['GREYLISTED', false, null, 0, null],
    ['TIMEOUT', true, null, 0, null],
    ['PROBER_BLOCKED', true, null, 0, null],
    ['DNS_FAILURE', true, null, 0, null],
    ['MAILBOX_EXISTS', true, null, 0, null],
    ['OUT_OF_BUDGET', true, null, 0, null],
    // The rest of a window would keep the job open for it.
    ['HARVEST_LIMITED', true, null, 0, null],
  ];
  it.each(rows)('%s, retryAt %s, stated %s, %i tries: %s', (reason, hasRetryAt, stated, tries, minutes) => {
    const plan = planRow(verificationOf(reason, hasRetryAt ? soon : null, stated), tries, schedule, now);
    expect(plan).toEqual(
      minutes === null
        ? { kind: 'settle' }
        : {
            kind: 'wait',
            retryAt: new Date(now.getTime() + minutes * minute),
            // Only the address that was put off is let in later.
            ...(reason === 'GREYLISTED' ? { where: 'here' } : {}),
          },
    );
  });

  it('asks from elsewhere at once where we are refused, as long as there is an elsewhere', () => {
    const blocked = verificationOf('PROBER_BLOCKED', soon);
    expect(planRow(blocked, 0, [], now, 2)).toEqual({ kind: 'wait', retryAt: now, where: 'elsewhere' });
    expect(planRow(blocked, 7, schedule, now, 1)).toEqual({ kind: 'wait', retryAt: now, where: 'elsewhere' });
    expect(planRow(blocked, 0, schedule, now, 0)).toEqual({ kind: 'settle' });
    // What the mailbox's own server says of the mailbox is the same from everywhere.
    expect(planRow(verificationOf('MAILBOX_NOT_FOUND', null), 0, schedule, now, 2)).toEqual({
      kind: 'settle',
    });
  });

  it('settles at once without a schedule', () => {
    expect(planRow(verificationOf('GREYLISTED', soon), 0, [], now)).toEqual({ kind: 'settle' });
  });
});
