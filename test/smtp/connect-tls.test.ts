/** An exchange that demands TLS and then makes a mess of it: TLS_FAILED with evidence, within its ceilings. */
import { readFileSync } from 'node:fs';
import { afterEach, expect, it } from 'vitest';
import { makeCertificate } from './big-certificate.ts';
import { HONEST, type Scenario, type ServerSide, startServer } from './scripted-server.ts';
import { ask, eventually, makeExchanges, makeProber, type World } from './world.ts';

const running: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of running.splice(0).reverse()) await one.close();
});

const read = (name: string): string => readFileSync(new URL(name, import.meta.url), 'utf8');
const selfSigned = { cert: read('./mx.test.cert.pem'), key: read('./mx.test.key.pem') };

/** `misbehave` is what comes after STARTTLS; without it the handshake goes as `key` has it. */
const start = async (
  misbehave: ((side: ServerSide) => string | null) | null,
  key?: Scenario['key'],
  /** How many connections go that way; the others are honest and offer no TLS. */
  many = Number.POSITIVE_INFINITY,
  timeouts: World['timeouts'] = { tlsHandshakeMs: 300 },
) => {
  const isAgreed = new Set<number>();
  const server = await startServer({
    capabilities: [...HONEST, 'STARTTLS'],
    ...(key ? { key } : {}),
    answer: (line, side) => {
      if (side.number >= many) return /^EHLO/.test(line) ? '250 mx.test' : undefined;
      // What looks like a line in the handshake is none.
      if (isAgreed.has(side.number)) return null;
      if (misbehave && /^STARTTLS/.test(line)) {
        isAgreed.add(side.number);
        return misbehave(side);
      }
      return /^MAIL/.test(line) && !side.isSecure
        ? '530 5.7.0 Must issue a STARTTLS command first'
        : undefined;
    },
  });
  const prober = makeProber({ port: server.port, timeouts });
  running.push(server, prober);
  return { server, prober };
};

it.each<[string, (side: ServerSide) => string | null]>([
  [
    'words instead of a handshake',
    (side) => {
      side.write('220 Go ahead\r\n');
      setImmediate(() => side.write('500 I did not mean it\r\n'));
      return null;
    },
  ],
  [
    'a megabyte of noise',
    (side) => {
      side.write('220 Go ahead\r\n');
      setImmediate(() => side.write(new Uint8Array(1_048_576).fill(0x16)));
      return null;
    },
  ],
  [
    'half a record, and then silence',
    (side) => {
      side.write('220 Go ahead\r\n');
      setImmediate(() => side.write(Uint8Array.of(0x16, 0x03, 0x03, 0x40, 0x00, 0x02)));
      return null;
    },
  ],
  ['nothing but silence', () => '220 Go ahead'],
  [
    'a fatal alert',
    (side) => {
      side.write('220 Go ahead\r\n');
      setImmediate(() => side.write(Uint8Array.of(0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x28)));
      return null;
    },
  ],
  [
    'a hang-up with the 220',
    (side) => {
      side.write('220 Go ahead\r\n');
      side.hangUp();
      return null;
    },
  ],
  [
    'a hang-up in the middle',
    (side) => {
      side.write('220 Go ahead\r\n');
      setImmediate(() => {
        side.write(Uint8Array.of(0x16, 0x03, 0x03, 0x40, 0x00, 0x02));
        side.hangUp();
      });
      return null;
    },
  ],
])('%s ends the session as TLS that failed, with evidence', async (_what, misbehave) => {
  const { server, prober } = await start(misbehave);
  const startedAt = performance.now();
  const before = process.memoryUsage().rss;
  const evidence = await prober.probe(ask('real@d.test'));
  expect(evidence).toMatchObject({ exchange: 'mx.test', phase: 'TLS_HANDSHAKE', fault: { kind: 'tls' } });
  expect(evidence.transcript.map(({ text }) => text)).toContain('STARTTLS');
  expect(performance.now() - startedAt).toBeLessThan(2_500);
  expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1024 * 1024);
  await eventually(() => server.open === 0);
});

it('certificates of more than 100 KB are failed TLS', async () => {
  const names = Array.from({ length: 6_000 }, (_, n) => `name-${n}.mx.test`);
  const { server, prober } = await start(null, makeCertificate(names));
  const evidence = await prober.probe(ask('real@d.test'));
  expect(evidence).toMatchObject({ phase: 'TLS_HANDSHAKE', fault: { kind: 'tls' } });
  await eventually(() => server.open === 0);
});

it('certificates below that are read, and their names do not flood the transcript', async () => {
  const names = Array.from({ length: 2_500 }, (_, n) => `name-${n}.mx.test`);
  const { prober } = await start(null, makeCertificate(names));
  const evidence = await prober.probe(ask('real@d.test'));
  expect(evidence).toMatchObject({ phase: 'RCPT_TO', reply: { code: 250 } });
  expect(JSON.stringify(evidence.transcript).length).toBeLessThan(10_000);
});

it.each(['TLSv1', 'TLSv1.1', 'TLSv1.2'] as const)(
  'an exchange that knows nothing newer than %s is spoken to',
  async (version) => {
    const key = { ...selfSigned, minVersion: 'TLSv1', maxVersion: version, ciphers: 'DEFAULT@SECLEVEL=0' };
    const { prober } = await start(null, key);
    const evidence = await prober.probe(ask('real@d.test'));
    expect(evidence).toMatchObject({ phase: 'RCPT_TO', reply: { code: 250 } });
    expect(evidence.transcript.map(({ text }) => text)).toContainEqual(
      expect.stringMatching(new RegExp(`^${version.replace('.', '\\.')} with `)),
    );
  },
);

it('an exchange whose TLS fails leaves the next one to be asked, once it is known that TLS is demanded', async () => {
  const hangUp = (side: ServerSide): null => {
    side.write('220 Go ahead\r\n');
    side.hangUp();
    return null;
  };
  const { server, prober } = await start(hangUp, undefined, 2);
  const exchanges = makeExchanges('broken.test', 'other.test');
  expect(await prober.probe(ask('real@d.test', { exchanges }))).toMatchObject({
    exchange: 'broken.test',
    fault: { kind: 'tls' },
  });
  expect(await prober.probe(ask('real@d.test', { exchanges }))).toMatchObject({
    exchange: 'other.test',
    reply: { code: 250 },
  });
  expect(server.lines.map((lines) => lines[1])).toEqual(['MAIL FROM:<>', 'STARTTLS', 'MAIL FROM:<>']);
});

it('silence that outlasts the opening, and not the handshake, is no word about TLS', async () => {
  // The first session is told that TLS is demanded; the second one is secured before it is ready.
  const hangUpOnce = (side: ServerSide): string => {
    if (side.number === 0) side.hangUp();
    return '220 Go ahead';
  };
  const { prober } = await start(hangUpOnce, undefined, undefined, { openMs: 300 });
  await prober.probe(ask('real@d.test'));
  expect(await prober.probe(ask('real@d.test'))).toMatchObject({
    phase: 'TLS_HANDSHAKE',
    fault: { kind: 'timeout', phase: 'TLS_HANDSHAKE' },
  });
});

it('silence that outlasts the asker, and not the handshake, is no word about TLS', async () => {
  const { prober } = await start(() => '220 Go ahead', undefined, undefined, {});
  expect(await prober.probe(ask('real@d.test', { deadline: Date.now() + 300 }))).toMatchObject({
    fault: { kind: 'budget' },
  });
});
