import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll } from 'vitest';
import { openSqliteStore } from '../../src/store/index.ts';
import { start } from './list.ts';
import { describeVerificationMemory, type OpenMemory } from './verification-contract.ts';

const root = mkdtempSync(join(tmpdir(), 'rcpt-verifications-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let made = 0;

const open = async (path: string): Promise<OpenMemory> => {
  let now = start;
  const store = openSqliteStore({ path, now: () => now });
  return {
    verifications: store.verifications,
    async readKept() {
      const other = new DatabaseSync(path, { readOnly: true });
      const rows = other.prepare('SELECT address FROM verification ORDER BY address').all();
      other.close();
      return rows.map(({ address }) => String(address));
    },
    async setTime(to) {
      now = to;
    },
    openAgain: () => open(path),
    close: async () => store.close(),
  };
};

describeVerificationMemory('the memory of verifications in a SQLite file', () => {
  made += 1;
  return open(join(root, `${made}.sqlite`));
});
