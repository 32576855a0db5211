/** What every memory of verifications promises; an implementation joins by calling `describeVerificationMemory`. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { NormalizedAddress } from '../../src/address/index.ts';
import type { VerificationMemory } from '../../src/verify/index.ts';
import { day, later } from './list.ts';
import { addressOf, type Over, verificationOf } from './verification.ts';

export type OpenMemory = {
  readonly verifications: VerificationMemory;
  /** The addresses that something is kept of, in their order. */
  readonly readKept: () => Promise<readonly string[]>;
  /** From now on it is this time. */
  readonly setTime: (now: Date) => Promise<void>;
  /** Opens what it left after it was closed. */
  readonly openAgain: () => Promise<OpenMemory>;
  /** Writes what is waiting; a second time is none. */
  readonly close: () => Promise<void>;
};

const remember = ({ verifications }: OpenMemory, text: string, over?: Over): Promise<void> =>
  verifications.remember(addressOf(text).normalized, verificationOf(text, over));
const recall = ({ verifications }: OpenMemory, text: string) =>
  verifications.recall(addressOf(text).normalized);

const codeOf = async (store: OpenMemory, text: string): Promise<number | undefined> => {
  const evidence = (await recall(store, text))?.evidence;
  return evidence?.kind === 'probe' ? evidence.probe.reply?.code : undefined;
};

export const describeVerificationMemory = (name: string, open: () => Promise<OpenMemory>): void => {
  describe(name, () => {
    let store: OpenMemory;
    beforeEach(async () => {
      store = await open();
    });
    afterEach(() => store.close());

    it('gives back what it was given, with its dates and its receipt, also after it was opened again', async () => {
      const verification = verificationOf('жук+1@x.example');
      await remember(store, 'жук+1@x.example');
      expect(await recall(store, 'жук+1@x.example')).toEqual(verification);
      await store.close();
      store = await store.openAgain();
      expect(await recall(store, 'жук+1@x.example')).toEqual(verification);
      expect(await recall(store, 'other@x.example')).toBeNull();
    });

    it('recalls what was remembered in the same turn, and writes the turn as one', async () => {
      const writes = ['a@x.example', 'b@x.example', 'a@x.example'].map((text) => remember(store, text));
      expect(await recall(store, 'b@x.example')).not.toBeNull();
      expect(await store.readKept()).toEqual([]);
      await writes[0];
      expect(await store.readKept()).toEqual(['a@x.example', 'b@x.example']);
      await Promise.all(writes);
    });

    it('keeps the newest of an address, in whatever order they come', async () => {
      const newest = { checkedAt: later(2_000), expiresAt: later(day), code: 253 };
      const older = { checkedAt: later(1_000), expiresAt: later(2 * day), code: 252 };
      await Promise.all([remember(store, 'a@x.example', newest), remember(store, 'a@x.example', older)]);
      expect(await codeOf(store, 'a@x.example')).toBe(253);
      await remember(store, 'a@x.example', older);
      expect(await codeOf(store, 'a@x.example')).toBe(253);
      await remember(store, 'a@x.example', { ...newest, checkedAt: later(3_000), code: 254 });
      expect(await codeOf(store, 'a@x.example')).toBe(254);
    });

    it('forgets what has expired, and erases it', async () => {
      await remember(store, 'a@x.example', { expiresAt: later(1_000) });
      await remember(store, 'b@x.example', { expiresAt: later(day) });
      await store.setTime(later(999));
      expect(await recall(store, 'a@x.example')).not.toBeNull();
      await store.setTime(later(1_000));
      expect(await recall(store, 'a@x.example')).toBeNull();
      await store.setTime(later(120_000));
      await remember(store, 'c@x.example', { expiresAt: later(day) });
      // Beside the writing, where that is somewhere else.
      await expect.poll(() => store.readKept()).toEqual(['b@x.example', 'c@x.example']);
    });

    it('keeps the beginning and the end of an endless transcript', async () => {
      await remember(store, 'a@x.example', { lines: 10_000 });
      const evidence = (await recall(store, 'a@x.example'))?.evidence;
      if (evidence?.kind !== 'probe') throw new Error('the evidence is gone');
      const { transcript } = evidence.probe;
      expect(transcript.length).toBe(49);
      expect(transcript[0]?.text).toBe('line 0');
      expect(transcript[16]).toMatchObject({ direction: 'NOTE', text: '9952 lines left out' });
      expect(transcript.at(-1)?.text).toBe('line 9999');
    });

    it('does not take a stranger’s text for a date', async () => {
      await remember(store, 'a@x.example', { text: '{"$date":5}' });
      expect(await recall(store, 'a@x.example')).toEqual(
        verificationOf('a@x.example', { text: '{"$date":5}' }),
      );
    });

    it('writes what is waiting when it is closed, and says CLOSED afterwards', async () => {
      const writing = remember(store, 'a@x.example');
      await store.close();
      await writing;
      await expect(recall(store, 'a@x.example')).rejects.toMatchObject({ code: 'CLOSED' });
      await expect(remember(store, 'a@x.example')).rejects.toMatchObject({ code: 'CLOSED' });
      store = await store.openAgain();
      expect(await recall(store, 'a@x.example')).not.toBeNull();
    });

    it('takes thousands in one turn without holding them all', async () => {
      const texts = Array.from({ length: 3_000 }, (_, n) => `u${n}@x.example`);
      await Promise.all(texts.map((text) => remember(store, text)));
      expect(await recall(store, 'u2999@x.example')).not.toBeNull();
      expect(await store.verifications.recall('nobody@x.example' as NormalizedAddress)).toBeNull();
    });
  });
};
