import { expect, test } from 'vitest';
import { createEventQueue } from './event-queue.ts';

const start = (most = 3) => {
  let ends = 0;
  const queue = createEventQueue<number>(most, () => {
    ends += 1;
  });
  return { queue, countEnds: () => ends };
};

const readAll = async (events: AsyncIterable<number>): Promise<number[]> => {
  const seen: number[] = [];
  for await (const event of events) seen.push(event);
  return seen;
};

test('a reader that does not read keeps the newest, the last one among them', async () => {
  const { queue, countEnds } = start();
  for (let n = 1; n <= 1_000; n += 1) queue.push(n);
  queue.finish();
  expect(countEnds()).toBe(0);
  expect(await readAll(queue.iterator)).toEqual([998, 999, 1_000]);
  expect(countEnds()).toBe(1);
});

test('a reader that waits gets each', async () => {
  const { queue } = start();
  const asked = [queue.iterator.next(), queue.iterator.next()];
  queue.push(1);
  queue.push(2);
  expect(await Promise.all(asked)).toEqual([
    { value: 1, done: false },
    { value: 2, done: false },
  ]);
});

test.each(['return', 'end', 'finish'] as const)('%s resolves whoever waits', async (how) => {
  const { queue, countEnds } = start();
  const pending = queue.iterator.next();
  if (how === 'return') await queue.iterator.return?.();
  else queue[how]();
  expect(await pending).toEqual({ value: undefined, done: true });
  queue.push(1);
  expect(await queue.iterator.next()).toEqual({ value: undefined, done: true });
  expect(countEnds()).toBe(1);
});

test('end drops what is queued', async () => {
  const { queue } = start();
  queue.push(1);
  queue.end();
  expect(await readAll(queue.iterator)).toEqual([]);
});
