import { setImmediate as turn } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseAddress } from '../../src/address/index.ts';
import type { ProbeRequest, Prober } from '../../src/smtp/index.ts';
import { createVerifier, type WatchEvent } from '../../src/verify/index.ts';
import { openWorld, type World } from '../world.ts';

let world: World;
beforeAll(async () => {
  world = await openWorld({ timeoutMs: 5_000 });
});
afterAll(async () => {
  await world.close();
  expect(world.errors).toEqual([]);
});

const never = new AbortController().signal;
const noMemory = { recall: async () => null, remember: async () => undefined };

type Changes = Partial<Parameters<typeof createVerifier>[0]>;
const open = (changes: Changes = {}) => {
  const errors: unknown[] = [];
  const { dns, prober } = world.engine;
  const verifier = createVerifier({
    dns,
    prober,
    memory: noMemory,
    budgetMs: 5_000,
    onError: (error) => errors.push(error),
    ...changes,
  });
  return { verifier, errors };
};

const all = async (events: AsyncIterable<WatchEvent>): Promise<WatchEvent[]> => {
  const seen: WatchEvent[] = [];
  for await (const event of events) seen.push(event);
  return seen;
};
const stages = (events: readonly WatchEvent[]) => [...new Set(events.map(({ stage }) => stage))];

describe('against the sandbox', () => {
  test('greylisting is followed to the end, and every stage appears', async () => {
    const { verifier, errors } = open({ retrySeconds: [0.05, 0.1, 0.2, 0.4, 0.8] });
    const address = 'user-watched@greylisting.test';
    const events = await all(verifier.watch(parseAddress(address), { waitForRetry: true, signal: never }));
    expect(stages(events)).toEqual(
      expect.arrayContaining(['SYNTAX', 'MEMORY', 'DNS', 'CONNECT', 'GREETING', 'RCPT_TO', 'WAITING']),
    );
    expect(events.slice(0, 3).map(({ stage }) => stage)).toEqual(['SYNTAX', 'MEMORY', 'DNS']);
    const waits = events.filter(({ stage }) => stage === 'WAITING');
    for (const { at, verification } of waits) {
      expect(verification).toMatchObject({ status: 'UNKNOWN', reason: 'GREYLISTED' });
      expect(verification?.retryAt?.getTime()).toBeGreaterThanOrEqual(at.getTime());
    }
    expect(events.at(-1)).toMatchObject({
      stage: 'VERDICT',
      verification: { status: 'DELIVERABLE', reason: 'MAILBOX_EXISTS', fromCache: false },
    });
    const withVerdict = events.filter(({ verification }) => verification !== null);
    expect(withVerdict).toHaveLength(waits.length + 1);
    expect(events.some(({ reply }) => reply?.code === 450)).toBe(true);
    // Each of them goes to a person, and perhaps into a log of theirs.
    expect(events.map(({ message }) => message).join()).not.toContain('user-watched');
    expect(errors).toEqual([]);
  });

  test('without waitForRetry the first verdict is the last event', async () => {
    const { verifier } = open({ retrySeconds: [0.05] });
    const events = await all(
      verifier.watch(parseAddress('user-hasty@greylisting.test'), { waitForRetry: false, signal: never }),
    );
    expect(stages(events)).not.toContain('WAITING');
    expect(events.at(-1)).toMatchObject({ stage: 'VERDICT', verification: { reason: 'GREYLISTED' } });
  });

  test.each([
    ['no address', 'not an address', ['VERDICT'], 'INVALID_SYNTAX'],
    ['no domain', 'a@nowhere-at-all.test', ['SYNTAX', 'MEMORY', 'DNS', 'VERDICT'], 'DOMAIN_NOT_FOUND'],
  ])('%s', async (_, text, expected, reason) => {
    const events = await all(
      open().verifier.watch(parseAddress(text), { waitForRetry: true, signal: never }),
    );
    expect(events.map(({ stage }) => stage)).toEqual(expected);
    expect(events.at(-1)?.verification?.reason).toBe(reason);
  });

  test('what is remembered is told at once; a greylisted verdict only until it is time', async () => {
    const clock = { ms: Date.now() };
    const { verifier } = open({ now: () => clock.ms });
    const watch = (name: string) =>
      all(verifier.watch(parseAddress(name), { waitForRetry: false, signal: never }));
    await watch('user-known@accepts.test');
    const again = await watch('user-known@accepts.test');
    expect(again.map(({ stage }) => stage)).toEqual(['SYNTAX', 'MEMORY', 'VERDICT']);
    expect(again.at(-1)?.verification?.fromCache).toBe(true);

    const first = (await watch('user-grey@greylisting.test')).at(-1)?.verification;
    const retryAt = first?.retryAt?.getTime() ?? Number.NaN;
    clock.ms = retryAt - 1;
    expect((await watch('user-grey@greylisting.test')).at(-1)?.verification?.fromCache).toBe(true);
    clock.ms = retryAt;
    expect((await watch('user-grey@greylisting.test')).at(-1)?.verification?.fromCache).toBe(false);
  });
});

