/** What every process of rcpt is made of: a store, an engine, the jobs on them, and whoever tells webhooks. */
import type { Config } from '../config.ts';
import { writeGlobalId } from '../graphql/index.ts';
import { createWebhooks, type Jobs } from '../jobs/index.ts';
import { type Engine, type OnAudit, openEngine, openJobs } from './engine.ts';
import { openStore, type Store } from './store.ts';

/**
 * How long running chunks are given. With their last writes and the QUITs it stays under the ten seconds that the
 * usual orchestrator waits before it kills; open requests end beside them.
 */
const drainMs = 5_000;

export type Node = {
  readonly store: Store;
  readonly engine: Engine;
  readonly jobs: Jobs;
  /** Ends the work in order, beside whatever else has to end before the store may close. */
  close(beside: readonly (Promise<unknown> | undefined)[]): Promise<void>;
};

export const openNode = async (
  config: Config,
  onError: (error: unknown) => void,
  onAudit: OnAudit,
): Promise<Node> => {
  const store = await openStore(config, onError);
  const engine = openEngine(config, store.verifications, onError, store, onAudit);
  const sender = createWebhooks({
    store: store.webhooks,
    lookupAddresses: engine.dns.lookupAddresses,
    guard: engine.guard,
    printJobId: (id) => writeGlobalId('BulkJob', id),
    onError,
  });
  const { jobs: jobStore, uploads, webhooks, wire } = store;
  const jobs = openJobs(
    config,
    engine,
    { store: jobStore, uploads, webhooks: { store: webhooks, sender }, wire },
    onError,
  );
  return {
    store,
    engine,
    jobs,
    async close(beside) {
      await Promise.all([...beside, jobs.close(drainMs)]);
      await engine.close();
      await store.close();
    },
  };
};
