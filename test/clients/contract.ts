/** What every client must manage, whatever it speaks: a query, a mutation, an error, and subscriptions over a lost line. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { followResults, type SubscribeResults } from '../../examples/follow-results.ts';
import { type Result, resubscribe } from '../../examples/resubscribe.ts';
import type { Watched } from './adapters/operations.ts';
import { expectEachOnce, expectEnd, type Progress, type Row, type World } from './gateway.ts';

export type ClientUnderTest = {
  /** VerifyEmail; its data. */
  verify(variables: { readonly address: string }): Promise<unknown>;
  /** StartBulkJob; its data. */
  start(variables: { readonly input: object }): Promise<unknown>;
  /** BulkJobProgress. */
  watch(variables: { readonly id: string }): AsyncIterable<Result<Watched>>;
  /** BulkJobResults. */
  readonly subscribe: SubscribeResults<Row>;
  close(): unknown;
};

export type Open = (url: string, key?: string) => ClientUnderTest;

export const followProgress = async function* (
  client: ClientUnderTest,
  id: string,
): AsyncGenerator<Progress> {
  for await (const { bulkJobProgress } of resubscribe(() => client.watch({ id }))) yield bulkJobProgress;
};

export const describeClient = (name: string, world: World, open: Open): void => {
  describe(name, () => {
    let client: ClientUnderTest;
    beforeEach(() => {
      client = open(world.line.url);
    });
    afterEach(() => client.close());

    test('a query', async () => {
      expect(await client.verify({ address: 'user1@accepts.test' })).toMatchObject({
        email: {
          address: 'user1@accepts.test',
          verification: { status: 'DELIVERABLE', reason: 'MAILBOX_EXISTS', retryAt: null },
        },
      });
    });

    test('a mutation', async () => {
      const input = { source: { addresses: ['user1@accepts.test', 'nobody@accepts.test'] } };
      expect(await client.start({ input })).toMatchObject({
        startBulkJob: { __typename: 'BulkJob', id: expect.any(String), progress: { total: 2 } },
      });
    });

    test('a mutation that answers with an error', async () => {
      expect(await client.start({ input: { source: { addresses: [] } } })).toMatchObject({
        startBulkJob: { __typename: 'EmptyListError', code: 'EMPTY_LIST', message: expect.any(String) },
      });
    });

    test('results, each once, over a line that breaks', async () => {
      const { id } = await world.startJob();
      await expectEachOnce(followResults(client.subscribe, id), world);
    });

    test('progress to its end, over a line that breaks', async () => {
      const { id } = await world.startJob();
      await expectEnd(followProgress(client, id), world);
    });

    test('a subscription that is refused', async () => {
      const id = Buffer.from('BulkJob:00000000-0000-4000-8000-000000000000').toString('base64url');
      await expect(Array.fromAsync(followProgress(client, id))).rejects.toMatchObject({ code: 'NOT_FOUND' });
    });
  });
};
