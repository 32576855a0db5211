/** The harvest guard through the whole verifier: what is counted is what mail servers were asked. */
import { setImmediate as turn } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseAddress } from '../../src/address/index.ts';
import { openEngine } from '../../src/command/engine.ts';
import type { ProbeRequest, Prober } from '../../src/smtp/index.ts';
import { createVerifier, type Verification, type VerifyOptions } from '../../src/verify/index.ts';
import { openWorld, type World } from '../world.ts';

let world: World;
beforeAll(async () => {
  world = await openWorld({ timeoutMs: 10_000 });
});
afterAll(async () => {
  await world.close();
  expect(world.errors).toEqual([]);
});

const never = new AbortController().signal;
const hour = 3_600_000;

type Changes = Partial<Parameters<typeof createVerifier>[0]>;
const open = (limit: number, changes: Changes = {}) => {
  const { dns, prober } = world.engine;
  const limited: object[] = [];
  let reads = 0;
  const kept = new Map<string, Verification>();
  const verifier = createVerifier({
    dns,
    prober,
    memory: {
      recall: async (address) => {
        reads += 1;
        return kept.get(address) ?? null;
      },
      remember: async (address, verification) => {
        kept.set(address, verification);
      },
    },
    budgetMs: 10_000,
    harvest: { limit, onLimited: (event) => limited.push(event) },
    ...changes,
  });
  const verify = (text: string, asked: Partial<VerifyOptions> = {}) =>
    verifier.verify(parseAddress(text), { priority: 'interactive', owner: 'key', signal: never, ...asked });
  const inTurn = async (texts: readonly string[], asked: Partial<VerifyOptions> = {}) => {
    const reasons: string[] = [];
    for (const text of texts) reasons.push((await verify(text, asked)).reason);
    return reasons;
  };
  return { verifier, verify, inTurn, limited, kept, countReads: () => reads };
};

/** Local parts of a name, at a domain whose server knows `user…` and refuses the rest. */
const names = (count: number, name: string, domain = 'accepts.test') =>
  Array.from({ length: count }, (_, n) => `${name}-${n}@${domain}`);
/** How often servers were asked about mailboxes of a name. */
const countProbes = (name: string) =>
  world.sandbox.log().filter(({ line }) => line.startsWith(`RCPT TO:<${name}-`)).length;
const tally = (reasons: readonly string[]) =>
  Object.fromEntries([...Map.groupBy(reasons, (reason) => reason)].map(([key, { length }]) => [key, length]));
const times = (count: number, reason: string): string[] => Array(count).fill(reason);

describe('a hundred addresses of one domain, asked at once', () => {
  test('guesses: as many reach the server as the limit says', async () => {
    const { verify, limited } = open(50);
    const found = await Promise.all(names(100, 'guess').map((text) => verify(text)));
    expect(tally(found.map(({ reason }) => reason))).toEqual({ MAILBOX_NOT_FOUND: 50, HARVEST_LIMITED: 50 });
    expect(found[0]?.reason).toBe('MAILBOX_NOT_FOUND');
    expect(found[99]?.reason).toBe('HARVEST_LIMITED');
    expect(countProbes('guess')).toBe(50);
    expect(limited).toMatchObject([{ owner: 'key', domain: 'accepts.test', unknownMailboxes: 50 }]);
  });

  test('people of a company: all are told', async () => {
    const { verify, limited } = open(50);
    const found = await Promise.all(names(100, 'user-people').map((text) => verify(text)));
    expect(tally(found.map(({ reason }) => reason))).toEqual({ MAILBOX_EXISTS: 100 });
    expect(limited).toEqual([]);
  });

  test('people with some who left among them: all are told', async () => {
    const { verify } = open(50);
    const texts = names(80, 'user-staff').flatMap((text, n) =>
      n % 4 ? [text] : [text, `left-${n}@accepts.test`],
    );
    const found = await Promise.all(texts.map((text) => verify(text)));
    expect(tally(found.map(({ reason }) => reason))).toEqual({ MAILBOX_EXISTS: 80, MAILBOX_NOT_FOUND: 20 });
  });
});

