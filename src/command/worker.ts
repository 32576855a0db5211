/** `rcpt worker`: works on the jobs of a cluster and serves nothing but its health, until a signal ends it. */
import { type Config, ConfigError } from '../config.ts';
import { createHealth, openHealthServer, stderrLogger } from '../server/index.ts';
import { openNode } from './node.ts';
import { type Gateway, logError } from './serve.ts';

export type Worker = Pick<Gateway, 'url' | 'failed' | 'close'>;

/** @throws ConfigError without a database to share */
export const startWorker = async (config: Config): Promise<Worker> => {
  if (config.database === null)
    throw new ConfigError(
      'DATABASE_URL: a worker shares a PostgreSQL database (with SQLite, `rcpt serve` is gateway and worker in one)',
    );
  const node = await openNode(config, logError, stderrLogger.audit);
  let isClosing = false;
  try {
    const health = await openHealthServer({
      host: config.host,
      port: config.port,
      readHealth: createHealth({ ping: () => node.store.jobs.nextChunkAt(), isClosing: () => isClosing }),
    });
    return {
      url: health.url,
      failed: node.store.failed,
      async close() {
        isClosing = true;
        // It says that it is closing for as long as it does.
        await node.close([]);
        await health.close();
      },
    };
  } catch (error) {
    await node.close([]);
    throw error;
  }
};
