/** The exchange sees the address that we meant it to see, on each retry the same one. */
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { HONEST, honestly } from './scripted-server.ts';
import { ask, eventually, makeExchanges, makeProber, type World } from './world.ts';

const running: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const one of running.splice(0).reverse()) await one.close();
});

/** Notes whom it sees, refuses for now whomever it is asked about, and hangs up after it. */
const startGreylister = async (host = '127.0.0.1') => {
  const seen: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    seen.push(socket.remoteAddress ?? '');
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.write('220 mx.test ESMTP\r\n');
    socket.on('data', (chunk) => {
      for (const line of chunk.toString().split('\r\n').slice(0, -1)) {
        const reply = /^RCPT/.test(line) ? '450 4.2.0 Greylisted, come back later' : honestly(line, HONEST);
        socket.write(`${reply}\r\n`);
        if (/^QUIT/.test(line)) socket.end();
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  running.push({
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(resolve));
    },
  });
  return { seen, port: (server.address() as AddressInfo).port };
};
const start = async (world: Partial<World>) => {
  const { seen, port } = await startGreylister();
  const prober = makeProber({ port, timeouts: { idleMs: 10 }, ...world });
  running.push(prober);
  return { seen, port, prober };
};

it('leaves from one of the sources, and from the same one each time', async () => {
  const sourceIps = ['127.0.0.21', '127.0.0.22', '127.0.0.23', '127.0.0.24'];
  const { seen, prober } = await start({ sourceIps });
  for (const name of ['real', 'real', 'user']) {
    const evidence = await prober.probe(ask(`${name}@d.test`));
    expect(evidence.reply?.code).toBe(450);
    expect(evidence.transcript[0]).toMatchObject({
      direction: 'NOTE',
      text: expect.stringMatching(/^connecting to mx\.test \[127\.0\.0\.1\]:\d+ from 127\.0\.0\.2[1-4]$/),
    });
    await eventually(() => prober.lanes()[0]?.sessions === 0);
  }
  expect(seen.length).toBeGreaterThanOrEqual(3);
  expect(sourceIps).toContain(seen[0]);
  expect(new Set(seen).size).toBe(1);
});

it('is the same for the same exchanges in another process, whatever the order of either', async () => {
  const sourceIps = ['127.0.0.21', '127.0.0.22', '127.0.0.23', '127.0.0.24'];
  const first = await start({ sourceIps });
  const second = makeProber({ port: first.port, sourceIps: sourceIps.toReversed() });
  running.push(second);
  await first.prober.probe(ask('real@d.test', { exchanges: makeExchanges('a.test', 'b.test') }));
  await second.probe(ask('real@d.test', { exchanges: makeExchanges('b.test', 'a.test') }));
  expect(first.seen).toHaveLength(2);
  expect(first.seen[0]).toBe(first.seen[1]);
});

it('spreads different exchanges over the sources', async () => {
  const sourceIps = ['127.0.0.21', '127.0.0.22'];
  const { seen, prober } = await start({ sourceIps });
  await Promise.all(
    Array.from({ length: 16 }, (_, n) =>
      prober.probe(ask(`real@d${n}.test`, { exchanges: makeExchanges(`mx${n}.test`) })),
    ),
  );
  expect(new Set(seen)).toEqual(new Set(sourceIps));
});

it('does not leave from an address that is not meant, for want of one of the family', async () => {
  const { seen, prober } = await start({ sourceIps: ['127.0.0.21'], addresses: { 'mx.test': ['::1'] } });
  const evidence = await prober.probe(ask('real@d.test'));
  expect(evidence).toMatchObject({
    reply: null,
    attempts: [{ ip: '::1', outcome: { kind: 'connectFailed', error: 'EADDRNOTAVAIL' } }],
  });
  expect(evidence.transcript[0]?.text).toMatch(/none of our sources is of its family$/);
  expect(seen).toEqual([]);
});

it('says what is wrong with a source that the machine lost', async () => {
  const { seen, prober } = await start({ sourceIps: ['192.0.2.1'] });
  expect((await prober.probe(ask('real@d.test'))).attempts).toMatchObject([
    { ip: '127.0.0.1', outcome: { kind: 'connectFailed', error: 'EADDRNOTAVAIL' } },
  ]);
  expect(seen).toEqual([]);
});
