/**
 * `rcpt bulk <file>`: a list verified in process. The job lives in SQLite's private temporary database, which the
 * system removes by itself even after a kill: no address stays behind. The output appears whole or not at all.
 */
import { createReadStream, createWriteStream } from 'node:fs';
import { rename, rm, writeFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Config } from '../config.ts';
import {
  type AddressList,
  type Job,
  type Jobs,
  type ProgressSnapshot,
  printCsv,
  readAddressList,
} from '../jobs/index.ts';
import { openSqliteStore } from '../store/index.ts';
import { openEngine, openJobs } from './engine.ts';
import { openProgressBar } from './progress-bar.ts';

export type BulkOptions = {
  /** Null: standard output. */
  readonly output: string | null;
  /** Null: found by its name or content. */
  readonly column: string | null;
  readonly signal: AbortSignal;
};

/** One line for the person at the terminal, as every error with a code is. */
class ListRefused extends Error {
  readonly code = 'LIST_REFUSED';
}

/** Running verifications are given this long when the command is interrupted. */
const drainMs = 1_000;

export const runBulk = async (file: string, config: Config, options: BulkOptions): Promise<void> => {
  const { output, column, signal } = options;
  const read = async (): Promise<AddressList> =>
    readAddressList(createReadStream(file), { fileName: file, ...(column === null ? {} : { column }) });
  // Before anything is asked: a list that cannot be read, or a place that cannot be written, costs nobody a probe.
  const list = await read();
  const part = output === null ? null : `${output}.part`;
  if (part !== null) await writeFile(part, '');
  const store = openSqliteStore({ path: '' });
  const onError = (error: unknown) => console.error(error);
  const engine = openEngine(config, store.verifications, onError);
  const jobs = openJobs(config, engine, store.jobs, onError);
  try {
    const job = await startJob(jobs, list);
    const last = await follow(jobs, job, signal);
    const again = await read();
    const csv = Readable.from(printCsv(jobs, job.id, again));
    if (part === null || output === null) await pipeline(csv, process.stdout, { end: false, signal });
    else {
      await pipeline(csv, createWriteStream(part), { signal });
      await rename(part, output);
    }
    if (!last) throw new Error('the job ended without a last snapshot');
  } finally {
    if (part !== null) await rm(part, { force: true });
    await jobs.close(signal.aborted ? 0 : drainMs);
    await engine.close();
    store.close();
  }
};

async function* addressesOf({ rows }: AddressList): AsyncGenerator<string, void, undefined> {
  for await (const { address } of rows) yield address;
}

const startJob = async (jobs: Jobs, list: AddressList): Promise<Job> => {
  const outcome = await jobs.start({
    name: null,
    addresses: addressesOf(list),
    idempotencyKey: null,
    inputHash: null,
  });
  switch (outcome.kind) {
    case 'started':
      return outcome.job;
    case 'emptyList':
      throw new ListRefused('the list has no rows');
    case 'tooManyRows':
      throw new ListRefused(`the list has more than ${outcome.limit.toLocaleString('en')} rows`);
    case 'storeTrouble':
      throw new ListRefused('the list cannot be kept: the temporary directory is full');
    default:
      throw new Error(`a job without an idempotency key cannot be ${outcome.kind}`);
  }
};

/** Shows progress until the job has ended; gives its last snapshot. */
const follow = async (jobs: Jobs, job: Job, signal: AbortSignal): Promise<ProgressSnapshot | null> => {
  const bar = openProgressBar(process.stderr);
  let last: ProgressSnapshot | null = null;
  try {
    for await (const snapshot of (await jobs.watch(job.id, signal)) ?? []) {
      last = snapshot;
      bar.show(snapshot);
    }
    signal.throwIfAborted();
    return last;
  } finally {
    bar.close();
  }
};
