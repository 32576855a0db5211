import { getEventListeners } from 'node:events';
import { describe, expect, test } from 'vitest';
import { timeIsUp } from './departures.ts';
import { type Asker, createFlights, type Run } from './flight.ts';

const ask = (
  signal: AbortSignal,
  { isUrgent = true, deadline = 1_000, observe }: Partial<Asker<string>> = {},
): Asker<string> => ({ signal, isUrgent, deadline, observe });
const never = ask(new AbortController().signal);

test('concurrent askers of one key share one run; other keys have their own', async () => {
  const flights = createFlights<string, number, string>();
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
  const flights = createFlights<string, number, string>();
  let runs = 0;
  await flights.join('a', never, async () => ++runs);
  await flights.join('a', never, async () => ++runs);
  expect(runs).toBe(2);
});

test('an asker who leaves harms nobody', async () => {
  const flights = createFlights<string, string, string>();
  const leaving = new AbortController();
  const { promise, resolve } = Promise.withResolvers<string>();
  let wasAborted = false;
  const run = ({ signal }: { signal: AbortSignal }) => {
    signal.addEventListener('abort', () => {
      wasAborted = true;
    });
    return promise;
  };
  const first = flights.join('a', ask(leaving.signal), run);
  const second = flights.join('a', never, run);
  leaving.abort(new Error('left'));
  await expect(first).rejects.toThrow('left');
  resolve('landed');
  await expect(second).resolves.toBe('landed');
  expect(wasAborted).toBe(false);
});

test('the run ends when the last asker has left, and the next asker starts anew', async () => {
  const flights = createFlights<string, string, string>();
  const leaving = new AbortController();
  let runs = 0;
  const run = ({ signal }: { signal: AbortSignal }) => {
    runs += 1;
    return new Promise<string>((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason));
    });
  };
  const both = [flights.join('a', ask(leaving.signal), run), flights.join('a', ask(leaving.signal), run)];
  leaving.abort(new Error('left'));
  for (const asker of both) await expect(asker).rejects.toThrow('left');
  await expect(flights.join('a', never, async () => `run ${++runs}`)).resolves.toBe('run 2');
  expect(flights.size).toBe(0);
});

test('who asks with an aborted signal starts nothing', async () => {
  const flights = createFlights<string, number, string>();
  await expect(
    flights.join('a', ask(AbortSignal.abort(new Error('late'))), async () => {
      throw new Error('ran all the same');
    }),
  ).rejects.toThrow('late');
  expect(flights.size).toBe(0);
});

test('an asker without patience leaves by itself; the run ends when all have', async () => {
  const flights = createFlights<string, string, string>();
  const signals: AbortSignal[] = [];
  const run: Run<string, string> = ({ signal }) => {
    signals.push(signal);
    return new Promise(() => undefined);
  };
  const hasty = flights.join('a', { ...never, patienceMs: 1 }, run);
  const patient = flights.join('a', { ...never, patienceMs: 60 }, run);
  await expect(hasty).rejects.toBe(timeIsUp);
  expect(signals.map(({ aborted }) => aborted)).toEqual([false]);
  await expect(patient).rejects.toBe(timeIsUp);
  expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
  expect(flights.size).toBe(0);
});

test('five hundred rows of a chunk listen to its signal once, and not at all when they have landed', async () => {
  const flights = createFlights<string, number, string>();
  const chunk = new AbortController();
  const landing = Promise.withResolvers<number>();
  const rows = Array.from({ length: 500 }, (_, row) =>
    flights.join(`row ${row}`, { ...ask(chunk.signal), patienceMs: 60_000 }, () => landing.promise),
  );
  expect(getEventListeners(chunk.signal, 'abort')).toHaveLength(1);
  landing.resolve(1);
  await Promise.all(rows);
  expect(getEventListeners(chunk.signal, 'abort')).toHaveLength(0);
});

