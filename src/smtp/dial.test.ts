import { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { type Connection, dialFirst, interleaveFamilies, STAGGER_MS } from './dial.ts';

/** Connections that a test decides about. */
const makeNet = () => {
  const tries: { ip: string; at: number; signal: AbortSignal; settle: (connection: Connection) => void }[] =
    [];
  const ended: [string, string][] = [];
  const abort = new AbortController();
  const dial = (...ips: readonly string[]) =>
    dialFirst({
      ips,
      staggerMs: STAGGER_MS,
      signal: abort.signal,
      started: () => {},
      ended: (ip, { kind }) => ended.push([ip, kind]),
      connect: (ip, signal) =>
        new Promise((settle) => tries.push({ ip, at: performance.now(), signal, settle })),
    });
  const until = async (count: number): Promise<void> => {
    const end = performance.now() + 2_000;
    while (tries.length < count) {
      if (performance.now() > end) throw new Error(`only ${tries.length} were tried`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  return { tries, ended, abort, dial, until };
};
const failed: Connection = { kind: 'connectFailed', error: 'ECONNREFUSED' };

test.each([
  [[], []],
  [['192.0.2.1'], ['192.0.2.1']],
  [
    ['192.0.2.1', '192.0.2.2', '2001:db8::1', '2001:db8::2', '2001:db8::3'],
    ['192.0.2.1', '2001:db8::1', '192.0.2.2', '2001:db8::2', '2001:db8::3'],
  ],
  [
    ['2001:db8::1', '2001:db8::2', '192.0.2.1'],
    ['2001:db8::1', '192.0.2.1', '2001:db8::2'],
  ],
])('%j is tried as %j', (ips, order) => {
  expect(interleaveFamilies(ips)).toEqual(order);
});

test('a silent address is not waited for, and not given up', async () => {
  const { tries, ended, dial, until } = makeNet();
  const dialled = dial('192.0.2.1', '192.0.2.2');
  expect(tries).toHaveLength(1);
  await until(2);
  expect((tries[1]?.at ?? 0) - (tries[0]?.at ?? 0)).toBeGreaterThan(240);
  expect(tries[0]?.signal.aborted).toBe(false);
  const socket = new Socket();
  tries[0]?.settle({ kind: 'connected', socket });
  expect(await dialled).toEqual({ kind: 'connected', socket, ip: '192.0.2.1' });
  expect(tries[1]?.signal.aborted).toBe(true);
  expect(ended).toEqual([['192.0.2.1', 'connected']]);
});

test('one that connects too late is hung up, and told to nobody', async () => {
  const { tries, ended, dial, until } = makeNet();
  const dialled = dial('192.0.2.1', '192.0.2.2');
  await until(2);
  tries[1]?.settle({ kind: 'connected', socket: new Socket() });
  await dialled;
  const late = new Socket();
  tries[0]?.settle({ kind: 'connected', socket: late });
  await new Promise(setImmediate);
  expect(late.destroyed).toBe(true);
  expect(ended).toEqual([['192.0.2.2', 'connected']]);
});

test('the next one follows a failure at once, and all failures are told', async () => {
  const { tries, ended, dial, until } = makeNet();
  const dialled = dial('192.0.2.1', '192.0.2.2', '192.0.2.3');
  tries[0]?.settle(failed);
  await until(2);
  expect((tries[1]?.at ?? 0) - (tries[0]?.at ?? 0)).toBeLessThan(200);
  tries[1]?.settle({ kind: 'connectTimeout' });
  await until(3);
  tries[2]?.settle(failed);
  expect(await dialled).toEqual({ kind: 'none' });
  expect(ended.map(([, kind]) => kind)).toEqual(['connectFailed', 'connectTimeout', 'connectFailed']);
});

test('nothing is tried after an abort', async () => {
  const { tries, abort, dial } = makeNet();
  const dialled = dial('192.0.2.1', '192.0.2.2');
  abort.abort();
  expect(await dialled).toEqual({ kind: 'aborted' });
  expect(tries[0]?.signal.aborted).toBe(true);
  tries[0]?.settle({ kind: 'aborted' });
  expect(await dial('192.0.2.3')).toEqual({ kind: 'aborted' });
  expect(tries).toHaveLength(1);
});

test('a bug of whoever connects is no silence', async () => {
  const dialled = dialFirst({
    ips: ['192.0.2.1'],
    staggerMs: STAGGER_MS,
    signal: new AbortController().signal,
    started: () => {},
    ended: () => {},
    connect: () => Promise.reject(new Error('a bug')),
  });
  await expect(dialled).rejects.toThrow('a bug');
});