describe('past the limit', () => {
  test('nothing is told or asked: no probe, no DNS, no look at what is remembered', async () => {
    const clock = { ms: Date.now() };
    const { verify, inTurn, countReads, limited } = open(3, { now: () => clock.ms });
    expect((await verify('user-known@accepts.test')).reason).toBe('MAILBOX_EXISTS');
    const guesses = names(3, 'past');
    const began = clock.ms;
    expect(await inTurn(guesses)).toEqual(times(3, 'MAILBOX_NOT_FOUND'));
    const [counts, reads] = [world.sandbox.counts(), countReads()];
    clock.ms += 600_000;
    for (const text of ['user-known@accepts.test', ...guesses, 'new@accepts.test', 'new@sub.accepts.test'])
      for (const maxAgeSeconds of [undefined, 0, 600])
        expect(await verify(text, maxAgeSeconds === undefined ? {} : { maxAgeSeconds })).toMatchObject({
          status: 'UNKNOWN',
          reason: 'HARVEST_LIMITED',
          retryAt: new Date(began + hour),
          lifeSeconds: 0,
          fromCache: false,
          evidence: { kind: 'harvest' },
        });
    expect(world.sandbox.counts()).toEqual(counts);
    expect(countReads()).toBe(reads);
    expect((await verify('two@@accepts.test')).reason).toBe('INVALID_SYNTAX');
    expect(limited).toHaveLength(1);
    clock.ms = began + hour;
    expect((await verify('user-known@accepts.test')).reason).toBe('MAILBOX_EXISTS');
  });

  test('refusals that are only remembered count too', async () => {
    const guesses = names(4, 'remembered');
    const { inTurn, verify } = open(3);
    for (const text of guesses) await verify(text, { owner: null });
    const probes = countProbes('remembered');
    expect(await inTurn(guesses)).toEqual([...times(3, 'MAILBOX_NOT_FOUND'), 'HARVEST_LIMITED']);
    expect(countProbes('remembered')).toBe(probes);
  });

  test('others are told as before: other keys, and whoever has none', async () => {
    const { inTurn, verifier, limited } = open(3);
    await inTurn(names(5, 'others'));
    expect(await inTurn(names(3, 'others-two'), { owner: 'another' })).toEqual(times(3, 'MAILBOX_NOT_FOUND'));
    expect(await inTurn(names(8, 'nobodys'), { owner: null })).toEqual(times(8, 'MAILBOX_NOT_FOUND'));
    for (const text of names(8, 'nobodys')) {
      const asked = { priority: 'interactive', signal: never } as const;
      expect((await verifier.verify(parseAddress(text), asked)).reason).toBe('MAILBOX_NOT_FOUND');
    }
    expect(limited).toMatchObject([{ owner: 'key' }]);
  });

  test('a watcher sees the verdict, and does not wait for the end of the window', async () => {
    const { verifier, inTurn } = open(3);
    await inTurn(names(3, 'watched'));
    const stages: string[] = [];
    let last: Verification | null = null;
    const asked = { waitForRetry: true, owner: 'key', signal: never };
    for await (const { stage, verification } of verifier.watch(parseAddress('x@accepts.test'), asked)) {
      stages.push(stage);
      last = verification;
    }
    expect(stages).toEqual(['SYNTAX', 'VERDICT']);
    expect(last).toMatchObject({ reason: 'HARVEST_LIMITED' });
  });

  test('watchers are counted as others are', async () => {
    const { verifier, inTurn } = open(3);
    for (const text of names(3, 'watching')) {
      const events = verifier.watch(parseAddress(text), { waitForRetry: false, owner: 'key', signal: never });
      for await (const { stage } of events) expect(stage).not.toBe('WAITING');
    }
    expect(await inTurn(['x@accepts.test'])).toEqual(['HARVEST_LIMITED']);
  });
});

