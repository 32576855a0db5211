import { describe, expect, it } from 'vitest';
import { Breaker } from './breaker.ts';
import { BREAKER_FAILURES, BREAKER_MAX_OPEN_MS, BREAKER_OPEN_MS } from './limits.ts';

const world = () => {
  const clock = { now: 1_000_000 };
  const breaker = new Breaker(() => clock.now);
  const failTimes = (count: number) => {
    for (let n = 0; n < count; n++) breaker.failed();
  };
  return { clock, breaker, failTimes };
};

describe('Breaker', () => {
  it('stays closed while failures are fewer in a row', () => {
    const { breaker, failTimes } = world();
    for (let n = 0; n < 10; n++) {
      failTimes(BREAKER_FAILURES - 1);
      expect(breaker.state).toBe('CLOSED');
      breaker.connected();
    }
  });

  it('opens, is half-open when its time is over, and closes with a connection', () => {
    const { clock, breaker, failTimes } = world();
    failTimes(BREAKER_FAILURES);
    expect(breaker.state).toBe('OPEN');
    expect(breaker.until).toBe(clock.now + BREAKER_OPEN_MS);
    clock.now += BREAKER_OPEN_MS - 1;
    expect(breaker.state).toBe('OPEN');
    clock.now += 1;
    expect(breaker.state).toBe('HALF_OPEN');
    breaker.connected();
    expect(breaker.state).toBe('CLOSED');
    failTimes(BREAKER_FAILURES);
    expect(breaker.until).toBe(clock.now + BREAKER_OPEN_MS);
  });

  it('is open for twice as long with each trial that fails, up to a ceiling', () => {
    const { clock, breaker, failTimes } = world();
    failTimes(BREAKER_FAILURES - 1);
    const opens: number[] = [];
    for (let trial = 0; trial < 100; trial++) {
      breaker.failed();
      opens.push(breaker.until - clock.now);
      clock.now = breaker.until;
    }
    expect(opens.slice(0, 4)).toEqual([1, 2, 4, 8].map((factor) => factor * BREAKER_OPEN_MS));
    expect(Math.max(...opens)).toBe(BREAKER_MAX_OPEN_MS);
    expect(opens.at(-1)).toBe(BREAKER_MAX_OPEN_MS);
  });
});
