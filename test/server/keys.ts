/** API keys for tests of the server: made, found and revoked as a gateway does it, in a store of a few lines. */
import {
  drawKey,
  type KeptKey,
  type KeyStore,
  type Keys,
  type KeyWish,
  openKeys,
} from '../../src/keys/index.ts';

export type TestKeys = {
  readonly keys: Keys;
  /** Gives the text of a new key and its id. */
  create(wish?: Partial<KeyWish>): Promise<{ readonly text: string; readonly id: string }>;
  revoke(id: string): Promise<void>;
};

export const openTestKeys = async (): Promise<TestKeys> => {
  let kept: readonly KeptKey[] = [];
  let version = 0;
  const store: KeyStore = {
    readVersion: async () => version,
    readKeys: async () => kept,
    createKey: async (key) => {
      kept = [...kept, key];
      version += 1;
    },
    revokeKey: async (id, revokedAt) => {
      kept = kept.map((key) => (key.id === id ? { ...key, revokedAt } : key));
      version += 1;
      return true;
    },
    noteUses: async () => undefined,
  };
  const keys = await openKeys({
    store,
    onError: (error) => {
      throw error;
    },
    lookEveryMs: null,
  });
  return {
    keys,
    async create(wish = {}) {
      const usual = { name: 'test', scopes: ['verify'] as const, origins: [], pointsPerMinute: null };
      const { key, text } = drawKey(
        { ...usual, expiresAt: null, isPersistedOnly: false, ...wish },
        new Date(),
      );
      await store.createKey(key);
      await keys.refresh();
      return { text, id: key.id };
    },
    async revoke(id) {
      await store.revokeKey(id, new Date());
      await keys.refresh();
    },
  };
};

export const bearer = (text: string) => ({ authorization: `Bearer ${text}` });
