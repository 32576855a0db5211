import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, describe, expect, it } from 'vitest';
import type { EmailAddress, ExchangeHost, NormalizedAddress } from '../../src/address/index.ts';
import { parseAddress } from '../../src/address/index.ts';
import { openSqliteStore } from '../../src/store/index.ts';
import type { Verification } from '../../src/verify/index.ts';
import { day, later, start } from './list.ts';

const root = mkdtempSync(join(tmpdir(), 'rcpt-verifications-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let made = 0;

/** A store on a file with a clock that the test sets. */
const open = () => {
  made += 1;
  const path = join(root, `${made}.sqlite`);
  const clock = { now: start };
  const openIt = () => openSqliteStore({ path, now: () => clock.now });
  return { path, clock, open: openIt, store: openIt() };
};

const addressOf = (text: string): EmailAddress => {
  const parsed = parseAddress(text);
  if (parsed.kind === 'fault') throw new Error(`${text} is no address`);
  return parsed.address;
};

/** A verdict with all the dates and nested evidence that one can have. */
const verificationOf = (
  text: string,
  over: Partial<Verification> & { readonly lines?: number } = {},
): Verification => {
  const { lines = 2, ...rest } = over;
  const address = addressOf(text);
  return {
    status: 'DELIVERABLE',
    reason: 'MAILBOX_EXISTS',
    score: 95,
    summary: 'The exchange accepts it.',
    signals: [{ code: 'ROLE', effect: 'NEGATIVE', message: 'A role account.' }],
    retryAfterSeconds: null,
    lifeSeconds: 86_400,
    checkedAt: start,
    expiresAt: later(day),
    retryAt: later(5_000),
    fromCache: false,
    evidence: {
      kind: 'probe',
      address,
      hosts: { kind: 'nullMx', domain: address.domain },
      facts: { isRole: true, isFree: false, isDisposable: false, provider: null, suggestion: null },
      probe: {
        attempts: [{ host: 'mx.x.example' as ExchangeHost, ip: '192.0.2.1', outcome: { kind: 'connected' } }],
        exchange: 'mx.x.example' as ExchangeHost,
        ip: '192.0.2.1',
        phase: 'RCPT_TO',
        reply: { code: 250, enhancedCode: '2.1.5', lines: ['OK \u2028 "☂"'], text: 'OK \u2028 "☂"' },
        meaning: { kind: 'ACCEPTED', rule: 'accepted', retryAfterSeconds: null },
        fault: null,
        catchAll: { answer: 'NO', reply: null, checkedAt: later(-9) },
        startedAt: later(-20),
        durationMs: 20,
        transcript: Array.from({ length: lines }, (_, n) => ({
          at: later(n),
          direction: n % 2 === 0 ? ('SERVER' as const) : ('CLIENT' as const),
          text: `line ${n}`,
        })),
      },
    },
    ...rest,
  };
};

const remember = (
  store: ReturnType<typeof openSqliteStore>,
  text: string,
  over?: Parameters<typeof verificationOf>[1],
) => store.verifications.remember(addressOf(text).normalized, verificationOf(text, over));
const recall = (store: ReturnType<typeof openSqliteStore>, text: string) =>
  store.verifications.recall(addressOf(text).normalized);

describe('the memory of verifications', () => {
  it('gives back what it was given, with its dates and its receipt, also after it was opened again', async () => {
    const { store, open: again } = open();
    const verification = verificationOf('жук+1@x.example');
    await remember(store, 'жук+1@x.example');
    expect(await recall(store, 'жук+1@x.example')).toEqual(verification);
    store.close();
    const reopened = again();
    expect(await recall(reopened, 'жук+1@x.example')).toEqual(verification);
    expect(await recall(reopened, 'other@x.example')).toBeNull();
    reopened.close();
  });

  it('recalls what was remembered in the same turn, and writes the turn as one', async () => {
    const { store, path } = open();
    const writes = ['a@x.example', 'b@x.example', 'a@x.example'].map((text) => remember(store, text));
    expect(await recall(store, 'b@x.example')).not.toBeNull();
    const other = new DatabaseSync(path, { readOnly: true });
    const count = () => Number(other.prepare('SELECT count(*) AS n FROM verification').get()?.n);
    expect(count()).toBe(0);
    await writes[0];
    expect(count()).toBe(2);
    await Promise.all(writes);
    other.close();
    store.close();
  });

  it('keeps the newest of an address, in whatever order they come', async () => {
    const { store } = open();
    const newest = { checkedAt: later(2_000), expiresAt: later(day), score: 3 };
    const older = { checkedAt: later(1_000), expiresAt: later(2 * day), score: 2 };
    await Promise.all([remember(store, 'a@x.example', newest), remember(store, 'a@x.example', older)]);
    expect((await recall(store, 'a@x.example'))?.score).toBe(3);
    await remember(store, 'a@x.example', older);
    expect((await recall(store, 'a@x.example'))?.score).toBe(3);
    await remember(store, 'a@x.example', { ...newest, checkedAt: later(3_000), score: 4 });
    expect((await recall(store, 'a@x.example'))?.score).toBe(4);
    store.close();
  });

  it('forgets what has expired, and erases it', async () => {
    const { store, clock, path } = open();
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
    store.close();
  });

  it('keeps the beginning and the end of an endless transcript', async () => {
    const { store } = open();
    await remember(store, 'a@x.example', { lines: 10_000 });
    const evidence = (await recall(store, 'a@x.example'))?.evidence;
    if (evidence?.kind !== 'probe') throw new Error('the evidence is gone');
    const { transcript } = evidence.probe;
    expect(transcript.length).toBe(49);
    expect(transcript[0]?.text).toBe('line 0');
    expect(transcript[16]).toMatchObject({ direction: 'NOTE', text: '9952 lines left out' });
    expect(transcript.at(-1)?.text).toBe('line 9999');
    store.close();
  });

  it('does not take a stranger’s text for a date', async () => {
    const { store } = open();
    await remember(store, 'a@x.example', { summary: '{"$date":5}' });
    expect((await recall(store, 'a@x.example'))?.summary).toBe('{"$date":5}');
    store.close();
  });

  it('writes what is waiting when it is closed, and says CLOSED afterwards', async () => {
    const { store, open: again } = open();
    const writing = remember(store, 'a@x.example');
    store.close();
    await writing;
    await expect(recall(store, 'a@x.example')).rejects.toMatchObject({ code: 'CLOSED' });
    await expect(remember(store, 'a@x.example')).rejects.toMatchObject({ code: 'CLOSED' });
    const reopened = again();
    expect(await recall(reopened, 'a@x.example')).not.toBeNull();
    reopened.close();
  });

  it('takes thousands in one turn without holding them all', async () => {
    const { store } = open();
    const texts = Array.from({ length: 3_000 }, (_, n) => `u${n}@x.example`);
    await Promise.all(texts.map((text) => remember(store, text)));
    expect(await recall(store, 'u2999@x.example')).not.toBeNull();
    expect(await store.verifications.recall('nobody@x.example' as NormalizedAddress)).toBeNull();
    store.close();
  });
});
