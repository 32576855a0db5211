import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openSqliteStore } from '../../src/store/index.ts';
import { create, later, start } from './list.ts';
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

describe('webhooks in a SQLite file, opened anew', () => {
  it('are free: nobody is at any of them', async () => {
    const { store, webhooks, reopen } = await open();
    if (reopen === null) throw new Error('a store of webhooks outlives its process');
    await create(store, [], {
      webhook: { url: 'https://hooks.example/', secret: 'x', tellsProgress: false },
    });
    const due = await webhooks.takeDelivery(start, later(60_000));
    const again = await reopen();
    expect((await again.webhooks.takeDelivery(later(1), later(60_000)))?.id).toBe(due?.id);
    await again.close();
  });
});
