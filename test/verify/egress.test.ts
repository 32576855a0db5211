/** A network that drops every packet to port 25 cannot be had on loopback: the fake prober gives what probing through one gives. */
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { parseAddress } from '../../src/address/index.ts';
import type { Dns } from '../../src/dns/index.ts';
import type { Priority, ProbeEvidence, Prober } from '../../src/smtp/index.ts';
import { createVerifier } from '../../src/verify/index.ts';

/** Every domain is its own mail host. */
const dns = {
  lookupMailHosts: async (domain) => ({
    kind: 'exchanges',
    domain,
    isImplicit: true,
    exchanges: [{ host: domain as never, preference: 0 }],
  }),
} satisfies Partial<Dns> as Partial<Dns> as Dns;

const start = () => {
  const clock = { ms: Date.parse('2030-01-01T00:00:00Z') };
  /** What each probe finds beside the silence of the network. */
  const found: { changes: Partial<ProbeEvidence> } = { changes: {} };
  let probes = 0;
  const prober = {
    probe: async ({ exchanges: [{ host }] }) => {
      probes += 1;
      const ip = `198.${probes % 200}.0.1`;
      await Promise.resolve();
      return {
        attempts: [{ host, ip, outcome: { kind: 'connectTimeout' } }],
        exchange: null,
        ip: null,
        phase: 'CONNECT',
        reply: null,
        meaning: null,
        fault: null,
        catchAll: null,
        startedAt: new Date(clock.ms),
        durationMs: 1,
        transcript: [],
        ...found.changes,
      };
    },
  } satisfies Partial<Prober> as Partial<Prober> as Prober;
  /** Rows that wait until more is known; it passes when the test says so. */
  const waits: { readonly ms: number; readonly pass: () => void }[] = [];
  const verifier = createVerifier({
    dns,
    prober,
    memory: { recall: async () => null, remember: async () => undefined },
    budgetMs: 60_000,
    now: () => clock.ms,
    wait: (ms, signal) =>
      new Promise((resolve, reject) => {
        waits.push({ ms, pass: resolve });
        signal.addEventListener('abort', () => reject(signal.reason));
      }),
  });
  const never = new AbortController().signal;
  const verify = (domain: string, priority: Priority = 'interactive', signal = never) =>
    verifier.verify(parseAddress(`a@${domain}`), { priority, signal });
  /** Rows that are found unreachable, all waiting. */
  const hold = async (count: number, signal = never) => {
    const rows = Array.from({ length: count }, (_, n) => verify(`dead${n}.test`, 'bulk', signal));
    for (let turns = 0; waits.length < count && turns < 100; turns += 1) await turn();
    expect(waits).toHaveLength(count);
    return rows;
  };
  const block = async () => {
    for (let n = 0; n < 8; n += 1) await verify(`dead${n}.test`);
    expect(verifier.readEgress().smtp).toBe('BLOCKED');
  };
  return { clock, found, verifier, verify, hold, waits, block, countProbes: () => probes };
};

/** An exchange that was reached and refused us in its greeting. */
const reached = (at: Date): Partial<ProbeEvidence> => ({
  attempts: [{ host: 'mx.living.test' as never, ip: '203.0.113.1', outcome: { kind: 'connected' } }],
  phase: 'GREETING',
  reply: { code: 554, enhancedCode: '5.7.1', lines: ['no'], text: 'no' },
  meaning: { kind: 'IP_BLOCKED', rule: 'fake', retryAfterSeconds: null },
  transcript: [
    { at, direction: 'SERVER', text: '554 5.7.1 no' },
    { at: new Date('2031-01-01T00:00:00Z'), direction: 'NOTE', text: 'a note' },
  ],
});

describe('port 25 is closed', () => {
  test('which is found out once and not for each address', async () => {
    const { verify, verifier, countProbes } = start();
    const reasons = [];
    for (let n = 0; n < 12; n += 1) reasons.push((await verify(`dead${n}.test`)).reason);
    expect(reasons).toEqual([...Array(7).fill('HOST_UNREACHABLE'), ...Array(5).fill('EGRESS_BLOCKED')]);
    expect(countProbes()).toBe(8);
    expect(verifier.readEgress().smtp).toBe('BLOCKED');
  });

  test('those who asked before it was found out are not told the old story again', async () => {
    const { verify, block, countProbes } = start();
    await block();
    expect(await verify('dead0.test')).toMatchObject({ reason: 'EGRESS_BLOCKED', fromCache: false });
    expect(countProbes()).toBe(8);
  });

  test.each(['interactive', 'bulk'] as const)('all who were under way are told so: %s', async (priority) => {
    const { verify } = start();
    const found = await Promise.all(Array.from({ length: 100 }, (_, n) => verify(`dead${n}.test`, priority)));
    // A person is told at once what is known; a row waits until it is.
    const early = priority === 'bulk' ? 0 : 7;
    expect(found.filter(({ reason }) => reason === 'HOST_UNREACHABLE')).toHaveLength(early);
    expect(found.filter(({ reason }) => reason === 'EGRESS_BLOCKED')).toHaveLength(100 - early);
  });

  test('the receipt shows what was tried before it was found out, and nothing where nothing was', async () => {
    const { verify, found, clock } = start();
    found.changes = { transcript: [{ at: new Date(clock.ms), direction: 'NOTE', text: 'connecting' }] };
    const rows = await Promise.all(Array.from({ length: 8 }, (_, n) => verify(`dead${n}.test`, 'bulk')));
    for (const { evidence } of rows)
      expect(evidence).toMatchObject({
        kind: 'egress',
        probe: {
          attempts: [{ outcome: { kind: 'connectTimeout' } }],
          transcript: [{ text: 'connecting' }],
        },
      });
    expect((await verify('later.test', 'bulk')).evidence).toMatchObject({ kind: 'egress', probe: null });
  });
});

