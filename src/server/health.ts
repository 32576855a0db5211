/**
 * Health for orchestrators: alive while the process answers at all, ready while it may be sent work. A store that
 * cannot be reached makes a process unready and not dead: restarting it would mend nothing.
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { headersTimeoutMs } from './limits.ts';

export type Health = 'ready' | 'closing' | 'storeUnavailable';

/** The store is asked this often at most, however many ask us. */
const pingEveryMs = 1_000;
/** An orchestrator's own deadline is a second at the least. */
const pingMs = 900;

/** @param ping rejects when the store cannot be reached */
export const createHealth = (options: {
  readonly ping: () => Promise<unknown>;
  readonly isClosing: () => boolean;
}): (() => Promise<Health>) => {
  let pinged: { readonly at: number; readonly isReachable: Promise<boolean> } | null = null;

  const isReachable = (): Promise<boolean> => {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(false), pingMs);
    });
    const answered = options.ping().then(
      () => true,
      () => false,
    );
    return Promise.race([answered, late]).finally(() => clearTimeout(timer));
  };

  return async () => {
    if (options.isClosing()) return 'closing';
    const at = performance.now();
    if (pinged === null || at - pinged.at >= pingEveryMs) pinged = { at, isReachable: isReachable() };
    return (await pinged.isReachable) ? 'ready' : 'storeUnavailable';
  };
};

export const healthPaths = { live: '/health/live', ready: ['/health', '/health/ready'] } as const;

export const printHealth = (health: Health): { readonly status: number; readonly body: string } => ({
  status: health === 'ready' ? 200 : 503,
  body: JSON.stringify({ status: health }),
});

/** Nothing but health, for a process that serves nothing else. */
export const openHealthServer = (options: {
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  readonly readHealth: () => Promise<Health>;
}): Promise<{ readonly url: string; close(): Promise<void> }> => {
  const server: Server = createServer({ headersTimeout: headersTimeoutMs }, async (request, response) => {
    const path = request.url?.split('?')[0] ?? '';
    const isReady = healthPaths.ready.some((one) => one === path);
    const { status, body } = isReady
      ? printHealth(await options.readHealth())
      : path === healthPaths.live
        ? { status: 200, body: JSON.stringify({ status: 'live' }) }
        : { status: 404, body: JSON.stringify({ status: 'a worker has nothing here but its health' }) };
    response.writeHead(status, {
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'no-store',
    });
    response.end(body);
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, () => {
      server.off('error', reject);
      const { address, family, port } = server.address() as AddressInfo;
      resolve({
        url: `http://${family === 'IPv6' ? `[${address}]` : address}:${port}${healthPaths.ready[0]}`,
        close: () =>
          new Promise((closed) => {
            server.close(() => closed());
            server.closeAllConnections();
          }),
      });
    });
  });
};
