import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createFactReader } from './fact-reader.ts';
import { FACTS_DEADLINE_MS, FACTS_PAUSE_MS, LOOKED_UP_LIFE_MS, MAX_FACTS_AT_ONCE } from './limits.ts';
import type { Learned, SharedFacts } from './shared-facts.ts';

type Found = Awaited<ReturnType<SharedFacts['recall']>>;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const world = () => {
  const clock = { now: 1_000_000 };
  const calls: { subjects: readonly string[]; answer: PromiseWithResolvers<Found> }[] = [];
  const errors: unknown[] = [];
  const learned: [string, Learned][] = [];
  const reader = createFactReader({
    facts: {
      recall: (subjects) => {
        const answer = Promise.withResolvers<Found>();
        calls.push({ subjects, answer });
        return answer.promise;
      },
    },
    now: () => clock.now,
    onError: (error) => errors.push(error),
  });
  /** Gives whether it has to be waited for, and whether that is over. */
  const look = (...subjects: readonly string[]) => {
    const state = { isDone: false };
    const done = reader.look(
      subjects.map((subject) => ({ subject, learn: (fact) => learned.push([subject, fact]) })),
    );
    void done?.then(() => {
      state.isDone = true;
    });
    return { isWaiting: done !== null, state };
  };
  const answer = async (index: number, found: Found = []) => {
    calls[index]?.answer.resolve(found);
    await vi.advanceTimersByTimeAsync(0);
  };
  const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);
  return { clock, calls, errors, learned, look, answer, pass };
};
const fact = (subject: string, leftMs = 5_000) => ({ subject, kind: 'k', value: 1, leftMs });

describe('a look-up', () => {
  it('that fails lets everybody go on, and the store is left alone', async () => {
    const { calls, errors, look, pass } = world();
    const first = look('a');
    await pass(0);
    const second = look('b');
    calls[0]?.answer.reject(new Error('down'));
    await pass(0);
    expect([first.state.isDone, second.state.isDone]).toEqual([true, true]);
    expect(look('c').isWaiting).toBe(false);
    await pass(FACTS_PAUSE_MS - 1);
    expect(look('c').isWaiting).toBe(false);
    expect(calls).toHaveLength(1);
    expect(errors.map(String)).toEqual(['Error: down']);
  });

  it('that is silent lets everybody go on in time, those who came later too', async () => {
    const { calls, errors, look, pass } = world();
    const first = look('a');
    await pass(FACTS_DEADLINE_MS / 2);
    const second = look('b');
    await pass(FACTS_DEADLINE_MS / 2);
    expect([first.state.isDone, second.state.isDone]).toEqual([true, true]);
    expect(calls).toHaveLength(1);
    expect(errors).toHaveLength(1);
  });

  it('that tries the store anew is waited for by nobody, and ends the pause', async () => {
    const { learned, look, answer, pass, calls } = world();
    look('a');
    await pass(FACTS_DEADLINE_MS);
    await pass(FACTS_PAUSE_MS);
    expect(look('b').isWaiting).toBe(false);
    await pass(0);
    expect(look('c').isWaiting).toBe(false);
    expect(calls.map(({ subjects }) => subjects)).toEqual([['a'], ['b']]);
    await answer(1, [fact('b')]);
    expect(learned.map(([subject]) => subject)).toEqual(['b']);
    expect(look('c').isWaiting).toBe(true);
    await pass(0);
    await answer(2);
  });

  it('answered too late is used all the same, and the store is not trusted for it', async () => {
    const { learned, look, answer, pass } = world();
    look('a');
    await pass(FACTS_DEADLINE_MS);
    await answer(0, [fact('a')]);
    expect(learned).toHaveLength(1);
    expect(look('b').isWaiting).toBe(false);
  });

  it('gathers who asks in one turn, and while another is out', async () => {
    const { calls, look, answer, pass } = world();
    look('a');
    look('b', 'a');
    await pass(0);
    const third = look('a', 'c');
    look('d');
    await answer(0);
    expect(third.state.isDone).toBe(false);
    await answer(1);
    expect(third.state.isDone).toBe(true);
    expect(calls.map(({ subjects }) => subjects)).toEqual([
      ['a', 'b'],
      ['c', 'd'],
    ]);
  });

  it('is not repeated in its time, found or not', async () => {
    const { clock, calls, look, answer, pass } = world();
    look('a', 'b');
    await pass(0);
    await answer(0, [fact('a')]);
    expect(look('a', 'b').isWaiting).toBe(false);
    clock.now += LOOKED_UP_LIFE_MS;
    expect(look('a', 'b').isWaiting).toBe(true);
    await pass(0);
    await answer(1);
    expect(calls).toHaveLength(2);
  });

  it('of more subjects than a statement should have is several', async () => {
    const { calls, look, answer, pass } = world();
    const all = look(...Array.from({ length: MAX_FACTS_AT_ONCE + 1 }, (_, n) => `s${n}`));
    await pass(0);
    await answer(0);
    expect(all.state.isDone).toBe(false);
    await answer(1);
    expect(all.state.isDone).toBe(true);
    expect(calls.map(({ subjects }) => subjects.length)).toEqual([MAX_FACTS_AT_ONCE, 1]);
  });

  it('a listener that throws is reported, and the others hear', async () => {
    vi.useRealTimers();
    const errors: unknown[] = [];
    const heard: string[] = [];
    const reader = createFactReader({
      facts: { recall: async (subjects) => subjects.map((subject) => fact(subject)) },
      now: () => 0,
      onError: (error) => errors.push(error),
    });
    const learn = (): never => {
      throw new Error('a bug');
    };
    await reader.look([
      { subject: 'a', learn },
      { subject: 'b', learn: () => heard.push('b') },
    ]);
    expect(errors.map(String)).toEqual(['Error: a bug']);
    expect(heard).toEqual(['b']);
  });
});
