import { expect, test } from 'vitest';
import { createFlights } from './flight.ts';

const never = new AbortController().signal;

test('concurrent askers of one key share one run; other keys have their own', async () => {
  const flights = createFlights<string, number>();
  let runs = 0;
  const run = async () => {
    runs += 1;
    await Promise.resolve();
    return runs;
  };
  const answers = await Promise.all([
    flights.join('a', never, run),
    flights.join('a', never, run),
    flights.join('b', never, run),
  ]);
  expect(answers).toEqual([2, 2, 2]);
  expect(runs).toBe(2);
  expect(flights.size).toBe(0);
});

test('a run that has landed is not shared any more', async () => {
  const flights = createFlights<string, number>();
  let runs = 0;
  await flights.join('a', never, async () => ++runs);
  await flights.join('a', never, async () => ++runs);
  expect(runs).toBe(2);
});

test('an asker who leaves harms nobody', async () => {
  const flights = createFlights<string, string>();
  const leaving = new AbortController();
  const { promise, resolve } = Promise.withResolvers<string>();
  let wasAborted = false;
  const run = (signal: AbortSignal) => {
    signal.addEventListener('abort', () => {
      wasAborted = true;
    });
    return promise;
  };
  const first = flights.join('a', leaving.signal, run);
  const second = flights.join('a', never, run);
  leaving.abort(new Error('left'));
  await expect(first).rejects.toThrow('left');
  resolve('landed');
  await expect(second).resolves.toBe('landed');
  expect(wasAborted).toBe(false);
});

test('the run ends when the last asker has left, and the next asker starts anew', async () => {
  const flights = createFlights<string, string>();
  const leaving = new AbortController();
  let runs = 0;
  const run = (signal: AbortSignal) => {
    runs += 1;
    return new Promise<string>((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason));
    });
  };
  const both = [flights.join('a', leaving.signal, run), flights.join('a', leaving.signal, run)];
  leaving.abort(new Error('left'));
  for (const asker of both) await expect(asker).rejects.toThrow('left');
  await expect(flights.join('a', never, async () => `run ${++runs}`)).resolves.toBe('run 2');
  expect(flights.size).toBe(0);
});

test('who asks with an aborted signal starts nothing', async () => {
  const flights = createFlights<string, number>();
  await expect(
    flights.join('a', AbortSignal.abort(new Error('late')), async () => {
      throw new Error('ran all the same');
    }),
  ).rejects.toThrow('late');
  expect(flights.size).toBe(0);
});

test('a run that fails fails for each asker and leaves nothing behind', async () => {
  const flights = createFlights<string, number>();
  const run = async () => {
    await Promise.resolve();
    throw new Error('bug');
  };
  const askers = [flights.join('a', never, run), flights.join('a', never, run)];
  for (const asker of askers) await expect(asker).rejects.toThrow('bug');
  expect(flights.size).toBe(0);
});
