/** Jobs and uploads that stand still until a test moves them. */
import type {
  CreateUploadOutcome,
  Delivery,
  Job,
  Jobs,
  Progress,
  ProgressSnapshot,
  ResultFilter,
  SettledRow,
  StartJob,
  StartOutcome,
  Upload,
  Uploads,
} from '../../src/jobs/index.ts';

const progressOf = (job: Job): Progress => ({
  ...job.counters,
  perSecond: 0,
  secondsLeft: null,
  nextRetryAt: null,
});

const resultOf = (row: number): SettledRow => ({
  position: row,
  row,
  address: row === 2 ? '=1+1@mail.test' : `user${row}@mail.test`,
  duplicateOf: null,
  status: row % 2 === 0 ? 'UNDELIVERABLE' : 'DELIVERABLE',
  reason: row % 2 === 0 ? 'MAILBOX_NOT_FOUND' : 'MAILBOX_EXISTS',
  score: row % 2 === 0 ? 2 : 95,
  provider: null,
  exchange: 'mx1.mail.test',
  reply: { code: 250, enhancedCode: '2.1.5', text: 'Ok' },
  checkedAt: new Date('2030-01-01T00:00:00Z'),
});

/** Jobs that stand still until a test moves them with `advance`. */
export const createFakeJobs = () => {
  const jobs = new Map<string, Job>();
  const keys = new Map<string, { id: string; inputHash: string | null }>();
  const wakeUps = new Set<() => void>();
  let reads = 0;
  let watching = 0;

  const create = (total: number, name: string | null, owner: string | null = null): Job => {
    const job: Job = {
      id: crypto.randomUUID(),
      owner,
      name,
      state: 'QUEUED',
      createdAt: new Date(Date.UTC(2030, 0, 1, 0, 0, jobs.size)),
      startedAt: null,
      endedAt: null,
      expiresAt: new Date('2030-02-01T00:00:00Z'),
      counters: {
        total,
        settled: 0,
        waiting: 0,
        deliverable: 0,
        undeliverable: 0,
        risky: 0,
        unknown: 0,
        duplicates: 0,
      },
      nextRetryAt: null,
      list: { format: 'INLINE', fileName: null, columns: ['address'], addressColumn: 0 },
      maxAgeSeconds: null,
      storedBytes: total * 100,
      webhook: null,
    };
    jobs.set(job.id, job);
    return job;
  };

  /** As the real one, whoever asks for what makes no sense gets the job as it is. */
  const move = (id: string, from: readonly Job['state'][], state: Job['state']): Job | null => {
    const job = jobs.get(id);
    if (job === undefined || !from.includes(job.state)) return job ?? null;
    const moved: Job = {
      ...job,
      state,
      endedAt: state === 'CANCELLED' ? new Date('2030-01-01T01:00:00Z') : null,
    };
    jobs.set(id, moved);
    for (const wake of wakeUps) wake();
    return moved;
  };

  const matches =
    ({ statuses, reasons, search }: ResultFilter) =>
    ({ status, reason, address }: SettledRow): boolean =>
      (statuses === null || statuses.includes(status)) &&
      (reasons === null || reasons.includes(reason)) &&
      (search === null || address.includes(search));

  const settledOf = (id: string): SettledRow[] =>
    Array.from({ length: jobs.get(id)?.counters.settled ?? 0 }, (_, index) => resultOf(index + 1));

  const fake = {
    get reads() {
      return reads;
    },
    /** Streams of `watch` that have not ended. */
    get watching() {
      return watching;
    },
    create,
    /** What the next `start` answers, instead of starting. */
    nextOutcome: null as StartOutcome | null,
    /** What `start` was asked, oldest first. */
    started: [] as StartJob[],
    /** Changes what a job is, as no port can. */
    change: (id: string, changes: Partial<Job>): void => {
      const job = jobs.get(id);
      if (job) jobs.set(id, { ...job, ...changes });
    },
    deliveries: [] as Delivery[],
    /** How often `storage` was asked. */
    storageReads: 0,
    /** Settles rows of a job; the last one completes it. */
    advance: (id: string, rows: number): void => {
      const job = jobs.get(id);
      if (!job) throw new Error('no such job');
      const settled = Math.min(job.counters.total, job.counters.settled + rows);
      jobs.set(id, {
        ...job,
        state: settled === job.counters.total ? 'COMPLETED' : 'RUNNING',
        counters: { ...job.counters, settled, deliverable: settled },
      });
      for (const wake of wakeUps) wake();
    },
  };

  const watch = (id: string, signal?: AbortSignal): AsyncIterableIterator<ProgressSnapshot> => {
    let last: Job | undefined;
    let isEnded = false;
    let wake: () => void = () => undefined;
    const end = () => {
      if (!isEnded) watching -= 1;
      isEnded = true;
      wakeUps.delete(onWake);
      wake();
    };
    const onWake = () => wake();
    wakeUps.add(onWake);
    watching += 1;
    signal?.addEventListener('abort', end, { once: true });
    return {
      next: async () => {
        while (!isEnded && jobs.get(id) === last) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
        const job = jobs.get(id);
        if (isEnded || !job) return { done: true, value: undefined };
        last = job;
        if (job.state === 'COMPLETED') {
          end();
          return { done: false, value: { job, progress: progressOf(job) } };
        }
        return { done: false, value: { job, progress: progressOf(job) } };
      },
      return: async () => {
        end();
        return { done: true, value: undefined };
      },
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  };

  /** Batches of two, so that a few rows make several. */
  async function* watchResults(id: string, afterPosition: number) {
    const progress = watch(id);
    let position = afterPosition;
    for await (const _ of progress)
      while (position < (jobs.get(id)?.counters.settled ?? 0)) {
        const rows = settledOf(id).slice(position, position + 2);
        position = rows.at(-1)?.position ?? position;
        yield rows;
      }
  }

  const port: Jobs = {
    start: async (input): Promise<StartOutcome> => {
      fake.started.push(input);
      const { name, owner, source, idempotencyKey, maxAgeSeconds } = input;
      const outcome = fake.nextOutcome;
      fake.nextOutcome = null;
      if (outcome !== null) return outcome;
      const list: string[] = [];
      if (source.kind === 'addresses') for await (const address of source.addresses) list.push(address);
      else list.push('ada@mail.test');
      if (list.length === 0) return { kind: 'emptyList' };
      const inputHash = JSON.stringify([name, list]);
      const known = idempotencyKey === null ? undefined : keys.get(idempotencyKey);
      const existing = known && jobs.get(known.id);
      if (known && existing)
        return known.inputHash === inputHash
          ? { kind: 'existing', job: existing }
          : { kind: 'idempotencyConflict' };
      const { id } = create(list.length, name, owner);
      if (idempotencyKey !== null) keys.set(idempotencyKey, { id, inputHash });
      fake.change(id, { maxAgeSeconds });
      return { kind: 'started', job: jobs.get(id) as Job };
    },
    read: async (id) => {
      reads += 1;
      return jobs.get(id) ?? null;
    },
    list: async ({ limit, afterId, owner, states, search }) => {
      const all = [...jobs.values()]
        .toReversed()
        .filter((job) => owner === null || job.owner === owner)
        .filter(({ state }) => states === null || states.includes(state))
        .filter(({ name }) => search === null || name?.includes(search) === true);
      const from = afterId === null ? 0 : all.findIndex(({ id }) => id === afterId) + 1;
      return { items: all.slice(from, from + limit), hasNextPage: all.length > from + limit };
    },
    results: async (id, { afterPosition, limit, ...filter }) => {
      const all = settledOf(id)
        .filter(matches(filter))
        .filter(({ position }) => position > afterPosition);
      return { items: all.slice(0, limit), hasNextPage: all.length > limit };
    },
    countResults: async (id, filter) => settledOf(id).filter(matches(filter)).length,
    breakdown: async (_id, domains) => ({
      byReason: [{ reason: 'MAILBOX_EXISTS', count: 3 }],
      byProvider: [{ provider: 'GOOGLE', count: 3, deliverable: 2 }],
      byDomain: Array.from({ length: domains }, (_, index) => ({
        domain: `d${index}.test`,
        count: 1,
        deliverable: 1,
      })),
    }),
    rows: async (id, { afterRow, limit }) => {
      const settled = settledOf(id);
      const total = jobs.get(id)?.counters.total ?? 0;
      const items = Array.from({ length: Math.max(0, Math.min(limit, total - afterRow)) }, (_, index) => {
        const row = afterRow + index + 1;
        return { row, address: resultOf(row).address, cells: null, result: settled[row - 1] ?? null };
      });
      return { items, hasNextPage: total > afterRow + limit };
    },
    progress: progressOf,
    pause: async (id) => move(id, ['QUEUED', 'RUNNING'], 'PAUSED'),
    resume: async (id) => move(id, ['PAUSED'], 'RUNNING'),
    cancel: async (id) => move(id, ['QUEUED', 'RUNNING', 'PAUSED'], 'CANCELLED'),
    erase: async (id) => jobs.delete(id),
    watchResults: async (id, afterPosition) => (jobs.has(id) ? watchResults(id, afterPosition) : null),
    deliveries: async (_id, { limit, afterId }) => {
      const from = afterId === null ? 0 : fake.deliveries.findIndex(({ id }) => id === afterId) + 1;
      return {
        items: fake.deliveries.slice(from, from + limit),
        hasNextPage: fake.deliveries.length > from + limit,
      };
    },
    storage: async () => {
      fake.storageReads += 1;
      return { databaseBytes: 5_000_000_000, uploadBytes: 12, freeBytes: null };
    },
    watch: async (id, signal) => (jobs.has(id) ? watch(id, signal) : null),
    close: async () => undefined,
  };
  return Object.assign(port, { fake });
};

/** Uploads that are described and have no octets; `write` is the real one's to test. */
export const createFakeUploads = () => {
  const uploads = new Map<string, Upload>();
  const port: Uploads & { readonly fake: { outcome: CreateUploadOutcome | null; reads: number } } = {
    fake: { outcome: null, reads: 0 },
    create: async ({ fileName, sizeBytes, owner }) => {
      if (port.fake.outcome !== null) return port.fake.outcome;
      const upload: Upload = {
        id: crypto.randomUUID(),
        owner,
        fileName,
        state: 'OPEN',
        sizeBytes,
        receivedBytes: 0,
        createdAt: new Date('2030-01-01T00:00:00Z'),
        expiresAt: new Date('2030-01-02T00:00:00Z'),
        sha256: null,
      };
      uploads.set(upload.id, upload);
      return { kind: 'created', upload };
    },
    read: async (id) => {
      port.fake.reads += 1;
      return uploads.get(id) ?? null;
    },
    write: async () => ({ kind: 'noUpload' }),
    close: async () => undefined,
  };
  return port;
};
