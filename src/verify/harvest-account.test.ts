import { describe, expect, test } from 'vitest';
import { createAccounts } from './harvest-account.ts';
import { names, no, startHarvest, yes } from './harvest-samples.ts';

describe('what it remembers is bounded', () => {
  test.each(['interactive', 'bulk'] as const)('the account used longest ago is forgotten: %s', (priority) => {
    const limit = priority === 'bulk' ? 30 : 3;
    const { ask, askAll } = startHarvest();
    const asked = { priority };
    askAll(names(limit, 'old.test'), undefined, asked);
    askAll(names(limit, 'kept.test'), undefined, asked);
    for (let n = 0; n < 10_000 - 1; n += 1) {
      ask(`a@filler${n}.test`, 'MAILBOX_NOT_FOUND', asked);
      if (n % 1_000 === 0) expect(ask('a@kept.test', 'MAILBOX_NOT_FOUND', asked)).toBe(no);
    }
    expect(ask('a@kept.test', 'MAILBOX_NOT_FOUND', asked)).toBe(no);
    expect(ask('a@old.test', 'MAILBOX_NOT_FOUND', asked)).toBe(yes);
  });

  test('so is one when there are half a million hashes', () => {
    const accounts = createAccounts<{ readonly name: string }>();
    for (const name of ['old', 'grows', 'new']) accounts.keep(name, { name }, 100_000);
    accounts.keep('grows', { name: 'grows' }, 299_000);
    expect(accounts.find('old')).toEqual({ name: 'old' });
    accounts.keep('one more', { name: 'one more' }, 1_000);
    expect(['new', 'grows', 'old', 'one more'].map((name) => accounts.find(name)?.name)).toEqual([
      undefined,
      'grows',
      'old',
      'one more',
    ]);
  });
});
