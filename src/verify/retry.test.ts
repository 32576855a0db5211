import { expect, test } from 'vitest';
import type { Reason } from '../verdict/index.ts';
import { planRetry } from './retry.ts';
import type { Verification } from './types.ts';

const at = new Date('2030-01-01T00:00:00Z');
const schedule = [300, 900];

/** As far as planning looks at it. */
const putOff = (reason: Reason, statedSeconds: number | null, canRetry = true) =>
  ({
    reason,
    checkedAt: at,
    retryAt: canRetry ? at : null,
    evidence: { kind: 'probe', probe: { meaning: { retryAfterSeconds: statedSeconds } } },
  }) as unknown as Verification;

test.each<readonly [what: string, verification: Verification, tries: number, seconds: number | null]>([
  ['the schedule', putOff('GREYLISTED', null), 0, 300],
  ['the next of it', putOff('GREYLISTED', null), 1, 900],
  ['its end', putOff('GREYLISTED', null), 2, null],
  ['a longer delay that the server stated', putOff('GREYLISTED', 1_800), 0, 1_800],
  ['a shorter one', putOff('GREYLISTED', 60), 0, 300],
  ['a stated year', putOff('RATE_LIMITED', 31_536_000), 0, 86_400],
  ['trouble that passes', putOff('TEMPORARY_FAILURE', null), 0, 300],
  ['a verdict that is final', putOff('MAILBOX_NOT_FOUND', null, false), 0, null],
  ['the limit of an asker, though it says when it ends', putOff('HARVEST_LIMITED', null), 0, null],
  ['a verdict that time alone does not change', putOff('PROBER_BLOCKED', 60), 0, null],
])('%s', (_, verification, tries, seconds) => {
  expect(planRetry(verification, tries, schedule)).toEqual(
    seconds === null ? null : new Date(at.getTime() + seconds * 1_000),
  );
});
