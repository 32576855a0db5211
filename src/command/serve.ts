/** `rcpt serve`: gateway and worker in one process, until a signal ends it. */
import { setTimeout as pause } from 'node:timers/promises';
import { type Config, refuseOpenHost } from '../config.ts';
import { createPolicyFileMemory } from '../dns/index.ts';
import { createUploads, type Jobs } from '../jobs/index.ts';
import { type Keys, openKeys } from '../keys/index.ts';
import {
  createServer,
  describeFault,
  readPersistedOperations,
  type Server,
  stderrLogger,
} from '../server/index.ts';
import type { ExampleVariables } from './examples.ts';
import { type Node, openNode } from './node.ts';

/** An upload that no job was made of is erased after this, however much of it came. */
const uploadLifeMs = 86_400_000;

export type Gateway = {
  readonly url: string;
  /** Resolves when nothing can be kept any more. */
  readonly failed: Promise<Error>;
  close(): Promise<void>;
};

/** What goes wrong beside any request: to the log. */
export const logError = (error: unknown): void => stderrLogger.error('fault', describeFault(error));

export const startGateway = async (
  config: Config,
  options: {
    readonly isSandbox: boolean;
    readonly version: string;
    /** What the example tabs of GraphiQL ask about; may start what they show. */
    readonly prepareExamples?: (jobs: Jobs) => Promise<ExampleVariables>;
  },
): Promise<Gateway> => {
  const { persistedOperations, isPersistedOnly, isIntrospectionOn } = config;
  const documents = {
    persistedOperations: persistedOperations === null ? null : readPersistedOperations(persistedOperations),
    isPersistedOnly,
    isIntrospectionOn,
  };
  const node = await openNode(config, logError, stderrLogger.audit);
  const { store, engine, jobs } = node;
  const keys = await openGatewayKeys(config, node);
  const { dns, guard, prober, verifier } = engine;
  const uploads = createUploads({
    store: store.uploads,
    now: () => new Date(),
    maxBytes: config.maxUploadBytes,
    lifeMs: uploadLifeMs,
    onError: logError,
  });
  let server: Server | null = null;
  const close = async (): Promise<void> => {
    if (server !== null && config.shutdownDelaySeconds > 0) {
      server.retire();
      await pause(config.shutdownDelaySeconds * 1_000);
    }
    await node.close([server?.close(), uploads.close(), keys.close()]);
  };
  try {
    server = createServer({
      host: config.host,
      port: config.port,
      isSandbox: options.isSandbox,
      corsOrigins: config.corsOrigins,
      isGraphiqlOn: config.isGraphiqlOn,
      trustedProxies: config.trustedProxies,
      keys,
      buckets: store.buckets,
      documents,
      secret: store.secret,
      pingStore: () => store.jobs.nextChunkAt(),
      exampleVariables: (await options.prepareExamples?.(jobs)) ?? {},
      services: {
        dns,
        guard,
        prober,
        verifier,
        jobs,
        uploads,
        policyFiles: { memory: createPolicyFileMemory() },
        gateway: { version: options.version, isSandbox: options.isSandbox, isFederated: config.isFederated },
      },
    });
    const { url } = await server.listen();
    return { url, failed: store.failed, close };
  } catch (error) {
    await close();
    throw error;
  }
};

/** @throws ConfigError when everybody could reach the gateway and it would ask nobody for a key */
const openGatewayKeys = async (config: Config, node: Node): Promise<Keys> => {
  try {
    const keys = await openKeys({ store: node.store.keys, onError: logError });
    refuseOpenHost(config, keys.isConfigured);
    return keys;
  } catch (error) {
    await node.close([]);
    throw error;
  }
};

/** Closes it at a signal. When its store is lost it is closed as well, and this rejects with why: the process ends. */
export const untilEnd = async (process: Pick<Gateway, 'failed' | 'close'>): Promise<void> => {
  const fault = await Promise.race([untilSignal().then(() => null), process.failed]);
  await process.close();
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
