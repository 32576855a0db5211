import { describe, expect, it } from 'vitest';
import { BackOff } from './back-off.ts';
import {
  ASSUMED_PROBES_PER_SECOND,
  HALVE_AT_MOST_EVERY_MS,
  MIN_PROBES_PER_SECOND,
  RECOVERY_STEP_MS,
  RECOVERY_STEPS,
  RECOVERY_STEPS_PER_SESSION,
} from './limits.ts';

const world = (probesPerSecond: number, sessions = 8) => {
  const clock = { now: 1_000_000 };
  const backOff = new BackOff({ probesPerSecond, sessions, now: () => clock.now });
  const read = () => [backOff.probesPerSecond, backOff.sessions];
  return { clock, backOff, read };
};

describe('BackOff', () => {
  it('is what the settings say until it is told', () => {
    const { clock, read } = world(20, 4);
    clock.now += 1e9;
    expect(read()).toEqual([20, 4]);
  });

  it('halves once for all that is told in one second', () => {
    const { clock, backOff, read } = world(20);
    for (let n = 0; n < 8; n++) backOff.slowDown();
    expect(read()).toEqual([10, 4]);
    clock.now += HALVE_AT_MOST_EVERY_MS - 1;
    backOff.slowDown();
    expect(read()).toEqual([10, 4]);
    clock.now += 1;
    backOff.slowDown();
    expect(read()).toEqual([5, 2]);
  });

  it.each([
    [20, MIN_PROBES_PER_SECOND],
    // An operator who asks for less than our floor is not made faster.
    [0.2, 0.2],
  ])('from %d ends at %d and one session', (setting, floor) => {
    const { clock, backOff, read } = world(setting);
    for (let n = 0; n < 50; n++, clock.now += HALVE_AT_MOST_EVERY_MS) backOff.slowDown();
    expect(read()).toEqual([floor, 1]);
  });

  it('says when it cannot go slower', () => {
    const { clock, backOff } = world(4);
    const isSlowest = Array.from({ length: 5 }, () => {
      clock.now += HALVE_AT_MOST_EVERY_MS;
      return backOff.slowDown();
    });
    expect(isSlowest).toEqual([false, false, false, true, true]);
    expect(backOff.slowDown()).toBe(false);
  });

  it('recovers a step at a time, and no further than the settings', () => {
    const { clock, backOff, read } = world(20, 4);
    backOff.slowDown();
    clock.now += RECOVERY_STEP_MS - 1;
    expect(read()).toEqual([10, 2]);
    clock.now += 1;
    expect(read()).toEqual([10.5, 2]);
    clock.now += RECOVERY_STEP_MS * (RECOVERY_STEPS_PER_SESSION - 1);
    expect(read()).toEqual([12, 3]);
    clock.now += RECOVERY_STEP_MS * RECOVERY_STEPS;
    expect(read()).toEqual([20, 4]);
    clock.now += 1e9;
    expect(read()).toEqual([20, 4]);
  });

  it('halves from where it has recovered to', () => {
    const { clock, backOff, read } = world(20, 4);
    backOff.slowDown();
    clock.now += RECOVERY_STEP_MS * 4;
    backOff.slowDown();
    expect(read()).toEqual([6, 1]);
  });

  it('without a limit it halves what would be the default, and has no limit again in the end', () => {
    const { clock, backOff, read } = world(Number.POSITIVE_INFINITY, 4);
    expect(read()[0]).toBe(Number.POSITIVE_INFINITY);
    backOff.slowDown();
    expect(read()[0]).toBe(ASSUMED_PROBES_PER_SECOND / 2);
    clock.now += RECOVERY_STEP_MS * RECOVERY_STEPS;
    expect(read()).toEqual([Number.POSITIVE_INFINITY, 4]);
  });

  it('does not recover by a clock that was set back', () => {
    const { clock, backOff, read } = world(20, 4);
    backOff.slowDown();
    clock.now -= 1e9;
    expect(read()).toEqual([10, 2]);
  });
});
