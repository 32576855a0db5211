/** A real gateway over the sandbox, a line to it that can be cut, and what clients must find out through it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect } from 'vitest';
import { exampleList } from '../../src/sandbox/index.ts';
import { ask } from '../command/ask.ts';
import { type RunningGateway, startRcpt } from '../command/process.ts';
import { readOperation } from '../graphql/run.ts';
import { createLine, type Line } from './line.ts';

export type Job = { readonly id: string };

export type World = {
  readonly line: Line;
  /** Its RCPT_DATA_DIR. */
  readonly dir: string;
  /** A job that `settles` in more than one batch, so that the line can be cut between two. */
  startJob(): Promise<Job>;
};

/** The list of every job. */
export const addresses = exampleList(1_200);

/** One gateway for the tests of a file. */
export const useGateway = (env: Record<string, string> = {}): World => {
  let dir: string;
  let gateway: RunningGateway;
  let line: Line;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'rcpt-clients-'));
    gateway = await startRcpt('sandbox', {
      RCPT_DATA_DIR: dir,
      RCPT_GREYLIST_RETRY: '1s,1s',
      RCPT_MAX_PROBES_PER_SECOND_PER_EXCHANGE: '0',
      ...env,
    });
    line = await createLine(gateway.url);
  });
  afterAll(async () => {
    await line.close();
    await gateway.stop('SIGTERM');
    await rm(dir, { recursive: true });
  });
  return {
    get line() {
      return line;
    },
    get dir() {
      return dir;
    },
    startJob: async () => {
      const { startBulkJob } = await ask<{ startBulkJob: Job }>(gateway, readOperation('StartBulkJob'), {
        input: { source: { addresses } },
      });
      return startBulkJob;
    },
  };
};

export type Row = { readonly position: number; readonly address: string; readonly status: string };

/** Each result exactly once and in order, though the line was cut on the way. */
export const expectEachOnce = async (
  batches: AsyncIterable<readonly Row[]>,
  { line }: World,
): Promise<void> => {
  const { cuts } = line;
  line.cutAfterEvent('bulkJobResults');
  const rows: Row[] = [];
  for await (const batch of batches) rows.push(...batch);
  expect(line.cuts - cuts).toBe(1);
  expect(rows.map(({ position }) => position)).toEqual(addresses.map((_, index) => index + 1));
  expect(rows.map(({ address }) => address).toSorted()).toEqual(addresses.toSorted());
};

export type Progress = {
  readonly job: { readonly state: string };
  readonly progress: { readonly settled: number };
};

/** The end of the job, though the line was cut on the way, and nothing that goes back. */
export const expectEnd = async (events: AsyncIterable<Progress>, { line }: World): Promise<void> => {
  const { cuts } = line;
  line.cutAfterEvent('bulkJobProgress');
  const settled: number[] = [];
  let state = '';
  for await (const { job, progress } of events) {
    settled.push(progress.settled);
    state = job.state;
  }
  expect(line.cuts - cuts).toBe(1);
  expect(settled).toEqual(settled.toSorted((a, b) => a - b));
  expect([settled.at(-1), state]).toEqual([addresses.length, 'COMPLETED']);
};
