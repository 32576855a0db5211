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

test('an asker is given a greeting within the budget', async () => {
  const { clock, asked, lookup } = start(answered);
  clock.ms = 500;
  expect(await lookup(host, never)).toBe(answered);
  expect(asked).toEqual([{ host, deadline: 1_500, signal: never }]);
});

test('what came of one connection is learned once, however many are given its greeting', async () => {
  const { learned, lookup } = start(answered);
  for (let n = 0; n < 3; n++) await lookup(host, never);
  expect(learned).toEqual([1]);
});

test('an asker who leaves gets null', async () => {
  const leaving = new AbortController();
  const found = start(silent).lookup(host, leaving.signal);
  leaving.abort();
  expect(await found).toBeNull();
});

test('a fault of the exchange is a greeting, our own lack of time is none', async () => {
  expect(await start(silent).lookup(host, never)).toBe(silent);
  expect(await start(noTime).lookup(host, never)).toBeNull();
});
