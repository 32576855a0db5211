/** The settings at work: from RCPT_PROXY and RCPT_SOURCE_IPS to what the wire shows, and to what is stored of it. */
import { inspect } from 'node:util';
import { afterEach, expect, it } from 'vitest';
import { parseAddress } from '../../src/address/index.ts';
import { readConfig } from '../../src/config.ts';
import { openWorld } from '../world.ts';
import { startSocks5Server } from './socks5-server.ts';

const running: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of running.splice(0).reverse()) await one.close();
});

const account = { user: 'secret-user', password: 'secret:p@ss/word' };
const open = async (port: number, password = account.password) => {
  const proxy = `socks5://${account.user}:${encodeURIComponent(password)}@127.0.0.1:${port}`;
  const world = await openWorld({ proxy: readConfig({ RCPT_PROXY: proxy }).proxy });
  running.push(world);
  const verify = (text: string) =>
    world.engine.verifier.verify(parseAddress(text), {
      priority: 'interactive',
      signal: new AbortController().signal,
    });
  return { world, verify };
};

it('a verification goes through the proxy, to checked addresses and no names, and its account is kept nowhere', async () => {
  const socks = await startSocks5Server({ account });
  running.push(socks);
  const { world, verify } = await open(socks.port);
  const verification = await verify('user1@accepts.test');
  expect(verification.reason).toBe('MAILBOX_EXISTS');
  expect(socks.requests.length).toBeGreaterThan(0);
  for (const request of socks.requests) expect(request).toMatch(/^127\.26\.\d+\.\d+:\d+$/);
  const asked = socks.requests.length;
  const remembered = await verify('user1@accepts.test');
  expect(socks.requests).toHaveLength(asked);
  expect(inspect([verification, world.config, world.errors, remembered], { depth: 12 })).not.toMatch(
    /secret|p@ss|p%40ss/,
  );
});

it('a proxy that does not know us is our trouble', async () => {
  const socks = await startSocks5Server({ account });
  running.push(socks);
  const { world, verify } = await open(socks.port, 'secret-wrong');
  const verification = await verify('user1@accepts.test');
  expect(verification).toMatchObject({ status: 'UNKNOWN', reason: 'HOST_UNREACHABLE' });
  expect(inspect(verification, { depth: 12 })).toContain('PROXY_AUTHENTICATION_FAILED');
  expect(inspect([verification, world.errors], { depth: 12 })).not.toContain('secret');
  expect(socks.requests).toEqual([]);
});

it('sources reach the wire', async () => {
  const world = await openWorld({ sourceIps: readConfig({ RCPT_SOURCE_IPS: '127.0.0.31' }).sourceIps });
  running.push(world);
  const verification = await world.engine.verifier.verify(parseAddress('user1@accepts.test'), {
    priority: 'interactive',
    signal: new AbortController().signal,
  });
  expect(inspect(verification, { depth: 12 })).toMatch(/connecting to .* from 127\.0\.0\.31/);
});
