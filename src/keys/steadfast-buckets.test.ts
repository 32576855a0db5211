import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type BucketLevel, type BucketStore, localBuckets, steadfastBuckets } from './index.ts';

const draught = { points: 1, unused: 0, capacity: 3, refillPerSecond: 0 };

describe('steadfast buckets', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  /** Shared ones that answer as they are told to. */
  const openWith = () => {
    const shared = localBuckets();
    const state = { answer: (draw: Promise<BucketLevel>) => draw, asked: 0 };
    const errors: unknown[] = [];
    const switched: BucketStore = {
      draw: (name, wish) => {
        state.asked += 1;
        return state.answer(shared.draw(name, wish));
      },
    };
    const buckets = steadfastBuckets(switched, localBuckets(), (error) => errors.push(error));
    return { buckets, state, errors };
  };
  const fails = () => Promise.reject(new Error('away'));
  const never = () => new Promise<never>(() => undefined);
  const late = async (draw: Promise<BucketLevel>) => {
    await new Promise((resolve) => setTimeout(resolve, 400));
    return draw;
  };

  it('are the shared ones while they answer in time, and leave no timer behind', async () => {
    const { buckets, state, errors } = openWith();
    expect(await buckets.draw('a', draught)).toEqual({ isTaken: true, left: 2 });
    expect(await buckets.draw('a', { ...draught, points: 3 })).toEqual({ isTaken: false, left: 2 });
    expect(await buckets.draw('a', { ...draught, unused: 1, points: 3 })).toEqual({ isTaken: true, left: 0 });
    expect(state.asked).toBe(3);
    expect(errors).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('are the process’ own when the shared ones reject, which hold as well', async () => {
    const { buckets, state, errors } = openWith();
    await buckets.draw('a', { ...draught, points: 3 });
    state.answer = fails;
    expect(await buckets.draw('a', draught)).toEqual({ isTaken: true, left: 2 });
    expect(await buckets.draw('a', { ...draught, points: 2 })).toEqual({ isTaken: true, left: 0 });
    expect(await buckets.draw('a', draught)).toEqual({ isTaken: false, left: 0 });
    expect(errors).toEqual([new Error('away')]);
    state.answer = (draw) => draw;
    expect(await buckets.draw('a', draught)).toEqual({ isTaken: false, left: 0 });
    expect(await buckets.draw('b', draught)).toEqual({ isTaken: true, left: 2 });
    expect(vi.getTimerCount()).toBe(0);
  });

  it.each([
    ['never', never],
    ['late', late],
  ])('are the process’ own after 300 ms when the shared ones answer %s', async (_when, answer) => {
    const { buckets, state, errors } = openWith();
    state.answer = answer;
    let level: BucketLevel | null = null;
    const drawing = buckets.draw('a', draught).then((drawn) => {
      level = drawn;
    });
    await vi.advanceTimersByTimeAsync(299);
    expect(level).toBeNull();
    await vi.advanceTimersByTimeAsync(1);
    await drawing;
    expect(level).toEqual({ isTaken: true, left: 2 });
    expect(errors).toMatchObject([{ message: 'no bucket could be drawn from within 300 ms' }]);
    // What comes after that is no fault that nobody catches.
    await vi.advanceTimersByTimeAsync(1_000);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('say so once in 10 s, however many draws fail', async () => {
    const { buckets, state, errors } = openWith();
    state.answer = fails;
    await Promise.all(Array.from({ length: 100 }, () => buckets.draw('a', draught)));
    expect(errors).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(9_999);
    await buckets.draw('a', draught);
    expect(errors).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    await buckets.draw('a', draught);
    await buckets.draw('a', draught);
    expect(errors).toHaveLength(2);
  });

  it('make one draw at a time wait while the database is away, and all are back when it is', async () => {
    const { buckets, state } = openWith();
    state.answer = fails;
    await buckets.draw('a', draught);
    state.answer = never;
    state.asked = 0;
    const trying = buckets.draw('b', draught);
    await Promise.all(Array.from({ length: 50 }, () => buckets.draw('c', draught)));
    expect(state.asked).toBe(1);
    await vi.advanceTimersByTimeAsync(300);
    await trying;
    state.answer = (draw) => draw;
    await buckets.draw('b', draught);
    state.asked = 0;
    await Promise.all(Array.from({ length: 50 }, () => buckets.draw('c', draught)));
    expect(state.asked).toBe(50);
  });
});