describe('a row that is found unreachable while nothing was reached', () => {
  test('is told so once an exchange is reached: it is dead itself', async () => {
    const { clock, found, verify, hold } = start();
    const rows = await hold(5);
    found.changes = reached(new Date(clock.ms));
    await verify('living.test', 'bulk');
    expect((await Promise.all(rows)).map(({ reason }) => reason)).toEqual(Array(5).fill('HOST_UNREACHABLE'));
  });

  test('is told so when no more is learned, which is not remembered', async () => {
    const { clock, verify, hold, waits, countProbes } = start();
    const rows = await hold(5);
    clock.ms += 10_000;
    for (const { pass } of waits) pass();
    expect((await Promise.all(rows)).map(({ reason }) => reason)).toEqual(Array(5).fill('HOST_UNREACHABLE'));
    const probes = countProbes();
    expect(await verify('dead0.test', 'bulk')).toMatchObject({
      reason: 'HOST_UNREACHABLE',
      fromCache: false,
    });
    expect(countProbes()).toBe(probes + 1);
  });

  test('does not make a person wait, who asks about the same address', async () => {
    const { clock, verify, hold, waits } = start();
    const [row] = await hold(1);
    expect((await verify('dead0.test')).reason).toBe('HOST_UNREACHABLE');
    // The run that the person started answers the row too.
    expect((await row)?.reason).toBe('HOST_UNREACHABLE');
    expect(waits).toHaveLength(1);
    expect(clock.ms).toBe(Date.parse('2030-01-01T00:00:00Z'));
  });

  test('leaves with its chunk', async () => {
    const { hold } = start();
    const chunk = new AbortController();
    const rows = await hold(5, chunk.signal);
    chunk.abort();
    expect((await Promise.all(rows)).map(({ reason }) => reason)).toEqual(Array(5).fill('OUT_OF_BUDGET'));
  });

  test('is remembered where exchanges are reached', async () => {
    const { clock, found, verify } = start();
    found.changes = reached(new Date(clock.ms));
    await verify('living.test', 'bulk');
    found.changes = {};
    expect((await verify('dead.test', 'bulk')).reason).toBe('HOST_UNREACHABLE');
    expect(await verify('dead.test', 'bulk')).toMatchObject({ reason: 'HOST_UNREACHABLE', fromCache: true });
  });
});

describe('a trial a minute later', () => {
  test('that reaches an exchange opens it for everybody, and nobody is told the old story', async () => {
    const { clock, found, verify, verifier, block } = start();
    await block();
    expect((await verify('other.test')).reason).toBe('EGRESS_BLOCKED');
    clock.ms += 59_999;
    expect((await verify('other.test')).fromCache).toBe(true);
    clock.ms += 1;
    found.changes = reached(new Date(clock.ms));
    expect((await verify('trial.test')).reason).toBe('PROBER_BLOCKED');
    expect(verifier.readEgress().smtp).toBe('OPEN');
    expect((await verify('other.test')).reason).toBe('PROBER_BLOCKED');
  });

  test.each([
    ['a refusal', reached],
    [
      'dead exchanges',
      (at: Date): Partial<ProbeEvidence> => ({
        transcript: [
          { at, direction: 'NOTE', text: 'connecting' },
          { at: new Date('2031-01-01T00:00:00Z'), direction: 'NOTE', text: 'not connected' },
        ],
      }),
    ],
  ])('teaches nothing when a lane answers from what it remembers: %s', async (_, remembered) => {
    const { clock, found, verify, verifier, block } = start();
    await block();
    const before = verifier.readEgress();
    found.changes = remembered(new Date(clock.ms));
    clock.ms += 60_000;
    await verify('trial.test');
    expect(verifier.readEgress()).toEqual(before);
  });
});
