import { getEventListeners } from 'node:events';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Reason } from '../verdict/index.ts';
import type { HarvestPass } from './harvest-account.ts';
import { hour, names, no, startHarvest, times, verdictOf, yes } from './harvest-samples.ts';
import type { Verification } from './types.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

describe('who asks at the same time', () => {
  type Enter = ReturnType<typeof startHarvest>['enter'];
  /** A crowd that begins at once; each one's pass is noted when it comes. */
  const crowd = (enter: Enter, texts: readonly string[], asked: Parameters<Enter>[1] = {}) => {
    const passes: (HarvestPass | null)[] = texts.map(() => null);
    for (const [n, text] of texts.entries()) {
      const pass = enter(text, asked);
      if (!(pass instanceof Promise)) passes[n] = pass;
      else
        void pass.then((later) => {
          passes[n] = later;
        });
    }
    const kinds = () => passes.map((pass) => pass?.kind ?? null);
    /** The first that is under way and untold is told so. */
    const settled = new Set<HarvestPass>();
    const settleNext = async (verification: Verification | null) => {
      const next = passes.find((pass) => pass?.kind === 'admitted' && !settled.has(pass));
      if (next?.kind !== 'admitted') return false;
      settled.add(next);
      next.settle(verification);
      await vi.advanceTimersByTimeAsync(0);
      return true;
    };
    return { kinds, settleNext };
  };

  test('a hundred guesses: as many are asked as the limit says, and the rest is limited', async () => {
    const { enter, events } = startHarvest({ limit: 50 });
    const { kinds, settleNext } = crowd(enter, names(100));
    expect(kinds()).toEqual([...times(50, yes), ...times(50, null)]);
    for (let n = 0; n < 49; n += 1) await settleNext(verdictOf('MAILBOX_NOT_FOUND'));
    expect(kinds()).toEqual([...times(50, yes), ...times(50, null)]);
    await settleNext(verdictOf('MAILBOX_NOT_FOUND'));
    expect(kinds()).toEqual([...times(50, yes), ...times(50, no)]);
    expect(events).toHaveLength(1);
  });

  test('a hundred people: all are told, in the order of asking', async () => {
    const { enter, events, ask } = startHarvest({ limit: 50 });
    const { kinds, settleNext } = crowd(enter, names(100));
    for (let n = 1; await settleNext(verdictOf('MAILBOX_EXISTS')); n += 1)
      expect(kinds()).toEqual([...times(Math.min(100, 50 + n), yes), ...times(Math.max(0, 50 - n), null)]);
    expect(kinds()).toEqual(times(100, yes));
    expect(events).toEqual([]);
    expect(ask('guess@firm.test')).toBe(yes);
  });

  test.each([
    ['told that it is unknown', verdictOf('MAILBOX_NOT_FOUND'), false],
    ['told that it is there', verdictOf('MAILBOX_EXISTS'), true],
    ['told nothing', null, true],
  ])('who is %s gives its place back: %#', async (_, verification, isGivenBack) => {
    const { enter } = startHarvest();
    const { kinds, settleNext } = crowd(enter, names(5));
    await settleNext(verification);
    expect(kinds()).toEqual([yes, yes, yes, isGivenBack ? yes : null, null]);
    while (await settleNext(null));
    expect(kinds()).toEqual(times(5, yes));
  });

  test('who asks about a mailbox that is counted does not wait; a new one waits behind the line', async () => {
    const { enter } = startHarvest();
    const { kinds, settleNext } = crowd(enter, names(4));
    expect(crowd(enter, ['guess0@firm.test']).kinds()).toEqual([yes]);
    const late = crowd(enter, ['late@firm.test']);
    await settleNext(verdictOf('MAILBOX_EXISTS'));
    // The second one of `guess0` is still under way.
    expect([kinds()[3], late.kinds()]).toEqual([null, [null]]);
    await settleNext(verdictOf('MAILBOX_EXISTS'));
    expect([kinds()[3], late.kinds()]).toEqual([yes, [null]]);
    while (await settleNext(null));
    expect(late.kinds()).toEqual([yes]);
  });

  test('a window that ends lets in those who stand in line, before whoever comes then', async () => {
    const { clock, enter, ask } = startHarvest();
    ask('a@firm.test');
    ask('b@firm.test');
    const first = crowd(enter, ['under-way@firm.test']);
    const line = crowd(enter, names(2, 'firm.test', 'line'));
    expect([first.kinds(), line.kinds()]).toEqual([[yes], [null, null]]);
    clock.ms += hour;
    const late = crowd(enter, ['late@firm.test']);
    await vi.advanceTimersByTimeAsync(0);
    expect([line.kinds(), late.kinds()]).toEqual([[yes, yes], [null]]);
    await line.settleNext(null);
    expect(late.kinds()).toEqual([yes]);
  });

  test('who stands in line leaves with its signal or its time, and the others move up', async () => {
    const { enter } = startHarvest();
    const { kinds, settleNext } = crowd(enter, names(3));
    const leaving = new AbortController();
    const leaver = crowd(enter, ['leaver@firm.test'], { signal: leaving.signal });
    const hasty = crowd(enter, ['hasty@firm.test'], { patienceMs: 1_000 });
    const patient = crowd(enter, ['patient@firm.test'], { patienceMs: 5_000 });
    expect(getEventListeners(leaving.signal, 'abort')).toHaveLength(1);
    leaving.abort();
    await vi.advanceTimersByTimeAsync(1_020);
    expect([leaver.kinds(), hasty.kinds(), patient.kinds()]).toEqual([['left'], ['left'], [null]]);
    await settleNext(verdictOf('MAILBOX_EXISTS'));
    expect([kinds(), patient.kinds()]).toEqual([times(3, yes), [yes]]);
    expect(getEventListeners(leaving.signal, 'abort')).toHaveLength(0);
  });

  test('in whatever order they ask, are told and leave: never more than the limit, and nobody waits for nobody', async () => {
    const step = fc.record({
      mailbox: fc.nat(12),
      reason: fc.constantFrom<Reason | null>(
        'MAILBOX_NOT_FOUND',
        'MAILBOX_NOT_FOUND',
        'MAILBOX_EXISTS',
        null,
      ),
      /** How many of those under way are told before the next one asks, and whether the newest in line leaves. */
      settles: fc.nat(2),
      leaves: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const { enter } = startHarvest();
        const told = new Set<number>();
        const underWay: (() => void)[] = [];
        const line = new Map<AbortController, Promise<HarvestPass>>();
        for (const { mailbox, reason, settles, leaves } of steps) {
          const note = (pass: HarvestPass) => {
            if (pass.kind !== 'admitted') return;
            underWay.push(() => {
              if (reason === 'MAILBOX_NOT_FOUND') told.add(mailbox);
              pass.settle(reason === null ? null : verdictOf(reason));
            });
          };
          const leaving = new AbortController();
          const pass = enter(`guess${mailbox}@firm.test`, { signal: leaving.signal });
          if (pass instanceof Promise) {
            line.set(leaving, pass);
            void pass.then((later) => {
              line.delete(leaving);
              note(later);
            });
          } else note(pass);
          if (leaves) [...line.keys()].at(-1)?.abort();
          for (let n = 0; n < settles; n += 1) underWay.shift()?.();
          await vi.advanceTimersByTimeAsync(0);
          if (underWay.length === 0) expect(line.size).toBe(0);
        }
        for (let settle = underWay.shift(); settle !== undefined; settle = underWay.shift()) {
          settle();
          await vi.advanceTimersByTimeAsync(0);
        }
        expect(line.size).toBe(0);
        expect(told.size).toBeLessThanOrEqual(3);
      }),
    );
  });

  test('who has left already does not stand in line', () => {
    const { enter } = startHarvest();
    crowd(enter, names(3));
    expect(enter('late@firm.test', { signal: AbortSignal.abort() })).toEqual({ kind: 'left' });
  });

  test('ten thousand stand in line and no more', async () => {
    const { enter } = startHarvest();
    const { kinds } = crowd(enter, names(3));
    const leaving = new AbortController();
    const line = crowd(enter, names(10_000, 'firm.test', 'line'), { signal: leaving.signal });
    expect(enter('late@firm.test')).toEqual({ kind: 'left' });
    leaving.abort();
    await vi.advanceTimersByTimeAsync(0);
    expect(new Set(line.kinds())).toEqual(new Set(['left']));
    expect(enter('late@firm.test', { patienceMs: 0 })).toBeInstanceOf(Promise);
    await vi.advanceTimersByTimeAsync(20);
    expect(kinds()).toEqual(times(3, yes));
  });
});
