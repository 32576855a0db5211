import type { KeyStore } from './ports.ts';
import { hashKeyText, isKeyText } from './token.ts';
import type { ApiKey, KeptKey } from './types.ts';

export type KeysOptions = {
  readonly store: KeyStore;
  readonly now?: () => Date;
  /** Told of a store in trouble; the keys that are known go on. */
  readonly onError: (error: unknown) => void;
  /** Milliseconds between two looks at the store; default a second. Null: only when `refresh` is called. */
  readonly lookEveryMs?: number | null;
};

export type KeyFinding =
  | { readonly kind: 'key'; readonly key: ApiKey }
  | { readonly kind: 'unknown' | 'expired' | 'revoked' };

/** The keys of a gateway, all of them in memory: who asks is known without a look at the store. */
export type Keys = {
  /** Is there any, or was there ever? Then nobody is served without one: a gateway whose keys are revoked is not open to all. */
  readonly isConfigured: boolean;
  /** Whose text it is. A use is noted. */
  find(text: string): KeyFinding;
  /** Is a page of this origin one that a living publishable key is bound to? */
  allowsOrigin(origin: string): boolean;
  /**
   * Calls back once, when the key is revoked or expires, at most a second late; at once when it is not good any more.
   * Who asks without one (null) ends with the first that is made. Gives what ends the waiting.
   */
  onEnd(keyId: string | null, ended: () => void): () => void;
  /** Looks at the store now. Rejects when it cannot be reached. */
  refresh(): Promise<void>;
  /** Notes the last uses and stops looking. */
  close(): Promise<void>;
};

/** Of a gateway that has none and never gets any. */
export const noKeys: Keys = {
  isConfigured: false,
  find: () => ({ kind: 'unknown' }),
  allowsOrigin: () => false,
  onEnd: () => () => undefined,
  refresh: async () => undefined,
  close: async () => undefined,
};

const usualLookMs = 1_000;
/** Last uses are noted together, so that a thousand requests a second are one write a minute. */
const noteEveryMs = 60_000;

export type Life = 'living' | 'expired' | 'revoked';

export const lifeOf = ({ revokedAt, expiresAt }: ApiKey, now: Date): Life =>
  revokedAt !== null ? 'revoked' : expiresAt !== null && expiresAt <= now ? 'expired' : 'living';

/** Reads them once before it resolves. Rejects with what the store rejects with. */
export const openKeys = async (options: KeysOptions): Promise<Keys> => {
  const { store, now = () => new Date(), onError, lookEveryMs = usualLookMs } = options;
  let version = -1;
  let byHash = new Map<string, KeptKey>();
  let byId = new Map<string, KeptKey>();
  /** Of publishable keys that live. */
  let origins = new Set<string>();
  let isConfigured = false;
  const waiting = new Map<string | null, Set<() => void>>();
  const uses = new Map<string, Date>();
  let notedAt = now().getTime();

  const isLiving = (id: string | null): boolean => {
    if (id === null) return !isConfigured;
    const key = byId.get(id);
    return key !== undefined && lifeOf(key, now()) === 'living';
  };

  const endEnded = (): void => {
    for (const [id, callbacks] of waiting) {
      if (isLiving(id)) continue;
      waiting.delete(id);
      for (const ended of callbacks) ended();
    }
  };

  /** What time and the keys that are known decide. */
  const settle = (): void => {
    const at = now();
    origins = new Set(
      [...byId.values()].filter((key) => lifeOf(key, at) === 'living').flatMap((key) => key.origins),
    );
    endEnded();
  };

  const refresh = async (): Promise<void> => {
    // Before the store is asked: it may be away, and what expires ends all the same.
    settle();
    const newest = await store.readVersion();
    if (newest === version) return;
    const keys = await store.readKeys();
    byHash = new Map(keys.map((key) => [key.hash, key]));
    byId = new Map(keys.map((key) => [key.id, key]));
    // A store that was emptied or put back to an older state opens nothing.
    isConfigured ||= byId.size > 0;
    version = newest;
    settle();
  };

  const noteUses = async (): Promise<void> => {
    if (uses.size === 0) return;
    const noted = [...uses].map(([id, at]) => ({ id, at }));
    uses.clear();
    await store.noteUses(noted);
  };

  const look = async (): Promise<void> => {
    try {
      await refresh();
      if (now().getTime() - notedAt < noteEveryMs) return;
      notedAt = now().getTime();
      await noteUses();
    } catch (error) {
      onError(error);
    }
  };
  let looking: Promise<void> | null = null;
  const tick = (): void => {
    // A look may take as long as the store's deadlines; what expires meanwhile does not wait for it.
    if (looking !== null) settle();
    else
      looking = look().finally(() => {
        looking = null;
      });
  };

  await refresh();
  const timer = lookEveryMs === null ? undefined : setInterval(tick, lookEveryMs);
  timer?.unref();

  return {
    get isConfigured() {
      return isConfigured;
    },
    find(text) {
      const key = isKeyText(text) ? byHash.get(hashKeyText(text)) : undefined;
      if (key === undefined) return { kind: 'unknown' };
      const at = now();
      const life = lifeOf(key, at);
      if (life !== 'living') return { kind: life };
      uses.set(key.id, at);
      return { kind: 'key', key };
    },
    allowsOrigin: (origin) => origins.has(origin),
    onEnd(keyId, ended) {
      if (!isLiving(keyId)) {
        ended();
        return () => undefined;
      }
      const callbacks = waiting.get(keyId) ?? new Set();
      waiting.set(keyId, callbacks);
      callbacks.add(ended);
      return () => {
        callbacks.delete(ended);
        if (callbacks.size === 0 && waiting.get(keyId) === callbacks) waiting.delete(keyId);
      };
    },
    refresh,
    async close() {
      clearInterval(timer);
      await looking;
      await noteUses().catch(onError);
    },
  };
};
