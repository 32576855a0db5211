/**
 * Jobs and uploads as one caller sees them: what is somebody else's is like what there is not. Whoever asks by a view,
 * a loader or a global id as well, cannot learn that it is there.
 *
 * What belongs to nobody was made while there were no keys: only who sees all sees it. Whose a job is never changes, so
 * that what a view has read or listed once it does not read again before it does something to it.
 */
import type { Jobs, StartJob, Uploads } from './door.ts';
import type { Upload } from './ports.ts';
import type { Job, JobPage } from './types.ts';

export type Viewer = {
  /** The id of an API key; null: nobody, to whom nothing belongs. */
  readonly owner: string | null;
  /** Everybody's jobs, as where there are no keys, and with the scope `admin`. */
  readonly seesAll: boolean;
};

/** Ids that a view remembers as its viewer's. The runaway: a connection of days that pages through all it ever started. */
const mostKnown = 1_000;

const nothing = { items: [], hasNextPage: false };

/** As Jobs, but for whose a job is, which nobody says of himself, and for the end, which is others' as well. */
export type JobsView = Omit<Jobs, 'start' | 'list' | 'close'> & {
  start(input: Omit<StartJob, 'owner'>): ReturnType<Jobs['start']>;
  list(page: Omit<JobPage, 'owner'>): ReturnType<Jobs['list']>;
};

export const viewJobs = (jobs: Jobs, { owner, seesAll }: Viewer): JobsView => {
  const start: JobsView['start'] = (input) => jobs.start({ ...input, owner });
  if (seesAll)
    return Object.assign(Object.create(jobs) as Jobs, {
      start,
      list: (page: Omit<JobPage, 'owner'>) => jobs.list({ ...page, owner: null }),
    });

  const known = new Set<string>();
  const see = (job: Job | null): Job | null => {
    if (job === null || owner === null || job.owner !== owner) return null;
    if (known.size >= mostKnown) known.clear();
    known.add(job.id);
    return job;
  };
  const read = async (id: string): Promise<Job | null> => see(await jobs.read(id));
  /** Does `work` with a job of the viewer's; with any other that there is not. */
  const ask = async <Answer>(
    id: string,
    unknown: NoInfer<Answer>,
    work: (id: string) => Promise<Answer>,
  ): Promise<Answer> => (known.has(id) || (await read(id)) !== null ? work(id) : unknown);

  return {
    async start(input) {
      const outcome = await start(input);
      if (outcome.kind === 'started' || outcome.kind === 'existing') see(outcome.job);
      return outcome;
    },
    read,
    async list(page) {
      if (owner === null) return nothing;
      const listed = await jobs.list({ ...page, owner });
      for (const job of listed.items) see(job);
      return listed;
    },
    results: (jobId, page) => ask(jobId, nothing, (id) => jobs.results(id, page)),
    countResults: (jobId, filter) => ask(jobId, 0, (id) => jobs.countResults(id, filter)),
    breakdown: (jobId, domains) =>
      ask(jobId, { byReason: [], byProvider: [], byDomain: [] }, (id) => jobs.breakdown(id, domains)),
    rows: (jobId, page) => ask(jobId, nothing, (id) => jobs.rows(id, page)),
    // Of a job that the caller holds.
    progress: (job) => jobs.progress(job),
    pause: (jobId) => ask(jobId, null, (id) => jobs.pause(id)),
    resume: (jobId) => ask(jobId, null, (id) => jobs.resume(id)),
    cancel: (jobId) => ask(jobId, null, (id) => jobs.cancel(id)),
    erase: (jobId) => ask(jobId, false, (id) => jobs.erase(id)),
    watch: (jobId, signal) => ask(jobId, null, (id) => jobs.watch(id, signal)),
    watchResults: (jobId, afterPosition, signal) =>
      ask(jobId, null, (id) => jobs.watchResults(id, afterPosition, signal)),
    deliveries: (jobId, page) => ask(jobId, nothing, (id) => jobs.deliveries(id, page)),
    // Of the whole store; who may know it is for whoever shows it to decide.
    storage: () => jobs.storage(),
  };
};

/** Uploads as one caller has them. An upload is half a request: nobody but its maker can make a job of it. */
export type UploadsView = {
  create(input: Omit<Parameters<Uploads['create']>[0], 'owner'>): ReturnType<Uploads['create']>;
  read(id: string): Promise<Upload | null>;
};

export const viewUploads = (
  uploads: Pick<Uploads, 'create' | 'read'>,
  { owner, seesAll }: Viewer,
): UploadsView => ({
  create: ({ fileName, sizeBytes }) => uploads.create({ fileName, sizeBytes, owner }),
  async read(id) {
    const upload = await uploads.read(id);
    return seesAll || (owner !== null && upload?.owner === owner) ? upload : null;
  },
});
