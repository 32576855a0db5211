import { describe, expect, it } from 'vitest';
import { Greylist } from './greylist.ts';
import { GREYLIST_LIFE_MS, MAX_GREYLIST_DELAY_MS, MAX_GREYLISTED_PER_LANE } from './limits.ts';
import type { Meaning, MeaningKind } from './meaning/index.ts';

const MINUTE = 60_000;
const meaning = (kind: MeaningKind, retryAfterSeconds: number | null = null): Meaning => ({
  kind,
  rule: 'x',
  retryAfterSeconds,
});

const world = () => {
  const clock = { now: 1_000_000 };
  const greylist = new Greylist(() => clock.now);
  const hear = (recipient: string, kind: MeaningKind, stated: number | null = null) =>
    greylist.learn(recipient, meaning(kind, stated)).retryAfterSeconds;
  return { clock, greylist, hear };
};

describe('Greylist', () => {
  it.each<MeaningKind>(['ACCEPTED', 'MAILBOX_NOT_FOUND', 'MAILBOX_DISABLED', 'MAILBOX_FULL', 'MAILBOX_BUSY'])(
    'learns the delay from one that was put off and then %s',
    (kind) => {
      const { clock, hear } = world();
      expect(hear('a@d.test', 'GREYLISTED')).toBeNull();
      clock.now += 5 * MINUTE;
      expect(hear('a@d.test', kind)).toBeNull();
      expect(hear('b@e.test', 'GREYLISTED')).toBe(300);
      clock.now += MINUTE;
      // What is left for this one.
      expect(hear('b@e.test', 'GREYLISTED')).toBe(240);
    },
  );

  it.each<MeaningKind>(['TEMPORARY', 'RATE_LIMITED', 'IP_BLOCKED', 'POLICY'])(
    'learns nothing from one that is then %s',
    (kind) => {
      const { clock, greylist, hear } = world();
      hear('a@d.test', 'GREYLISTED');
      clock.now += MINUTE;
      hear('a@d.test', kind);
      expect(greylist.delayMs).toBeNull();
    },
  );

  it('learns nothing from those who were never put off, or came back late', () => {
    const { clock, greylist, hear } = world();
    hear('a@d.test', 'ACCEPTED');
    hear('b@d.test', 'GREYLISTED');
    clock.now += MAX_GREYLIST_DELAY_MS + 1;
    hear('b@d.test', 'ACCEPTED');
    expect(greylist.delayMs).toBeNull();
  });

  it('believes what the server states before what it learned', () => {
    const { clock, hear } = world();
    hear('a@d.test', 'GREYLISTED');
    clock.now += 5 * MINUTE;
    hear('a@d.test', 'ACCEPTED');
    expect(hear('b@d.test', 'GREYLISTED', 60)).toBe(60);
  });

  it('keeps the shortest, and forgets it when somebody who waited as long is put off again', () => {
    const { clock, greylist, hear } = world();
    for (const name of ['a', 'b', 'c']) hear(name, 'GREYLISTED');
    clock.now += 2 * MINUTE;
    hear('a', 'ACCEPTED');
    clock.now += MINUTE;
    hear('b', 'ACCEPTED');
    expect(greylist.delayMs).toBe(2 * MINUTE);
    expect(hear('c', 'GREYLISTED')).toBeNull();
    expect(greylist.delayMs).toBeNull();
  });

  it('forgets after a day, and watches no more than it may', () => {
    const { clock, greylist, hear } = world();
    for (let n = 0; n < MAX_GREYLISTED_PER_LANE; n++) hear(`a${n}`, 'GREYLISTED');
    hear('one too many', 'GREYLISTED');
    clock.now += MINUTE;
    hear('one too many', 'ACCEPTED');
    expect(greylist.delayMs).toBeNull();
    hear('a0', 'ACCEPTED');
    expect(greylist.delayMs).toBe(MINUTE);
    clock.now += GREYLIST_LIFE_MS;
    expect(greylist.delayMs).toBeNull();
    hear('room again', 'GREYLISTED');
    clock.now += MINUTE;
    hear('room again', 'ACCEPTED');
    expect(greylist.delayMs).toBe(MINUTE);
  });
});