test('a run that fails fails for each asker and leaves nothing behind', async () => {
  const flights = createFlights<string, number, string>();
  const run = async () => {
    await Promise.resolve();
    throw new Error('bug');
  };
  const askers = [flights.join('a', never, run), flights.join('a', never, run)];
  for (const asker of askers) await expect(asker).rejects.toThrow('bug');
  expect(flights.size).toBe(0);
});

describe('what a run publishes', () => {
  test('needs not be said while nobody watches', async () => {
    const flights = createFlights<string, string, string>();
    const landing = Promise.withResolvers<string>();
    const watched: boolean[] = [];
    const run: Run<string, string> = async (flight) => {
      watched.push(flight.isWatched);
      const value = await landing.promise;
      watched.push(flight.isWatched);
      return value;
    };
    const first = flights.join('a', never, run);
    const second = flights.join('a', ask(never.signal, { observe: () => undefined }), run);
    landing.resolve('landed');
    await Promise.all([first, second]);
    expect(watched).toEqual([false, true]);
  });

  test('is told to who is there, from joining to leaving', async () => {
    const flights = createFlights<string, string, string>();
    const landing = Promise.withResolvers<string>();
    let publish: (event: string) => void = () => undefined;
    const run: Run<string, string> = (flight) => {
      publish = (event) => flight.publish(event);
      return landing.promise;
    };
    const heard: string[] = [];
    const early = new AbortController();
    const hear = (who: string) => (event: string) => heard.push(`${who} ${event}`);
    const first = flights.join('a', ask(early.signal, { observe: hear('early') }), run);
    publish('one');
    const second = flights.join('a', ask(never.signal, { observe: hear('late') }), run);
    publish('two');
    early.abort(new Error('left'));
    publish('three');
    landing.resolve('landed');
    await expect(first).rejects.toThrow('left');
    await second;
    expect(heard).toEqual(['early one', 'early two', 'late two', 'late three']);
  });
});

describe('an urgent asker', () => {
  const start = () => {
    const flights = createFlights<string, string, string>();
    const runs: { signal: AbortSignal; deadline: number; land: (value: string) => void }[] = [];
    const run: Run<string, string> = ({ signal, deadline }) =>
      new Promise((resolve) => runs.push({ signal, deadline, land: resolve }));
    return { flights, runs, run };
  };

  test('starts a run of a list anew, for everybody, with the longest patience', async () => {
    const { flights, runs, run } = start();
    const slow = flights.join('a', ask(never.signal, { isUrgent: false, deadline: 5_000 }), run);
    const urgent = flights.join('a', ask(never.signal, { deadline: 2_000 }), run);
    expect(runs.map(({ signal }) => signal.aborted)).toEqual([true, false]);
    expect(runs[1]?.deadline).toBe(5_000);
    runs[0]?.land('overtaken');
    runs[1]?.land('urgent');
    expect(await Promise.all([slow, urgent])).toEqual(['urgent', 'urgent']);
    expect(flights.size).toBe(0);
  });

  test('joins an urgent run as everybody does, and so does a list', async () => {
    const { flights, runs, run } = start();
    const all = [
      flights.join('a', ask(never.signal), run),
      flights.join('a', ask(never.signal), run),
      flights.join('a', ask(never.signal, { isUrgent: false }), run),
    ];
    expect(runs).toHaveLength(1);
    runs[0]?.land('one');
    expect(await Promise.all(all)).toEqual(['one', 'one', 'one']);
  });

  test('who leaves lets the list have its answer', async () => {
    const { flights, runs, run } = start();
    const leaving = new AbortController();
    const slow = flights.join('a', ask(never.signal, { isUrgent: false }), run);
    const urgent = flights.join('a', ask(leaving.signal), run);
    leaving.abort(new Error('left'));
    await expect(urgent).rejects.toThrow('left');
    expect(runs[1]?.signal.aborted).toBe(false);
    runs[1]?.land('late');
    expect(await slow).toBe('late');
  });
});
