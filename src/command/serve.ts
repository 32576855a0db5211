/** `rcpt serve`: gateway and worker in one process, until a signal ends it. */
import type { Config } from '../config.ts';
import { createPolicyFileMemory } from '../dns/index.ts';
import { writeGlobalId } from '../graphql/index.ts';
import { createUploads, createWebhooks, type Jobs } from '../jobs/index.ts';
import { createServer, describeFault, type Server, stderrLogger } from '../server/index.ts';
import { openThreadedDataDir } from '../store/index.ts';
import { openEngine, openJobs } from './engine.ts';
import type { ExampleVariables } from './examples.ts';

/**
 * How long running chunks are given. With their last writes and the QUITs it stays under the ten seconds that the
 * usual orchestrator waits before it kills; open requests end beside them.
 */
const drainMs = 5_000;

/** An upload that no job was made of is erased after this, however much of it came. */
const uploadLifeMs = 86_400_000;

export type Gateway = {
  readonly url: string;
  /** Resolves when the store's thread has ended by itself: nothing can be kept any more. */
  readonly failed: Promise<Error>;
  close(): Promise<void>;
};

export const startGateway = async (
  config: Config,
  options: {
    readonly isSandbox: boolean;
    readonly version: string;
    /** What the example tabs of GraphiQL ask about; may start what they show. */
    readonly prepareExamples?: (jobs: Jobs) => Promise<ExampleVariables>;
  },
): Promise<Gateway> => {
  const logError = (error: unknown) => stderrLogger.error('fault', describeFault(error));
  const failed = Promise.withResolvers<Error>();
  const store = await openThreadedDataDir(config.dataDir, {
    onEnd: (error) => {
      logError(error);
      failed.resolve(error);
    },
  });
  const engine = openEngine(config, store.verifications, logError);
  const { dns, guard, prober, verifier } = engine;
  const uploads = createUploads({
    store: store.uploads,
    now: () => new Date(),
    maxBytes: config.maxUploadBytes,
    lifeMs: uploadLifeMs,
    onError: logError,
  });
  const sender = createWebhooks({
    store: store.webhooks,
    lookupAddresses: dns.lookupAddresses,
    guard,
    printJobId: (id) => writeGlobalId('BulkJob', id),
    onError: logError,
  });
  const jobs = openJobs(
    config,
    engine,
    { store: store.jobs, uploads: store.uploads, webhooks: { store: store.webhooks, sender } },
    logError,
  );
  let server: Server | null = null;
  const close = async () => {
    await Promise.all([server?.close(), jobs.close(drainMs), uploads.close()]);
    await engine.close();
    await store.close();
  };
  try {
    server = createServer({
      host: config.host,
      port: config.port,
      isSandbox: options.isSandbox,
      secret: store.secret,
      exampleVariables: (await options.prepareExamples?.(jobs)) ?? {},
      services: {
        dns,
        guard,
        prober,
        verifier,
        jobs,
        uploads,
        policyFiles: { memory: createPolicyFileMemory() },
        gateway: { version: options.version, isSandbox: options.isSandbox },
      },
    });
    const { url } = await server.listen();
    return { url, failed: failed.promise, close };
  } catch (error) {
    await close();
    throw error;
  }
};

/** Closes it at a signal. When its store is lost it is closed as well, and this rejects with why: the process ends. */
export const untilEnd = async (gateway: Gateway): Promise<void> => {
  const fault = await Promise.race([untilSignal().then(() => null), gateway.failed]);
  await gateway.close();
  if (fault !== null) throw fault;
};

/** Resolves at the first SIGINT or SIGTERM; a second one ends the process at once. */
const untilSignal = (): Promise<NodeJS.Signals> =>
  new Promise((resolve) => {
    const signals = ['SIGINT', 'SIGTERM'] as const;
    let isEnding = false;
    for (const signal of signals)
      process.on(signal, () => {
        if (isEnding) process.exit(130);
        isEnding = true;
        resolve(signal);
      });
  });
