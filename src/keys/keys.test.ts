import { describe, expect, test } from 'vitest';
import { type Keys, openKeys } from './keys.ts';
import { drawKey } from './new-key.ts';
import type { KeyStore } from './ports.ts';
import type { KeptKey, KeyUse } from './types.ts';

const start = new Date('2030-01-01T00:00:00Z').getTime();

/** A port in memory, a clock that stands, and keys that look only when they are told to. */
const openWorld = async () => {
  let at = start;
  let isDown = false;
  const kept: KeptKey[] = [];
  const noted: KeyUse[] = [];
  let version = 0;
  const reads = { versions: 0, keys: 0 };
  const answer = <Value>(value: Value): Promise<Value> =>
    isDown ? Promise.reject(new Error('the store is down')) : Promise.resolve(value);
  const store: KeyStore = {
    readVersion: () => {
      reads.versions += 1;
      return answer(version);
    },
    readKeys: () => {
      reads.keys += 1;
      return answer([...kept]);
    },
    createKey: async (key) => {
      kept.push(key);
      version += 1;
    },
    revokeKey: async (id, revokedAt) => {
      const index = kept.findIndex((key) => key.id === id);
      const key = kept[index];
      if (key) kept[index] = { ...key, revokedAt };
      version += 1;
      return key !== undefined;
    },
    noteUses: async (uses) => {
      await answer(null);
      noted.push(...uses);
    },
  };
  const create = async (part: Partial<Parameters<typeof drawKey>[0]> = {}) => {
    const wish = {
      name: 'a',
      scopes: ['verify'] as const,
      origins: [],
      pointsPerMinute: null,
      expiresAt: null,
    };
    const { key, text } = drawKey({ ...wish, isPersistedOnly: false, ...part }, new Date(at));
    await store.createKey(key);
    return { text, id: key.id };
  };
  const faults: unknown[] = [];
  const open = (lookEveryMs: number | null = null): Promise<Keys> =>
    openKeys({ store, now: () => new Date(at), onError: (fault) => faults.push(fault), lookEveryMs });
  return {
    store,
    create,
    open,
    reads,
    noted,
    faults,
    pass: (ms: number) => {
      at += ms;
    },
    lose: () => {
      kept.length = 0;
      version += 1;
    },
    fail: (down: boolean) => {
      isDown = down;
    },
  };
};

