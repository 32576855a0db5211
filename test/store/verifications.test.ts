import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll } from 'vitest';
import { openDataDir, openThreadedDataDir } from '../../src/store/index.ts';
import { start } from './list.ts';
import { describeVerificationMemory, type OpenMemory } from './verification-contract.ts';

const root = mkdtempSync(join(tmpdir(), 'rcpt-verifications-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let made = 0;

/** With a clock that the suite sets, in this thread or in one of its own. */
const opener = (isThreaded: boolean) => {
  const open = async (dir: string): Promise<OpenMemory> => {
    let time = start;
    const options = { now: () => time };
    const store = isThreaded ? await openThreadedDataDir(dir, options) : openDataDir(dir, options);
    return {
      verifications: store.verifications,
      async readKept() {
        const other = new DatabaseSync(join(dir, 'rcpt.sqlite'), { readOnly: true });
        const rows = other.prepare('SELECT address FROM verification ORDER BY address').all();
        other.close();
        return rows.map(({ address }) => String(address));
      },
      async setTime(to) {
        time = to;
      },
      openAgain: () => open(dir),
      close: async () => store.close(),
    };
  };
  return (): Promise<OpenMemory> => {
    made += 1;
    return open(join(root, String(made)));
  };
};

describeVerificationMemory('the memory of verifications in a SQLite file', opener(false));
describeVerificationMemory('the memory of verifications in a thread of its own', opener(true));
