import { expect, test } from 'vitest';
import { localBuckets } from './local-buckets.ts';

const draught = { points: 30, unused: 0, capacity: 100, refillPerSecond: 10 };

/** A bucket on a clock of its own. */
const open = () => {
  let at = 0;
  const buckets = localBuckets(() => at);
  return {
    pass: (ms: number) => {
      at += ms;
    },
    draw: (part: Partial<typeof draught> = {}, name = 'a') => buckets.draw(name, { ...draught, ...part }),
  };
};

test('it is full at first, and what is not there is not taken', async () => {
  const { draw } = open();
  expect(await draw()).toEqual({ isTaken: true, left: 70 });
  expect(await draw({ points: 70 })).toEqual({ isTaken: true, left: 0 });
  expect(await draw({ points: 1 })).toEqual({ isTaken: false, left: 0 });
  expect(await draw({ points: 0 })).toEqual({ isTaken: true, left: 0 });
});

test('it fills steadily, and not past what it holds', async () => {
  const { draw, pass } = open();
  await draw({ points: 100 });
  pass(250);
  expect(await draw({ points: 3 })).toEqual({ isTaken: false, left: 2.5 });
  pass(50);
  expect(await draw({ points: 3 })).toEqual({ isTaken: true, left: 0 });
  pass(3_600_000);
  expect(await draw({ points: 0 })).toEqual({ isTaken: true, left: 100 });
});

test('what was not needed comes back, whether or not the points are there', async () => {
  const { draw } = open();
  await draw({ points: 100 });
  expect(await draw({ points: 50, unused: 20 })).toEqual({ isTaken: false, left: 20 });
  expect(await draw({ points: 50, unused: 40 })).toEqual({ isTaken: true, left: 10 });
  expect(await draw({ points: 0, unused: 1_000 })).toEqual({ isTaken: true, left: 100 });
});

test('each name has its own', async () => {
  const { draw } = open();
  await draw({ points: 100 });
  expect(await draw({ points: 100 }, 'b')).toEqual({ isTaken: true, left: 0 });
});
