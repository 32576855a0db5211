/** Stores in trouble: what they reject with, and that none of it holds the password. */
import { inspect } from 'node:util';
import { afterEach, expect } from 'vitest';
import type { Chunk } from '../../src/jobs/index.ts';
import { openPostgresStore, type PostgresStore, StoreError } from '../../src/store/index.ts';
import { result } from '../store/list.ts';
import { password } from './server.ts';

const expectNoPassword = (error: unknown): void =>
  expect(inspect(error, { depth: 10, showHidden: true })).not.toContain(password);

/** What was rejected: one line for an operator. */
export const faultOf = async (work: Promise<unknown>): Promise<StoreError> => {
  const error = await work.then(
    () => null,
    (rejected: unknown) => rejected,
  );
  if (!(error instanceof StoreError)) throw new Error('no StoreError', { cause: error });
  expect(error.message).toMatch(/^[^\n]{20,300}$/);
  expectNoPassword(error);
  return error;
};

/** Stores that are closed after each test, and what they said of themselves. */
export const openInTrouble = () => {
  const opened: PostgresStore[] = [];
  const faults: unknown[] = [];
  const closeAll = async (): Promise<void> => {
    await Promise.all(opened.splice(0).map((store) => store.close()));
  };
  afterEach(async () => {
    await closeAll();
    for (const fault of faults.splice(0)) expectNoPassword(fault);
  });
  return {
    faults,
    closeAll,
    async open(
      url: string,
      over: Partial<Parameters<typeof openPostgresStore>[0]> = {},
    ): Promise<PostgresStore> {
      const store = await openPostgresStore({
        url,
        source: '192.0.2.1',
        connections: 4,
        leaseMs: 60_000,
        onError: (error) => faults.push(error),
        ...over,
      });
      opened.push(store);
      return store;
    },
  };
};

export const takeNow = async ({ jobs }: PostgresStore): Promise<Chunk> => {
  const now = new Date();
  const chunk = await jobs.takeChunk(now, new Date(now.getTime() + 60_000));
  if (chunk === null) throw new Error('there is no chunk to take');
  return chunk;
};

export const settledOf = (chunk: Chunk, from: number, to: number) => ({
  settled: chunk.rows.slice(from, to).map((row) => result(row)),
  waiting: [],
});
