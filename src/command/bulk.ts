/**
 * `rcpt bulk <file>`: a list verified in process. The job lives in SQLite's private temporary database, which the
 * system removes by itself even after a kill: no address stays behind. The output appears whole or not at all.
 */
import { createReadStream, createWriteStream } from 'node:fs';
import { access, constants, rename, rm, writeFile } from 'node:fs/promises';
import { extname } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Config } from '../config.ts';
import { type Job, type Jobs, printResults, type ResultFormat } from '../jobs/index.ts';
import { openSqliteStore } from '../store/index.ts';
import { openEngine, openJobs } from './engine.ts';
import { openProgressBar } from './progress-bar.ts';

export type BulkOptions = {
  /** Null: standard output. */
  readonly output: string | null;
  readonly format: ResultFormat;
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

const formatByExtension: Readonly<Record<string, ResultFormat>> = {
  '.ndjson': 'NDJSON',
  '.jsonl': 'NDJSON',
  '.xlsx': 'XLSX',
};

/** What the name of the output says; CSV where it says nothing. */
export const formatOf = (output: string | null): ResultFormat =>
  formatByExtension[extname(output ?? '').toLowerCase()] ?? 'CSV';

export const runBulk = async (file: string, config: Config, options: BulkOptions): Promise<void> => {
  const { output, format, signal } = options;
  // Before anything is asked: a list that cannot be read, or a place that cannot be written, costs nobody a probe.
  await access(file, constants.R_OK);
  const part = output === null ? null : `${output}.part`;
  if (part !== null) await writeFile(part, '');
  const store = openSqliteStore({ path: '' });
  const onError = (error: unknown) => console.error(error);
  const engine = openEngine(config, store.verifications, onError);
  const jobs = openJobs(config, engine, { store: store.jobs, uploads: null, webhooks: null }, onError);
  try {
    const { id } = await startJob(jobs, file, options.column);
    const job = await follow(jobs, id, signal);
    const results = Readable.from(printResults(jobs, job, format));
    if (part === null || output === null) await pipeline(results, process.stdout, { end: false, signal });
    else {
      await pipeline(results, createWriteStream(part), { signal });
      await rename(part, output);
    }
  } finally {
    if (part !== null) await rm(part, { force: true });
    await jobs.close(signal.aborted ? 0 : drainMs);
    await engine.close();
    store.close();
  }
};

const startJob = async (jobs: Jobs, file: string, column: string | null): Promise<Job> => {
  const outcome = await jobs.start({
    source: { kind: 'file', fileName: file, readContent: () => createReadStream(file) },
    name: null,
    column,
    maxAgeSeconds: null,
    retentionSeconds: null,
    webhook: null,
    idempotencyKey: null,
    owner: null,
  });
  switch (outcome.kind) {
    case 'started':
      return outcome.job;
    case 'badFile':
      throw new ListRefused(outcome.message);
    case 'emptyList':
      throw new ListRefused('the list has no rows');
    case 'tooManyRows':
      throw new ListRefused(
        `the list has more than ${outcome.limit.toLocaleString('en')} rows (RCPT_MAX_ROWS)`,
      );
    case 'storeTrouble':
      throw new ListRefused('the list cannot be kept: the temporary directory is full');
    default:
      throw new Error(`a job from a file without an idempotency key cannot be ${outcome.kind}`);
  }
};

/** Shows progress until the job has ended; gives it as it ended. */
const follow = async (jobs: Jobs, id: string, signal: AbortSignal): Promise<Job> => {
  const bar = openProgressBar(process.stderr);
  try {
    let last: Job | null = null;
    for await (const snapshot of (await jobs.watch(id, signal)) ?? []) {
      last = snapshot.job;
      bar.show(snapshot);
    }
    signal.throwIfAborted();
    if (last === null) throw new Error('the job ended without a last snapshot');
    return last;
  } finally {
    bar.close();
  }
};