test('rows of a list: ten times the limit, of which nobody is asked past it', async () => {
  const { inTurn, limited } = open(2);
  const rows = names(25, 'row', 'bulk.test');
  expect(await inTurn(rows, { priority: 'bulk' })).toEqual([
    ...times(20, 'MAILBOX_NOT_FOUND'),
    ...times(5, 'HARVEST_LIMITED'),
  ]);
  expect(countProbes('row')).toBe(20);
  expect(limited).toMatchObject([{ priority: 'bulk' }]);
});

describe('who stands in line', () => {
  /** An exchange that says nothing: whoever is asked about stays under way until its asker leaves. */
  const start = () => {
    const clock = { ms: Date.parse('2030-01-01T00:00:00Z') };
    const asked: ProbeRequest[] = [];
    const prober = {
      probe: (request) => {
        asked.push(request);
        return new Promise<never>(() => undefined);
      },
    } satisfies Partial<Prober> as Partial<Prober> as Prober;
    const { verify } = open(1, { prober, now: () => clock.ms });
    const first = new AbortController();
    const untilAsked = async (count: number) => {
      for (let turns = 0; asked.length < count && turns < 1_000; turns += 1) await turn();
      expect(asked).toHaveLength(count);
    };
    return { clock, asked, verify, first, untilAsked };
  };

  test('has the rest of its budget when its turn comes', async () => {
    const { clock, asked, verify, first, untilAsked } = start();
    const leaves = verify('a@accepts.test', { signal: first.signal });
    await untilAsked(1);
    const second = new AbortController();
    const waits = verify('b@accepts.test', { budgetMs: 8_000, signal: second.signal });
    const enteredAt = clock.ms;
    clock.ms += 3_000;
    first.abort();
    await untilAsked(2);
    expect(asked[1]?.deadline).toBe(enteredAt + 8_000);
    second.abort();
    expect([(await leaves).reason, (await waits).reason]).toEqual(times(2, 'OUT_OF_BUDGET'));
  });

  test.each([
    ['its signal', { signal: AbortSignal.timeout(20) }],
    ['its budget', { budgetMs: 20 }],
  ])('leaves with %s, and nobody was asked for it', async (_, limits) => {
    const { asked, verify, first, untilAsked } = start();
    const stays = verify('a@accepts.test', { signal: first.signal });
    await untilAsked(1);
    expect((await verify('b@accepts.test', limits)).reason).toBe('OUT_OF_BUDGET');
    expect(asked).toHaveLength(1);
    first.abort();
    await stays;
  });
});

describe('the settings', () => {
  const guess = async (harvestLimit: number) => {
    const audit: [event: string, details: object][] = [];
    const engine = openEngine(
      { ...world.config, harvestLimit },
      world.store.verifications,
      (error) => world.errors.push(error),
      undefined,
      (event, details) => audit.push([event, details]),
    );
    const reasons: string[] = [];
    for (const text of names(5, `set${harvestLimit}`)) {
      const asked = { priority: 'interactive', owner: 'key', signal: never } as const;
      reasons.push((await engine.verifier.verify(parseAddress(text), asked)).reason);
    }
    await engine.close();
    return { reasons, audit };
  };

  test('RCPT_HARVEST_LIMIT is the limit, and whoever reads the audit learns of the key and the domain', async () => {
    const { reasons, audit } = await guess(3);
    expect(reasons).toEqual([...times(3, 'MAILBOX_NOT_FOUND'), ...times(2, 'HARVEST_LIMITED')]);
    expect(audit).toEqual([
      [
        'harvest limited',
        {
          keyId: 'key',
          domain: 'accepts.test',
          priority: 'interactive',
          unknownMailboxes: 3,
          until: expect.any(Date),
        },
      ],
    ]);
  });

  test('0 is no limit', async () => {
    const { reasons, audit } = await guess(0);
    expect(reasons).toEqual(times(5, 'MAILBOX_NOT_FOUND'));
    expect(audit).toEqual([]);
  });
});
