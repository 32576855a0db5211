/** What every client must manage, whatever it speaks: a query, a mutation, an error, and subscriptions over a lost line. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { followResults, type Subscribe } from '../../examples/follow-results.ts';
import { expectEachOnce, expectEnd, type Progress, type Row, type World } from './gateway.ts';

export type ClientUnderTest = {
  /** VerifyEmail; its data. */
  verify(variables: { readonly address: string }): Promise<unknown>;
  /** StartBulkJob; its data. */
  start(variables: { readonly input: object }): Promise<unknown>;
  /** BulkJobProgress, begun again by the client itself or by its adapter. */
  watch(variables: { readonly id: string }): AsyncIterable<Progress>;
  /** BulkJobResults, as `followResults` wants it. */
  readonly subscribe: Subscribe<Row>;
  close(): unknown;
};

export const describeClient = (name: string, world: World, open: (url: string) => ClientUnderTest): void => {
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
      await expectEnd(client.watch({ id }), world);
    });
  });
};
