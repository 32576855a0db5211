import { createServer, type Server } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { closeTogether, type Exchange, isAvailable, listenTogether } from './mail-server.ts';

const exchangeAt = (ip: string): Exchange => ({
  ip,
  server: { net: createServer(), hangUp: () => {}, reset: () => {} },
});

let started: readonly Exchange[] = [];
const squatter: Server = createServer();
afterEach(async () => {
  await closeTogether(started);
  await new Promise((resolve) => squatter.close(resolve));
});

it('draws another port when one of the addresses has the first taken', async () => {
  started = ['127.26.250.1', '127.26.250.2'].map(exchangeAt);
  const [first] = started;
  let taken = 0;
  first?.server.net.once('listening', () => {
    const address = first.server.net.address();
    taken = address !== null && typeof address === 'object' ? address.port : 0;
    // Asked for before the second server asks for it.
    squatter.listen(taken, '127.26.250.2');
  });
  const port = await listenTogether(started, 0);
  expect(squatter.listening).toBe(true);
  expect(taken).toBeGreaterThan(0);
  expect(port).not.toBe(taken);
  expect(started.map(({ server }) => server.net.address())).toMatchObject([{ port }, { port }]);
});

it('says in words what is missing where an address is not there', async () => {
  // TEST-NET-1 (RFC 5737): no interface has it.
  await expect(listenTogether([exchangeAt('192.0.2.1')], 0)).rejects.toThrow('every address of 127.0.0.0/8');
});

it('knows whether an address can be listened at', async () => {
  expect(await isAvailable(createServer(), '127.26.250.3')).toBe(true);
  expect(await isAvailable(createServer(), '192.0.2.1')).toBe(false);
});
