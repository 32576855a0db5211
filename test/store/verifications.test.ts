import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, describe, expect, it } from 'vitest';
import type { EmailAddress, ExchangeHost, NormalizedAddress } from '../../src/address/index.ts';
import { parseAddress } from '../../src/address/index.ts';
import { providerById } from '../../src/catalog/index.ts';
import { openDataDir, openThreadedDataDir, type ThreadedDataDir } from '../../src/store/index.ts';
import { type Evidence, judge } from '../../src/verdict/index.ts';
import type { Verification } from '../../src/verify/index.ts';
import { day, later, start } from './list.ts';

const root = mkdtempSync(join(tmpdir(), 'rcpt-verifications-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let made = 0;

type Store = Pick<ThreadedDataDir, 'verifications'> & { close(): void | Promise<void> };

/** A store with a clock that the test sets, in this thread or in one of its own. */
const opener = (isThreaded: boolean) => async () => {
  made += 1;
  const dir = join(root, String(made));
  const clock = { now: start };
  const options = { now: () => clock.now };
  const openIt = async (): Promise<Store> =>
    isThreaded ? openThreadedDataDir(dir, options) : openDataDir(dir, options);
  return { path: join(dir, 'rcpt.sqlite'), clock, open: openIt, store: await openIt() };
};

const addressOf = (text: string): EmailAddress => {
  const parsed = parseAddress(text);
  if (parsed.kind === 'fault') throw new Error(`${text} is no address`);
  return parsed.address;
};

type Over = {
  readonly checkedAt?: Date;
  readonly expiresAt?: Date;
  readonly lines?: number;
  readonly text?: string;
  readonly code?: number;
};

/** A verdict with all the dates and nested evidence that one can have. */
const verificationOf = (text: string, over: Over = {}): Verification => {
  const {
    checkedAt = start,
    expiresAt = later(day),
    lines = 2,
    text: reply = 'OK \u2028 "☂"',
    code = 250,
  } = over;
  const address = addressOf(text);
  const evidence: Evidence = {
    kind: 'probe',
    address,
    hosts: {
      kind: 'exchanges',
      domain: address.domain,
      exchanges: [
        { host: 'mx.x.example' as ExchangeHost, preference: 10 },
        { host: 'mx2.x.example' as ExchangeHost, preference: 20 },
      ],
      isImplicit: false,
    },
    facts: {
      isRole: true,
      isFree: false,
      isDisposable: true,
      provider: providerById('GOOGLE'),
      suggestion: 'x@y.example',
    },
    probe: {
      attempts: [
        {
          host: 'mx.x.example' as ExchangeHost,
          ip: '192.0.2.1',
          outcome: { kind: 'connectFailed', error: 'ECONNREFUSED' },
        },
        { host: 'mx2.x.example' as ExchangeHost, ip: '192.0.2.2', outcome: { kind: 'connected' } },
      ],
      exchange: 'mx2.x.example' as ExchangeHost,
      ip: '192.0.2.2',
      phase: 'RCPT_TO',
      reply: { code, enhancedCode: '2.1.5', lines: [reply, 'bye'], text: `${reply} bye` },
      meaning: { kind: 'ACCEPTED', rule: 'accepted', retryAfterSeconds: null },
      fault: null,
      catchAll: {
        answer: 'NO',
        reply: { code: 550, enhancedCode: null, lines: ['no'], text: 'no' },
        checkedAt: later(-9),
      },
      startedAt: later(-20),
      durationMs: 20,
      transcript: Array.from({ length: lines }, (_, n) => ({
        at: later(n),
        direction: n % 2 === 0 ? ('SERVER' as const) : ('CLIENT' as const),
        text: `line ${n}`,
      })),
    },
  };
  return { ...judge(evidence), evidence, checkedAt, expiresAt, retryAt: null, fromCache: false };
};

const remember = (store: Store, text: string, over?: Over) =>
  store.verifications.remember(addressOf(text).normalized, verificationOf(text, over));
const recall = (store: Store, text: string) => store.verifications.recall(addressOf(text).normalized);

describe.each([
  ['in this thread', false],
  ['in a thread of its own', true],
])('the memory of verifications, %s', (_, isThreaded) => {
  const open = opener(isThreaded);
  const codeOf = async (store: Store, text: string): Promise<number | undefined> => {
    const evidence = (await recall(store, text))?.evidence;
    return evidence?.kind === 'probe' ? evidence.probe.reply?.code : undefined;
  };

  it('gives back what it was given, with its dates and its receipt, also after it was opened again', async () => {
    const { store, open: again } = await open();
    const verification = verificationOf('жук+1@x.example');
    await remember(store, 'жук+1@x.example');
    expect(await recall(store, 'жук+1@x.example')).toEqual(verification);
    await store.close();
    const reopened = await again();
    expect(await recall(reopened, 'жук+1@x.example')).toEqual(verification);
    expect(await recall(reopened, 'other@x.example')).toBeNull();
    await reopened.close();
  });

  it('recalls what was remembered in the same turn, and writes the turn as one', async () => {
    const { store, path } = await open();
    const writes = ['a@x.example', 'b@x.example', 'a@x.example'].map((text) => remember(store, text));
    expect(await recall(store, 'b@x.example')).not.toBeNull();
    const other = new DatabaseSync(path, { readOnly: true });
    const count = () => Number(other.prepare('SELECT count(*) AS n FROM verification').get()?.n);
    expect(count()).toBe(0);
    await writes[0];
    expect(count()).toBe(2);
    await Promise.all(writes);
    other.close();
    await store.close();
  });

  it('keeps the newest of an address, in whatever order they come', async () => {
    const { store } = await open();
    const newest = { checkedAt: later(2_000), expiresAt: later(day), code: 253 };
    const older = { checkedAt: later(1_000), expiresAt: later(2 * day), code: 252 };
    await Promise.all([remember(store, 'a@x.example', newest), remember(store, 'a@x.example', older)]);
    expect(await codeOf(store, 'a@x.example')).toBe(253);
    await remember(store, 'a@x.example', older);
    expect(await codeOf(store, 'a@x.example')).toBe(253);
    await remember(store, 'a@x.example', { ...newest, checkedAt: later(3_000), code: 254 });
    expect(await codeOf(store, 'a@x.example')).toBe(254);
    await store.close();
  });

  it('forgets what has expired, and erases it', async () => {
    const { store, clock, path } = await open();
    await remember(store, 'a@x.example', { expiresAt: later(1_000) });
    await remember(store, 'b@x.example', { expiresAt: later(day) });
    clock.now = later(999);
    expect(await recall(store, 'a@x.example')).not.toBeNull();
    clock.now = later(1_000);
    expect(await recall(store, 'a@x.example')).toBeNull();
    clock.now = later(120_000);
    await remember(store, 'c@x.example', { expiresAt: later(day) });
    const other = new DatabaseSync(path, { readOnly: true });
    expect(other.prepare('SELECT address FROM verification ORDER BY address').all()).toEqual([
      { address: 'b@x.example' },
      { address: 'c@x.example' },
    ]);
    other.close();
    await store.close();
  });

  it('keeps the beginning and the end of an endless transcript', async () => {
    const { store } = await open();
    await remember(store, 'a@x.example', { lines: 10_000 });
    const evidence = (await recall(store, 'a@x.example'))?.evidence;
    if (evidence?.kind !== 'probe') throw new Error('the evidence is gone');
    const { transcript } = evidence.probe;
    expect(transcript.length).toBe(49);
    expect(transcript[0]?.text).toBe('line 0');
    expect(transcript[16]).toMatchObject({ direction: 'NOTE', text: '9952 lines left out' });
    expect(transcript.at(-1)?.text).toBe('line 9999');
    await store.close();
  });

  it('does not take a stranger’s text for a date', async () => {
    const { store } = await open();
    await remember(store, 'a@x.example', { text: '{"$date":5}' });
    expect(await recall(store, 'a@x.example')).toEqual(
      verificationOf('a@x.example', { text: '{"$date":5}' }),
    );
    await store.close();
  });

  it('writes what is waiting when it is closed, and says CLOSED afterwards', async () => {
    const { store, open: again } = await open();
    const writing = remember(store, 'a@x.example');
    await Promise.all([store.close(), writing]);
    await expect(recall(store, 'a@x.example')).rejects.toMatchObject({ code: 'CLOSED' });
    await expect(remember(store, 'a@x.example')).rejects.toMatchObject({ code: 'CLOSED' });
    const reopened = await again();
    expect(await recall(reopened, 'a@x.example')).not.toBeNull();
    await reopened.close();
  });

  it('takes thousands in one turn without holding them all', async () => {
    const { store } = await open();
    const texts = Array.from({ length: 3_000 }, (_, n) => `u${n}@x.example`);
    await Promise.all(texts.map((text) => remember(store, text)));
    expect(await recall(store, 'u2999@x.example')).not.toBeNull();
    expect(await store.verifications.recall('nobody@x.example' as NormalizedAddress)).toBeNull();
    await store.close();
  });
});
