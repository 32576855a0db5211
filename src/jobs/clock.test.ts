import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createSteadyClock } from './clock.ts';

const hour = 3_600_000;

describe('createSteadyClock', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'performance'] }));
  afterEach(() => void vi.useRealTimers());

  /** Passes time, moves the wall clock by a jump beside it, and says what both clocks have moved by in all. */
  const run = (steps: readonly { readonly passMs: number; readonly jumpMs: number }[]) => {
    let wall = 1e12;
    const clock = createSteadyClock(() => new Date(wall));
    return steps.map(({ passMs, jumpMs }) => {
      vi.advanceTimersByTime(passMs);
      wall += passMs + jumpMs;
      return clock().getTime() - 1e12;
    });
  };

  it('follows the wall clock while that goes on', () => {
    expect(
      run([
        { passMs: 10, jumpMs: 0 },
        { passMs: 5_000, jumpMs: 0 },
      ]),
    ).toEqual([10, 5_010]);
  });

  it('follows it ahead', () => {
    expect(
      run([
        { passMs: 10, jumpMs: hour },
        { passMs: 10, jumpMs: 0 },
      ]),
    ).toEqual([hour + 10, hour + 20]);
  });

  it('goes on at its pace when it is set back, until that has caught up', () => {
    expect(
      run([
        { passMs: 10, jumpMs: -hour },
        { passMs: hour, jumpMs: 0 },
        { passMs: 10, jumpMs: 2 * hour },
      ]),
    ).toEqual([10, hour + 10, 2 * hour + 20]);
  });
});
