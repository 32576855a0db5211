/** The second made-up mailbox: when it is asked, and that there is never more than one in a transaction. */
import { afterEach, describe, expect, it } from 'vitest';
import { HONEST, startServer } from './scripted-server.ts';
import { ask, makeProber } from './world.ts';

const running: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of running.splice(0).reverse()) await one.close();
});

const isMadeUp = (path: string): boolean => !/^(user|no-)/.test(path);

/** Refuses `no-…` and what is told, accepts everybody else. */
const start = async (refuses: RegExp | null, capabilities = HONEST) => {
  const server = await startServer({
    capabilities,
    answer: (line) => {
      if (!/^RCPT/.test(line)) return undefined;
      return /<no-/.test(line) || refuses?.test(line) ? '550 5.1.1 User unknown' : '250 2.1.5 Ok';
    },
  });
  const prober = makeProber({ port: server.port });
  running.push(server, prober);
  const madeUp = () => server.recipients().filter(isMadeUp);
  const mostInOneTransaction = () =>
    Math.max(
      ...server.lines.flatMap((lines) =>
        lines
          .join('\n')
          .split(/^MAIL .*$/m)
          .map(
            (part) =>
              [...part.matchAll(/^RCPT TO:<(.*)>$/gm)].filter(([, path = '']) => isMadeUp(path)).length,
          ),
      ),
    );
  return { server, prober, madeUp, mostInOneTransaction };
};

const NAMED = /<[a-z]{5}\.[a-z]{8}@/;

describe.each([
  ['with PIPELINING', HONEST],
  ['without', ['8BITMIME']],
])('made-up mailboxes, %s', (_name, capabilities) => {
  it('one is enough where nobody was refused', async () => {
    const { prober, madeUp } = await start(null, capabilities);
    const evidence = await Promise.all(['user1', 'user2'].map((name) => prober.probe(ask(`${name}@d.test`))));
    expect(evidence.map(({ catchAll }) => catchAll?.answer)).toEqual(['YES', 'YES']);
    expect(madeUp()).toHaveLength(1);
  });

  it('where a real one was refused, a second of another shape makes the catch-all', async () => {
    const { prober, madeUp, mostInOneTransaction } = await start(null, capabilities);
    const evidence = await Promise.all(
      ['no-body', 'user1', 'user2'].map((name) => prober.probe(ask(`${name}@d.test`))),
    );
    expect(evidence.map(({ catchAll }) => catchAll?.answer ?? null)).toEqual([null, 'YES', 'YES']);
    expect(madeUp()).toEqual([
      expect.stringMatching(/^[a-z][a-z0-9]{15}@d\.test$/),
      expect.stringMatching(/^[a-z]{5}\.[a-z]{8}@d\.test$/),
    ]);
    expect(mostInOneTransaction()).toBe(1);
  });

  it('when the second is refused, nobody knows', async () => {
    const { prober, madeUp } = await start(NAMED, capabilities);
    await prober.probe(ask('no-body@d.test'));
    expect((await prober.probe(ask('user1@d.test'))).catchAll?.answer).toBe('UNKNOWN');
    expect((await prober.probe(ask('user2@d.test'))).catchAll?.answer).toBe('UNKNOWN');
    expect(madeUp()).toHaveLength(2);
  });

  it('a catch-all that was found before the refusal is doubted, once', async () => {
    const { prober, madeUp } = await start(null, capabilities);
    expect((await prober.probe(ask('user1@d.test'))).catchAll?.answer).toBe('YES');
    await prober.probe(ask('no-body@d.test'));
    expect((await prober.probe(ask('user2@d.test'))).catchAll?.answer).toBe('YES');
    expect((await prober.probe(ask('user3@d.test'))).catchAll?.answer).toBe('YES');
    expect(madeUp()).toHaveLength(2);
  });

  it('a refusal of one domain is nothing to another', async () => {
    const { prober, madeUp } = await start(null, capabilities);
    await prober.probe(ask('no-body@d.test'));
    const before = madeUp().length;
    expect((await prober.probe(ask('user1@e.test'))).catchAll?.answer).toBe('YES');
    expect(madeUp()).toHaveLength(before + 1);
  });

  it('the second one too is asked once, however many ask', async () => {
    const { prober, madeUp, mostInOneTransaction } = await start(null, capabilities);
    await prober.probe(ask('no-body@d.test'));
    const texts = Array.from({ length: 300 }, (_, n) => `user${n}@d.test`);
    const evidence = await Promise.all(texts.map((text) => prober.probe(ask(text))));
    expect(new Set(evidence.map(({ catchAll }) => catchAll?.answer))).toEqual(new Set(['YES']));
    expect(madeUp()).toHaveLength(2);
    expect(mostInOneTransaction()).toBe(1);
  });
});
