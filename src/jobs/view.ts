/** Placeholder until the branch keystore is merged. */
import type { Jobs, StartJob, Uploads } from './door.ts';

export type Viewer = { readonly owner: string | null; readonly seesAll: boolean };
export type JobsView = Omit<Jobs, 'start' | 'close'> & {
  start(input: Omit<StartJob, 'owner'>): ReturnType<Jobs['start']>;
};
export type UploadsView = {
  create(input: Omit<Parameters<Uploads['create']>[0], 'owner'>): ReturnType<Uploads['create']>;
  read(id: string): ReturnType<Uploads['read']>;
};
export const viewJobs = (jobs: Jobs, { owner }: Viewer): JobsView => ({
  read: (...a) => jobs.read(...a),
  list: (...a) => jobs.list(...a),
  results: (...a) => jobs.results(...a),
  countResults: (...a) => jobs.countResults(...a),
  breakdown: (...a) => jobs.breakdown(...a),
  rows: (...a) => jobs.rows(...a),
  progress: (...a) => jobs.progress(...a),
  pause: (...a) => jobs.pause(...a),
  resume: (...a) => jobs.resume(...a),
  cancel: (...a) => jobs.cancel(...a),
  erase: (...a) => jobs.erase(...a),
  watch: (...a) => jobs.watch(...a),
  watchResults: (...a) => jobs.watchResults(...a),
  deliveries: (...a) => jobs.deliveries(...a),
  storage: () => jobs.storage(),
  start: (input) => jobs.start({ ...input, owner }),
});
export const viewUploads = (uploads: Uploads, { owner }: Viewer): UploadsView => ({
  create: (input) => uploads.create({ ...input, owner }),
  read: (id) => uploads.read(id, owner),
});
