/** What every store of keys promises, whatever it is made of, to two processes that have it open. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type KeptKey,
  type KeyFinding,
  type KeyStore,
  type Keys,
  type KeysOptions,
  type KeyWish,
  openKeys,
} from '../../src/keys/index.ts';
import { drawAnyKey } from './any-key.ts';
import { later } from './list.ts';

export type OpenKeys = {
  readonly keys: KeyStore;
  /** The same ones as another process has them. */
  readonly others: KeyStore;
  /** Closes both and opens what they left. */
  readonly reopen: () => Promise<OpenKeys>;
  readonly close: () => Promise<void>;
};

const newKey = (over: Partial<KeptKey> = {}, wish: Partial<KeyWish> = {}): KeptKey => ({
  ...drawAnyKey(wish).key,
  ...over,
});

export const describeKeyStore = (name: string, open: () => Promise<OpenKeys>): void => {
  describe(name, () => {
    let opened: OpenKeys;
    let keys: KeyStore;
    let others: KeyStore;
    beforeEach(async () => {
      opened = await open();
      ({ keys, others } = opened);
    });
    afterEach(() => opened.close());

    /** What each step does to the version, as either process sees it. */
    const grows = async (work: () => Promise<unknown>): Promise<number> => {
      const before = await keys.readVersion();
      await work();
      const after = await keys.readVersion();
      expect(await others.readVersion()).toBe(after);
      return after - before;
    };
    const readKey = async (id: string) => (await keys.readKeys()).find((key) => key.id === id);

    it('has none at first', async () => {
      expect(await keys.readKeys()).toEqual([]);
      expect(await keys.readVersion()).toBe(await others.readVersion());
    });

    it('gives back all that it was given, oldest first, to whoever has it open and when it is opened again', async () => {
      const made = [
        newKey({ createdAt: later(1) }),
        newKey({ createdAt: later(2), name: 'жук \0"\'%\u{e000} 😀', pointsPerMinute: 0.5 }),
        newKey(
          { createdAt: later(3), expiresAt: later(9), revokedAt: later(5), lastUsedAt: later(4) },
          { origins: ['https://a.example', 'http://localhost:5173'], isPersistedOnly: true },
        ),
        newKey({ createdAt: later(4), scopes: ['admin'], pointsPerMinute: 1e15 }),
      ];
      for (const key of [2, 0, 3, 1].map((n) => made[n])) {
        if (key !== undefined) expect(await grows(() => others.createKey(key))).toBeGreaterThan(0);
      }
      expect(await keys.readKeys()).toEqual(made);
      const version = await keys.readVersion();
      opened = await opened.reopen();
      expect(await opened.keys.readKeys()).toEqual(made);
      expect(await opened.keys.readVersion()).toBe(version);
    });

    it('takes one name twice, and no id or hash', async () => {
      const key = newKey();
      await keys.createKey(key);
      await keys.createKey(newKey({ name: key.name }));
      for (const over of [{ id: key.id }, { hash: key.hash }])
        expect(await grows(() => expect(others.createKey(newKey(over))).rejects.toThrow(/unique/i))).toBe(0);
      expect(await keys.readKeys()).toHaveLength(2);
    });

    it('revokes a key once, at the time that was said first', async () => {
      const key = newKey();
      await keys.createKey(key);
      expect(
        await grows(async () => expect(await others.revokeKey('no such key', later(1))).toBe(false)),
      ).toBe(0);
      expect(
        await grows(async () => expect(await others.revokeKey(key.id, later(1))).toBe(true)),
      ).toBeGreaterThan(0);
      expect(await grows(async () => expect(await keys.revokeKey(key.id, later(2))).toBe(true))).toBe(0);
      expect(await readKey(key.id)).toEqual({ ...key, revokedAt: later(1) });
    });

    it('notes uses, and never an older one over a newer', async () => {
      const [one, two] = [newKey({ createdAt: later(1) }), newKey({ createdAt: later(2) })];
      await keys.createKey(one);
      await keys.createKey(two);
      const noted = async () => (await others.readKeys()).map(({ lastUsedAt }) => lastUsedAt);
      const unchanged = await grows(async () => {
        await keys.noteUses([]);
        expect(await noted()).toEqual([null, null]);
        await keys.noteUses([
          { id: one.id, at: later(5) },
          { id: 'no such key', at: later(5) },
        ]);
        expect(await noted()).toEqual([later(5), null]);
        await others.noteUses([
          { id: one.id, at: later(4) },
          { id: two.id, at: later(7) },
          { id: two.id, at: later(6) },
        ]);
        expect(await noted()).toEqual([later(5), later(7)]);
        await keys.noteUses([{ id: one.id, at: later(8) }]);
        expect(await noted()).toEqual([later(8), later(7)]);
      });
      expect(unchanged).toBe(0);
      expect(await readKey(one.id)).toEqual({ ...one, lastUsedAt: later(8) });
    });

    it('is written by two processes at once: nothing is lost, and both note the same', async () => {
      const made = Array.from({ length: 40 }, () => newKey());
      const versions: number[] = [];
      await Promise.all([
        ...made.map(async (key, n) => {
          const [mine, theirs] = n % 2 === 0 ? [keys, others] : [others, keys];
          await mine.createKey(key);
          await Promise.all([mine.revokeKey(key.id, later(n)), theirs.revokeKey(key.id, later(n))]);
        }),
        (async () => {
          for (let n = 0; n < 20; n += 1) versions.push(await keys.readVersion());
        })(),
      ]);
      const read = await keys.readKeys();
      expect(new Map(read.map((key) => [key.id, key]))).toEqual(
        new Map(made.map((key, n) => [key.id, { ...key, revokedAt: later(n) }])),
      );
      expect(versions).toEqual(versions.toSorted((a, b) => a - b));
      expect(await keys.readVersion()).toBeGreaterThanOrEqual(versions.at(-1) ?? 0);
      const uses = made.map(({ id }, n) => ({ id, at: later(n + 1) }));
      await Promise.all(
        Array.from({ length: 10 }, (_, n) =>
          (n % 2 === 0 ? keys : others).noteUses(n % 2 === 0 ? uses : uses.toReversed()),
        ),
      );
      expect((await others.readKeys()).every(({ lastUsedAt }) => lastUsedAt !== null)).toBe(true);
    });

    it('lets a gateway know of what another process made, used and revoked', async () => {
      const options: KeysOptions = {
        store: keys,
        now: () => later(100),
        onError: (error) => {
          throw error;
        },
        lookEveryMs: null,
      };
      const gateway: Keys = await openKeys(options);
      const find = (): KeyFinding => gateway.find(text);
      const { key, text } = drawAnyKey({ origins: ['https://a.example'] });
      await others.createKey(key);
      expect(find()).toEqual({ kind: 'unknown' });
      await gateway.refresh();
      expect(find()).toEqual({ kind: 'key', key });
      expect(gateway.allowsOrigin('https://a.example')).toBe(true);
      let hasEnded = false;
      gateway.onEnd(key.id, () => {
        hasEnded = true;
      });
      await others.revokeKey(key.id, later(50));
      await gateway.refresh();
      expect(find()).toEqual({ kind: 'revoked' });
      expect([hasEnded, gateway.isConfigured]).toEqual([true, true]);
      await gateway.close();
      expect((await others.readKeys())[0]?.lastUsedAt).toEqual(later(100));
    });

    it('keeps no text of a key', async () => {
      const { key, text } = drawAnyKey();
      await keys.createKey(key);
      expect(JSON.stringify(await keys.readKeys())).not.toContain(text.slice(key.prefix.length));
    });
  });
};
