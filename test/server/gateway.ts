import { createServer, type Logger, type Server, type ServerOptions } from '../../src/server/index.ts';
import { createFakeWorld, type FakeWorld } from '../graphql/fakes.ts';

export type Logged = { readonly event: string; readonly details: Readonly<Record<string, unknown>> };

/** A gateway over the fakes of `test/graphql`, and what it logged. */
export const createTestServer = (
  options: Partial<ServerOptions> = {},
): { readonly server: Server; readonly world: FakeWorld; readonly logged: Logged[] } => {
  const world = createFakeWorld();
  const logged: Logged[] = [];
  const note: Logger['error'] = (event, details) => logged.push({ event, details });
  const logger: Logger = { error: note, audit: note };
  const server = createServer({
    host: '127.0.0.1',
    port: 0,
    services: world.services,
    isSandbox: false,
    secret: 'a secret of at least thirty-two octets',
    logger,
    ...options,
  });
  return { server, world, logged };
};

const base = 'http://127.0.0.1:4000';

/** A POST as clients send it; every part can be overridden. */
export const post = (
  server: Pick<Server, 'fetch'>,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<Response> =>
  Promise.resolve(
    server.fetch(`${base}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', host: '127.0.0.1:4000', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    }),
  );

export const get = (
  server: Pick<Server, 'fetch'>,
  path: string,
  headers: Record<string, string> = {},
): Promise<Response> =>
  Promise.resolve(server.fetch(`${base}${path}`, { headers: { host: '127.0.0.1:4000', ...headers } }));

/** Waits until a condition holds. @throws after five seconds */
export const until = async (holds: () => boolean): Promise<void> => {
  const deadline = Date.now() + 5_000;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error('it did not come true in five seconds');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
};
