import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseAddress } from '../../src/address/index.ts';
import { createVerifier, type Verification } from '../../src/verify/index.ts';
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
const verify = (
  text: string,
  options: { maxAgeSeconds?: number; budgetMs?: number; signal?: AbortSignal } = {},
) => world.engine.verifier.verify(parseAddress(text), { priority: 'interactive', signal: never, ...options });
const verdict = ({ status, reason }: Verification) => ({ status, reason });

describe('every personality of the sandbox gets the verdict that DESIGN says', () => {
  test('all of them, asked at once', async () => {
    const { examples } = world.sandbox;
    const found = await Promise.all(examples.map(({ address }) => verify(address)));
    const table = examples.map(({ personality, address }, n) => ({
      personality,
      address,
      ...verdict(found[n] as Verification),
    }));
    expect(table).toEqual(
      examples.map(({ personality, address, expected }) => ({ personality, address, ...expected })),
    );
  });
});

describe('one probe for concurrent askers', () => {
  test('fifty askers of one address cost one RCPT', async () => {
    const answers = await Promise.all(Array.from({ length: 50 }, () => verify('user-flight@accepts.test')));
    expect(new Set(answers.map(({ reason }) => reason))).toEqual(new Set(['MAILBOX_EXISTS']));
    const asked = world.sandbox
      .log('accepts.test')
      .filter(({ line }) => line.includes('<user-flight@accepts.test>'));
    expect(asked).toHaveLength(1);
  });

  test('an asker who leaves gets OUT_OF_BUDGET, the others their verdict', async () => {
    const leaving = new AbortController();
    const left = verify('user-leaver@accepts.test', { signal: leaving.signal });
    const stays = verify('user-leaver@accepts.test');
    leaving.abort();
    expect(verdict(await left)).toEqual({ status: 'UNKNOWN', reason: 'OUT_OF_BUDGET' });
    expect(verdict(await stays)).toEqual({ status: 'DELIVERABLE', reason: 'MAILBOX_EXISTS' });
  });
});

describe('what is remembered', () => {
  test('a fresh verdict is told again without DNS or SMTP', async () => {
    const first = await verify('user-cached@accepts.test');
    const { dnsQueries, smtpCommands } = world.sandbox.counts();
    const second = await verify('user-cached@accepts.test');
    expect(second).toEqual({ ...first, fromCache: true });
    expect(world.sandbox.counts()).toMatchObject({ dnsQueries, smtpCommands });
  });

  test('the same mailbox in another spelling of the domain is the same', async () => {
    await verify('user-spelling@accepts.test');
    expect((await verify('user-spelling@ACCEPTS.test')).fromCache).toBe(true);
  });

  test('maxAge 0 insists on asking', async () => {
    await verify('user-fresh@accepts.test');
    expect((await verify('user-fresh@accepts.test', { maxAgeSeconds: 0 })).fromCache).toBe(false);
  });

  test('it survives a restart in the store', async () => {
    const first = await verify('user-restart@accepts.test');
    const reborn = createVerifier({
      dns: world.engine.dns,
      prober: world.engine.prober,
      memory: world.store.verifications,
      budgetMs: 2_500,
    });
    const again = await reborn.verify(parseAddress('user-restart@accepts.test'), {
      priority: 'bulk',
      signal: never,
    });
    expect(again).toMatchObject({ ...verdict(first), fromCache: true, checkedAt: first.checkedAt });
    expect(again.evidence).toMatchObject({
      kind: 'probe',
      probe: { reply: { code: 250 }, phase: 'RCPT_TO' },
    });
  });

  test('of a list row: the reply that decided, and not the conversation', async () => {
    const asked = parseAddress('user-in-a-list@accepts.test');
    const first = await world.engine.verifier.verify(asked, { priority: 'bulk', signal: never });
    const lines = (found: Verification) =>
      found.evidence.kind === 'probe' ? found.evidence.probe.transcript.map(({ text }) => text) : [];
    expect(lines(first)).toContain('RCPT TO:<user-in-a-list@accepts.test>');
    const again = await verify('user-in-a-list@accepts.test');
    expect(again).toMatchObject({ fromCache: true, evidence: { probe: { reply: { code: 250 } } } });
    expect(lines(again)).toEqual(['asked for a list: the conversation is not kept']);
    expect(lines(await verify('user-in-a-list@accepts.test', { maxAgeSeconds: 0 }))).toContain(
      'RCPT TO:<user-in-a-list@accepts.test>',
    );
  });

  test('it is forgotten when its life ends', async () => {
    const clock = { ms: Date.now() };
    const verifier = createVerifier({
      dns: world.engine.dns,
      prober: world.engine.prober,
      memory: { recall: async () => null, remember: async () => undefined },
      budgetMs: 2_500,
      now: () => clock.ms,
    });
    const ask = () =>
      verifier.verify(parseAddress('user-aging@accepts.test'), { priority: 'bulk', signal: never });
    const { lifeSeconds } = await ask();
    clock.ms += lifeSeconds * 1_000 - 1;
    expect((await ask()).fromCache).toBe(true);
    clock.ms += 1;
    expect((await ask()).fromCache).toBe(false);
  });

  test("one asker's hurry is not remembered for the others", async () => {
    expect(verdict(await verify('user-poor@slow.test', { budgetMs: 1 }))).toMatchObject({
      status: 'UNKNOWN',
      reason: expect.stringMatching(/^(TIMEOUT|OUT_OF_BUDGET)$/),
    });
    expect((await verify('user-poor@slow.test')).fromCache).toBe(false);
  });
});

