import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createFactWriter } from './fact-writer.ts';
import { FACTS_GATHER_MS, FACTS_PAUSE_MS, FACTS_WRITE_DEADLINE_MS, MAX_FACTS_WAITING } from './limits.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const world = () => {
  const clock = { now: 0 };
  const store = { isDown: false, isSilent: false };
  const writes: string[][] = [];
  const errors: unknown[] = [];
  const writer = createFactWriter({
    facts: {
      remember: async (facts) => {
        if (store.isDown) throw new Error('down');
        if (store.isSilent) await new Promise(() => undefined);
        writes.push(facts.map(({ subject, kind, value, lifeMs }) => `${subject} ${kind} ${value} ${lifeMs}`));
      },
    },
    now: () => clock.now,
    onError: (error) => errors.push(error),
  });
  const note = (subject: string, value: number, until = 1_000) =>
    writer.note(subject, { kind: 'k', value, until });
  return {
    clock,
    store,
    writes,
    errors,
    writer,
    note,
    pass: (ms: number) => vi.advanceTimersByTimeAsync(ms),
  };
};

describe('the writer', () => {
  it('writes the same again to a store that failed, unless something newer waits or its life is over', async () => {
    const { clock, store, writes, errors, note, pass } = world();
    store.isDown = true;
    note('a', 1);
    note('b', 1, 100);
    note('c', 1);
    await pass(FACTS_GATHER_MS);
    expect(errors).toHaveLength(1);
    store.isDown = false;
    note('c', 2);
    clock.now = 100;
    await pass(FACTS_PAUSE_MS);
    expect(writes).toEqual([['a k 1 900', 'c k 2 900']]);
  });

  it('does not hang on a store that is silent', async () => {
    const { store, writes, errors, writer, note, pass } = world();
    store.isSilent = true;
    note('a', 1);
    const closed = writer.close();
    await pass(FACTS_WRITE_DEADLINE_MS);
    await closed;
    expect(errors).toHaveLength(1);
    expect(writes).toEqual([]);
  });

  it('gathers, and keeps the newest of a kind', async () => {
    const { writes, note, pass } = world();
    note('a', 1);
    note('b', 1);
    note('a', 2);
    await pass(FACTS_GATHER_MS - 1);
    expect(writes).toEqual([]);
    await pass(1);
    expect(writes).toEqual([['b k 1 1000', 'a k 2 1000']]);
  });

  it('gives up the oldest when too many wait', async () => {
    const { writes, writer, note } = world();
    for (let n = 0; n < MAX_FACTS_WAITING + 2; n++) note(`s${n}`, n);
    await writer.close();
    expect(writes.flat()).toHaveLength(MAX_FACTS_WAITING);
    expect(writes[0]?.[0]).toBe('s2 k 2 1000');
  });

  it('writes what waits when it is closed, and nothing after that', async () => {
    const { writes, writer, note, pass } = world();
    note('a', 1);
    await writer.close();
    note('b', 1);
    await pass(10 * FACTS_GATHER_MS);
    expect(writes).toEqual([['a k 1 1000']]);
  });
});
