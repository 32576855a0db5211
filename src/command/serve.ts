/** `rcpt serve`: gateway and worker in one process, until a signal ends it. */
import { randomBytes } from 'node:crypto';
import type { Config } from '../config.ts';
import { createPolicyFileMemory } from '../dns/index.ts';
import type { Jobs } from '../jobs/index.ts';
import { createServer, describeFault, type Server, stderrLogger } from '../server/index.ts';
import { openDataDir } from '../store/index.ts';
import { openEngine, openJobs } from './engine.ts';
import type { ExampleVariables } from './examples.ts';

/** How long running chunks and open streams are given before the process ends all the same. */
const drainMs = 10_000;

export type Gateway = { readonly url: string; close(): Promise<void> };

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
  const store = openDataDir(config.dataDir);
  const engine = openEngine(config, store.verifications, logError);
  const { dns, guard, prober, verifier } = engine;
  const jobs = openJobs(config, engine, store.jobs, logError);
  let server: Server | null = null;
  const close = async () => {
    await server?.close();
    await jobs.close(drainMs);
    await engine.close();
    store.close();
  };
  try {
    server = createServer({
      host: config.host,
      port: config.port,
      isSandbox: options.isSandbox,
      secret: randomBytes(32),
      exampleVariables: (await options.prepareExamples?.(jobs)) ?? {},
      services: {
        dns,
        guard,
        prober,
        verifier,
        jobs,
        policyFiles: { memory: createPolicyFileMemory() },
        gateway: { version: options.version, isSandbox: options.isSandbox },
      },
    });
    const { url } = await server.listen();
    return { url, close };
  } catch (error) {
    await close();
    throw error;
  }
};

/** Resolves at the first SIGINT or SIGTERM; a second one ends the process at once. */
export const untilSignal = (): Promise<NodeJS.Signals> =>
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