describe('our own trouble', () => {
  test('a memory that fails costs a probe and is reported, never an answer', async () => {
    const errors: unknown[] = [];
    const verifier = createVerifier({
      dns: world.engine.dns,
      prober: world.engine.prober,
      memory: {
        recall: () => Promise.reject(new Error('disk on fire')),
        remember: () => Promise.reject(new Error('disk on fire')),
      },
      budgetMs: 2_500,
      onError: (error) => errors.push(error),
    });
    const answer = await verifier.verify(parseAddress('user-fire@accepts.test'), {
      priority: 'bulk',
      signal: never,
    });
    expect(verdict(answer)).toEqual({ status: 'DELIVERABLE', reason: 'MAILBOX_EXISTS' });
    expect(errors).toHaveLength(2);
  });

  test('a bug in a stage is UNKNOWN / INTERNAL and reported', async () => {
    const errors: unknown[] = [];
    const verifier = createVerifier({
      dns: { ...world.engine.dns, lookupMailHosts: () => Promise.reject(new TypeError('a bug')) },
      prober: world.engine.prober,
      memory: world.store.verifications,
      budgetMs: 2_500,
      onError: (error) => errors.push(error),
    });
    const answer = await verifier.verify(parseAddress('user-bug@accepts.test'), {
      priority: 'bulk',
      signal: never,
    });
    expect(verdict(answer)).toEqual({ status: 'UNKNOWN', reason: 'INTERNAL' });
    expect(errors).toEqual([new TypeError('a bug')]);
  });
});

describe('what costs what', () => {
  test('a bad address costs nothing', async () => {
    const before = world.sandbox.counts();
    expect(verdict(await verify('no at sign'))).toEqual({
      status: 'UNDELIVERABLE',
      reason: 'INVALID_SYNTAX',
    });
    expect(world.sandbox.counts()).toEqual(before);
  });

  test('a domain without mail costs no SMTP', async () => {
    const before = world.sandbox.counts();
    await verify('anybody@nowhere-at-all.test');
    const after = world.sandbox.counts();
    expect(after.dnsQueries).toBeGreaterThan(before.dnsQueries);
    expect(after).toMatchObject({ smtpCommands: before.smtpCommands, smtpSessions: before.smtpSessions });
  });
});
