import { expect, test } from 'vitest';
import type { ExchangeHost } from '../address/index.ts';
import type { Greeting, Prober } from '../smtp/index.ts';
import { createGreetings } from './greeting.ts';

const host = 'mx.mail.test' as ExchangeHost;
const never = new AbortController().signal;

const answered: Greeting = {
  attempts: [{ host, ip: '192.0.2.1', outcome: { kind: 'connected' } }],
  ip: '192.0.2.1',
  banner: 'ready',
  capabilities: [],
  supportsStartTls: false,
  supportsPipelining: false,
  supportsSmtpUtf8: false,
  maxMessageBytes: null,
  tls: null,
  reply: { code: 250, enhancedCode: null, lines: ['ok'], text: 'ok' },
  fault: null,
};
const silent: Greeting = { ...answered, reply: null, fault: { kind: 'timeout', phase: 'GREETING' } };
const noTime: Greeting = {
  ...answered,
  attempts: [],
  reply: null,
  fault: { kind: 'budget', phase: 'CONNECT' },
};

const start = (greeting: Greeting) => {
  const clock = { ms: 0 };
  const asked: Parameters<Prober['greet']>[0][] = [];
  const learned: number[] = [];
  const lookup = createGreetings({
    greet: async (request) => {
      asked.push(request);
      return greeting;
    },
    budgetMs: 1_000,
    now: () => clock.ms,
    learn: (attempts) => learned.push(attempts.length),
  });
  return { clock, asked, learned, lookup };
};

test('all who ask at once share one session, within the budget', async () => {
  const { asked, learned, lookup } = start(answered);
  const found = await Promise.all(Array.from({ length: 50 }, () => lookup(host, never)));
  expect(new Set(found)).toEqual(new Set([answered]));
  expect(asked.map(({ deadline }) => deadline)).toEqual([1_000]);
  expect(learned).toEqual([1]);
});

test('an asker who leaves gets null, the others their greeting', async () => {
  const { lookup } = start(answered);
  const leaving = new AbortController();
  const both = [lookup(host, leaving.signal), lookup(host, never)];
  leaving.abort();
  expect(await Promise.all(both)).toEqual([null, answered]);
});

test('our own lack of time is no greeting', async () => {
  expect(await start(noTime).lookup(host, never)).toBeNull();
});

test.each([
  ['an answer', answered, 5 * 60_000],
  ['a fault', silent, 30_000],
  ['no time of ours', noTime, 0],
])('%s is remembered for its time', async (_, greeting, lifeMs) => {
  const { clock, asked, lookup } = start(greeting);
  await lookup(host, never);
  clock.ms = lifeMs - 1;
  if (lifeMs > 0) await lookup(host, never);
  expect(asked).toHaveLength(1);
  clock.ms = lifeMs;
  await lookup(host, never);
  expect(asked).toHaveLength(2);
});