describe('keys', () => {
  test('there are none until one is made, and then for ever', async () => {
    const world = await openWorld();
    const keys = await world.open();
    expect(keys.isConfigured).toBe(false);
    const { id } = await world.create();
    await keys.refresh();
    expect(keys.isConfigured).toBe(true);
    await world.store.revokeKey(id, new Date(start));
    await keys.refresh();
    expect(keys.isConfigured).toBe(true);
  });

  test('a store that lost its keys opens nothing', async () => {
    const world = await openWorld();
    const { text } = await world.create();
    const keys = await world.open();
    world.lose();
    await keys.refresh();
    expect(keys.find(text)).toEqual({ kind: 'unknown' });
    expect(keys.isConfigured).toBe(true);
  });

  test('each is found by its text alone', async () => {
    const world = await openWorld();
    const one = await world.create({ name: 'one' });
    const two = await world.create({ name: 'two' });
    const keys = await world.open();
    expect(keys.find(one.text)).toMatchObject({ kind: 'key', key: { id: one.id, name: 'one' } });
    expect(keys.find(two.text)).toMatchObject({ kind: 'key', key: { id: two.id } });
    const strangers = await (await openWorld()).create();
    for (const text of ['', one.id, one.text.slice(0, -1), strangers.text])
      expect(keys.find(text)).toEqual({ kind: 'unknown' });
  });

  test('one that is revoked or expired is told so', async () => {
    const world = await openWorld();
    const revoked = await world.create();
    const expiring = await world.create({ expiresAt: new Date(start + 1_000) });
    await world.store.revokeKey(revoked.id, new Date(start));
    const keys = await world.open();
    expect(keys.find(revoked.text)).toEqual({ kind: 'revoked' });
    expect(keys.find(expiring.text).kind).toBe('key');
    world.pass(1_000);
    expect(keys.find(expiring.text)).toEqual({ kind: 'expired' });
  });

  test('the origins of living keys are allowed', async () => {
    const world = await openWorld();
    const { id } = await world.create({ origins: ['https://a.test', 'https://b.test'] });
    const keys = await world.open();
    expect(
      ['https://a.test', 'https://b.test', 'https://c.test'].map((origin) => keys.allowsOrigin(origin)),
    ).toEqual([true, true, false]);
    await world.store.revokeKey(id, new Date(start));
    await keys.refresh();
    expect(keys.allowsOrigin('https://a.test')).toBe(false);
  });

  test('keys are read again only when there is something new', async () => {
    const world = await openWorld();
    const keys = await world.open();
    expect(world.reads).toEqual({ versions: 1, keys: 1 });
    await keys.refresh();
    expect(world.reads).toEqual({ versions: 2, keys: 1 });
    await world.create();
    await keys.refresh();
    expect(world.reads).toEqual({ versions: 3, keys: 2 });
  });

  test('who waits for the end of a key is told once, of its own alone', async () => {
    const world = await openWorld();
    const revoked = await world.create();
    const expiring = await world.create({ expiresAt: new Date(start + 1_000) });
    const living = await world.create();
    const keys = await world.open();
    const ended: string[] = [];
    for (const [name, { id }] of Object.entries({ revoked, expiring, living }))
      keys.onEnd(id, () => ended.push(name));
    keys.onEnd(revoked.id, () => ended.push('not any more'))();
    await keys.refresh();
    expect(ended).toEqual([]);
    await world.store.revokeKey(revoked.id, new Date(start));
    await keys.refresh();
    await keys.refresh();
    expect(ended).toEqual(['revoked']);
    world.pass(1_000);
    await keys.refresh();
    expect(ended).toEqual(['revoked', 'expiring']);
    keys.onEnd(revoked.id, () => ended.push('at once'));
    expect(ended).toEqual(['revoked', 'expiring', 'at once']);
  });

  test('who asked while there was no key ends with the first one', async () => {
    const world = await openWorld();
    const keys = await world.open();
    const ended: string[] = [];
    keys.onEnd(null, () => ended.push('waited'));
    keys.onEnd(null, () => ended.push('not any more'))();
    await keys.refresh();
    expect(ended).toEqual([]);
    await world.create();
    await keys.refresh();
    await keys.refresh();
    expect(ended).toEqual(['waited']);
    keys.onEnd(null, () => ended.push('at once'));
    expect(ended).toEqual(['waited', 'at once']);
  });

  test.each([
    ['is away', () => Promise.reject(new Error('the store is down'))],
    ['hangs', () => new Promise<never>(() => undefined)],
  ])('what expires ends while the store %s, too', async (_how, readVersion) => {
    const world = await openWorld();
    const { id } = await world.create({
      origins: ['https://a.test'],
      expiresAt: new Date(start + 1_000),
    });
    const keys = await world.open();
    let hasEnded = false;
    keys.onEnd(id, () => {
      hasEnded = true;
    });
    Object.assign(world.store, { readVersion });
    world.pass(1_000);
    keys.refresh().catch(() => undefined);
    expect(hasEnded).toBe(true);
    expect(keys.allowsOrigin('https://a.test')).toBe(false);
  });

  test('a look that hangs holds up no end', async () => {
    const world = await openWorld();
    const { id } = await world.create({ expiresAt: new Date(start + 1_000) });
    const keys = await world.open(1);
    const asked = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<number>();
    Object.assign(world.store, {
      readVersion: () => {
        asked.resolve();
        return answer.promise;
      },
    });
    await asked.promise;
    const ended = new Promise<void>((resolve) => keys.onEnd(id, resolve));
    world.pass(1_000);
    await ended;
    answer.resolve(1);
    await keys.close();
  });

  test('they look by themselves, and go on while the store is away', async () => {
    const world = await openWorld();
    const { text } = await world.create();
    const keys = await world.open(1);
    world.fail(true);
    while (world.faults.length < 2) await new Promise((resolve) => setTimeout(resolve, 1));
    expect(keys.find(text).kind).toBe('key');
    await expect(keys.refresh()).rejects.toThrow('down');
    const later = await world.create();
    world.fail(false);
    while (keys.find(later.text).kind !== 'key') await new Promise((resolve) => setTimeout(resolve, 1));
    await keys.close();
    const { versions } = world.reads;
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(world.reads.versions).toBe(versions);
  });

  test('they do not open when the store cannot be read', async () => {
    const world = await openWorld();
    world.fail(true);
    await expect(world.open()).rejects.toThrow('down');
  });

  test('last uses are noted together, and at the end', async () => {
    const world = await openWorld();
    const one = await world.create();
    const two = await world.create();
    const keys = await world.open();
    keys.find(one.text);
    world.pass(5);
    keys.find(one.text);
    keys.find(two.text);
    keys.find('rcpt_sk_unknown');
    await keys.close();
    const at = new Date(start + 5);
    expect(world.noted).toEqual([
      { id: one.id, at },
      { id: two.id, at },
    ]);
    await keys.close();
    expect(world.noted).toHaveLength(2);
  });
});
