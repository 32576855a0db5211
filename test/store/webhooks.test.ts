import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqliteStore } from '../../src/store/index.ts';
import type { OpenStore } from './open.ts';
import { describeWebhookStore } from './webhook-contract.ts';

const open = async (): Promise<OpenStore> => {
  const dir = mkdtempSync(join(tmpdir(), 'rcpt-store-'));
  const begin = (): OpenStore => {
    const opened = openSqliteStore({ path: join(dir, 'store.sqlite') });
    return {
      store: opened.jobs,
      webhooks: opened.webhooks,
      fillDisk: async () => {},
      makeRoom: async () => {},
      reopen: async () => {
        opened.close();
        return begin();
      },
      close: async () => {
        opened.close();
        rmSync(dir, { recursive: true, force: true });
      },
    };
  };
  return begin();
};

describeWebhookStore('webhooks in a SQLite file', open);