/** A prober whose probes are answered by the test; what an exchange would say comes from the sandbox's door. */
const heldProber = () => {
  const held: ProbeRequest[] = [];
  const prober: Prober = {
    ...world.engine.prober,
    probe: (request) => {
      held.push(request);
      return new Promise((_, reject) =>
        request.signal.addEventListener('abort', () => reject(request.signal.reason)),
      );
    },
  };
  const until = async (count: number) => {
    const deadline = Date.now() + 5_000;
    while (held.length < count) {
      if (Date.now() > deadline) throw new Error(`no probe ${count} in five seconds`);
      await turn();
    }
  };
  return { held, prober, until };
};

describe('leaving', () => {
  test('resolves a pending next, and ends the probe', async () => {
    const { held, prober, until } = heldProber();
    const { verifier, errors } = open({ prober });
    const events = verifier.watch(parseAddress('a@accepts.test'), { waitForRetry: true, signal: never });
    for (const stage of ['SYNTAX', 'MEMORY', 'DNS']) expect((await events.next()).value?.stage).toBe(stage);
    const pending = events.next();
    await until(1);
    await events.return?.();
    expect(await pending).toEqual({ done: true, value: undefined });
    expect(held[0]?.signal.aborted).toBe(true);
    expect(errors).toEqual([]);
  });

  test('lets the probe go on while others share it, who see what comes from there on', async () => {
    const { held, prober, until } = heldProber();
    const { verifier } = open({ prober });
    const watch = () =>
      verifier.watch(parseAddress('a@accepts.test'), { waitForRetry: false, signal: never });
    const [first, second] = [watch(), watch()];
    await until(1);
    expect(held).toHaveLength(1);
    await first.return?.();
    expect(held[0]?.signal.aborted).toBe(false);
    held[0]?.observe?.({ at: new Date(), phase: 'EHLO', message: 'EHLO', exchange: null, reply: null });
    const seen: (string | undefined)[] = [];
    for (let n = 0; n < 4; n += 1) seen.push((await second.next()).value?.stage);
    expect(seen).toEqual(['SYNTAX', 'MEMORY', 'DNS', 'EHLO']);
    await second.return?.();
    expect(held[0]?.signal.aborted).toBe(true);
  });

  test.each(['return', 'signal'])('ends the wait for a retry: %s', async (how) => {
    const leaving = new AbortController();
    const waits: AbortSignal[] = [];
    const wait = (ms: number, signal: AbortSignal) => {
      expect(ms).toBeGreaterThan(200_000);
      waits.push(signal);
      return new Promise<void>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    };
    const { verifier, errors } = open({ wait });
    const events = verifier.watch(parseAddress(`user-${how}@greylisting.test`), {
      waitForRetry: true,
      signal: leaving.signal,
    });
    while ((await events.next()).value?.stage !== 'WAITING');
    const pending = events.next();
    if (how === 'return') await events.return?.();
    else leaving.abort();
    expect(await pending).toEqual({ done: true, value: undefined });
    expect(waits.map(({ aborted }) => aborted)).toEqual([true]);
    await turn();
    expect(errors).toEqual([]);
  });

  test('before it began: nothing is asked', async () => {
    const { held, prober } = heldProber();
    const { verifier } = open({ prober });
    const options = { waitForRetry: true, signal: AbortSignal.abort() };
    expect(await all(verifier.watch(parseAddress('a@accepts.test'), options))).toEqual([]);
    expect(held).toEqual([]);
  });
});

test('the schedule ends: the last verdict so far is the final one', async () => {
  let waits = 0;
  const wait = async () => {
    waits += 1;
  };
  const { verifier } = open({ wait, retrySeconds: [1, 2, 3] });
  const events = await all(
    verifier.watch(parseAddress('user1@rate-limited.test'), { waitForRetry: true, signal: never }),
  );
  expect(waits).toBe(3);
  expect(events.at(-1)).toMatchObject({ stage: 'VERDICT', verification: { reason: 'RATE_LIMITED' } });
});

test('who waits in person does not stand in the queue of a list', async () => {
  const { held, prober, until } = heldProber();
  const { verifier } = open({ prober });
  const leaving = new AbortController();
  const address = parseAddress('a@accepts.test');
  const row = verifier.verify(address, { priority: 'bulk', signal: leaving.signal });
  await until(1);
  const person = verifier.verify(address, { priority: 'interactive', signal: leaving.signal });
  await until(2);
  expect(held.map(({ priority, signal }) => [priority, signal.aborted])).toEqual([
    ['bulk', true],
    ['interactive', false],
  ]);
  leaving.abort();
  await Promise.all([row, person]);
});
