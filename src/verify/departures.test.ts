import { getEventListeners } from 'node:events';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createDepartures, timeIsUp } from './departures.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

type Who = { readonly name: string; readonly signal: AbortSignal; dueAt: number };

const start = () => {
  const left: [string, unknown][] = [];
  const departures = createDepartures<Who>((who, reason) => {
    departures.forget(who);
    left.push([who.name, reason]);
  });
  const watch = (name: string, signal: AbortSignal, ms?: number): Who => {
    const who = { name, signal, dueAt: 0 };
    departures.watch(who, ms);
    return who;
  };
  return { departures, left, watch };
};
const listeners = (signal: AbortSignal) => getEventListeners(signal, 'abort').length;

describe('the signal', () => {
  test('lets all leave who wait on it, with its reason, and nobody else', () => {
    const { departures, left, watch } = start();
    const [chunk, other] = [new AbortController(), new AbortController()];
    for (let row = 0; row < 500; row += 1) watch(`row ${row}`, chunk.signal, 1_000);
    const stays = watch('stays', other.signal, 1_000);
    expect(listeners(chunk.signal)).toBe(1);
    chunk.abort('cut');
    expect(left).toEqual(Array.from({ length: 500 }, (_, row) => [`row ${row}`, 'cut']));
    expect(listeners(chunk.signal)).toBe(0);
    departures.forget(stays);
    expect(listeners(other.signal)).toBe(0);
  });

  test('may be waited on again after the last has gone', () => {
    const { departures, left, watch } = start();
    const chunk = new AbortController();
    departures.forget(watch('first', chunk.signal, 1_000));
    expect(listeners(chunk.signal)).toBe(0);
    watch('second', chunk.signal, 1_000);
    chunk.abort('cut');
    expect(left).toEqual([['second', 'cut']]);
  });
});

describe('time', () => {
  test.each([1, 9.5, 10, 995, 120_000])('%d ms end it then or a hundredth of a second later', (ms) => {
    const { left, watch } = start();
    const { signal } = new AbortController();
    vi.advanceTimersByTime(3.7);
    watch('a', signal, ms);
    vi.advanceTimersByTime(ms - 0.5);
    expect(left).toEqual([]);
    vi.advanceTimersByTime(11);
    expect(left).toEqual([['a', timeIsUp]]);
    expect(listeners(signal)).toBe(0);
  });

  test('whose time is up in the same moment share a timer', () => {
    const { departures, left, watch } = start();
    const { signal } = new AbortController();
    const all = Array.from({ length: 500 }, (_, row) => watch(`row ${row}`, signal, 1_000));
    expect(vi.getTimerCount()).toBe(1);
    for (const who of all.slice(1)) departures.forget(who);
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(2_000);
    expect(left.map(([name]) => name)).toEqual(['row 0']);
  });

  test('without any it stays until its signal says so', () => {
    const { left, watch } = start();
    const patient = new AbortController();
    watch('a', patient.signal);
    expect(vi.getTimerCount()).toBe(0);
    patient.abort('left');
    expect(left).toEqual([['a', 'left']]);
  });

  test('longer than a timer holds is not at once', () => {
    const { departures, left, watch } = start();
    const { signal } = new AbortController();
    const who = watch('a', signal, Number.MAX_SAFE_INTEGER);
    vi.advanceTimersByTime(86_400_000);
    expect(left).toEqual([]);
    departures.forget(who);
  });
});

test('who is forgotten twice, or was never watched, harms nobody', () => {
  const { departures, left, watch } = start();
  const chunk = new AbortController();
  const gone = watch('gone', chunk.signal, 1_000);
  watch('stays', chunk.signal, 1_000);
  departures.forget(gone);
  departures.forget(gone);
  departures.forget({ name: 'never', signal: chunk.signal, dueAt: 0 });
  vi.advanceTimersByTime(2_000);
  expect(left).toEqual([['stays', timeIsUp]]);
});
