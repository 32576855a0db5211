/** Who is served when, and what no server ever sees too much of: counted at the server, over random work. */
import { afterEach, describe, expect, it } from 'vitest';
import { HONEST, type Scenario, startServer } from './scripted-server.ts';
import { ask, eventually, makeExchanges, makeProber, type World } from './world.ts';

const running: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of running.splice(0).reverse()) await one.close();
});

const start = async (scenario: Scenario, world: Partial<World> = {}) => {
  const server = await startServer(scenario);
  const prober = makeProber({ port: server.port, ...world });
  running.push(server, prober);
  return { server, prober };
};

describe('an interactive address while 10,000 bulk ones wait', () => {
  const fill = async (world: Partial<World>, domains: number) => {
    const asked: string[] = [];
    const { prober } = await start(
      {
        answer: (line) => {
          if (/^RCPT/.test(line)) asked.push(line);
          return undefined;
        },
      },
      world,
    );
    const leave = new AbortController();
    const deadline = Date.now() + 15_000;
    const bulk = Array.from({ length: 10_000 }, (_, n) =>
      prober.probe(
        ask(`user${n}@d${n % domains}.test`, { priority: 'bulk', signal: leave.signal, deadline }),
      ),
    );
    await eventually(() => asked.length > 20);
    return {
      prober,
      asked,
      end: async () => {
        leave.abort();
        await Promise.all(bulk);
      },
    };
  };

  it.each([
    ['of a domain of its own', 'real@own.test', 50],
    ['of the only domain that waits', 'real@d0.test', 1],
  ])('%s is asked with the next write of a session', async (_name, text, domains) => {
    const { prober, asked, end } = await fill({}, domains);
    const before = asked.length;
    const evidence = await prober.probe(ask(text));
    expect(evidence).toMatchObject({ reply: { code: 250 } });
    expect(evidence.catchAll?.answer).toBe('NO');
    const position = asked.indexOf(`RCPT TO:<${text}>`);
    // Each of 4 sessions has at most 8 out and the server reads ahead: two writes of each is what there may be.
    expect(position - before).toBeLessThanOrEqual(64);
    expect(prober.lanes()[0]?.queued).toBeGreaterThan(1_000);
    await end();
  });

  it('takes the next token of the rate', async () => {
    const { prober, asked, end } = await fill({ probesPerSecondPerExchange: 30 }, 50);
    const before = asked.length;
    expect((await prober.probe(ask('real@own.test'))).reply?.code).toBe(250);
    expect(asked.indexOf('RCPT TO:<real@own.test>') - before).toBeLessThanOrEqual(16);
    await end();
  });
});

it('a small domain does not wait for the large one that came first', async () => {
  const asked: string[] = [];
  const { prober } = await start({
    answer: (line) => {
      if (/^RCPT/.test(line)) asked.push(line);
      return undefined;
    },
  });
  const probe = (text: string) => prober.probe(ask(text, { priority: 'bulk' }));
  await Promise.all([
    ...Array.from({ length: 2_000 }, (_, n) => probe(`user${n}@large.test`)),
    ...Array.from({ length: 5 }, (_, n) => probe(`user${n}@small.test`)),
  ]);
  const last = asked.findLastIndex((line) => line.includes('@small.test'));
  expect(last).toBeLessThan(1_000);
});

/** A small deterministic generator (mulberry32): the same work in each run. */
const randomFrom = (seed: number) => {
  let state = seed;
  return (below: number): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
};

describe('over random work', () => {
  const replies = [
    '250 2.1.5 Ok',
    '550 5.1.1 User unknown',
    '450 4.2.0 Greylisted',
    '452 4.2.2 Mailbox full',
  ];

  it.each([
    [1, HONEST],
    [2, HONEST],
    [3, [...HONEST, 'LIMITS RCPTMAX=5 MAILMAX=7']],
    [4, ['8BITMIME']],
  ])(
    'seed %d: at most 8 refusals a session and 3 sessions, and to each its own answer',
    async (seed, capabilities) => {
      const random = randomFrom(seed);
      const refusals: number[] = [];
      const transactions: string[][][] = [];
      const { server, prober } = await start(
        {
          capabilities,
          answer: (line, side) => {
            transactions[side.number] ??= [];
            if (/^MAIL/.test(line)) transactions[side.number]?.push([]);
            // A QUIT that is answered late: its connection is a session still.
            if (/^QUIT/.test(line)) {
              setTimeout(() => {
                side.write('221 2.0.0 Bye\r\n');
                side.hangUp();
              }, 30);
              return null;
            }
            const [, name, domain = ''] = /^RCPT TO:<(.*)@(.*)>$/.exec(line) ?? [];
            if (name === undefined) return undefined;
            transactions[side.number]?.at(-1)?.push(domain);
            const kind = /^user(\d)x/.exec(name)?.[1];
            const reply = kind === undefined ? '550 5.1.1 User unknown' : (replies[Number(kind)] ?? '');
            if (!reply.startsWith('250')) refusals[side.number] = (refusals[side.number] ?? 0) + 1;
            return reply;
          },
        },
        { maxSessionsPerExchange: 3 },
      );
      const deadline = Date.now() + 15_000;
      await Promise.all(
        Array.from({ length: 600 }, async (_, n) => {
          const kind = random(10) < 6 ? 0 : random(replies.length);
          const priority = random(3) === 0 ? 'interactive' : 'bulk';
          const text = `user${kind}x${n}@d${random(12)}.test`;
          for (let turn = random(20); turn > 0; turn--) await new Promise((resolve) => setImmediate(resolve));
          const { reply } = await prober.probe(ask(text, { priority, deadline }));
          expect([text, `${reply?.code} ${reply?.enhancedCode} ${reply?.text}`]).toEqual([
            text,
            replies[kind],
          ]);
        }),
      );
      await prober.close();
      await eventually(() => server.open === 0);
      expect(Math.max(...refusals.filter((count) => count !== undefined))).toBeLessThanOrEqual(8);
      expect(server.mostAtOnce).toBeLessThanOrEqual(3);
      for (const domains of transactions.flat()) expect(new Set(domains).size).toBeLessThanOrEqual(1);
    },
  );

  it('a session that was refused at the greeting is one until its QUIT is answered', async () => {
    const { server, prober } = await start(
      {
        greeting: '450 4.3.2 Not now',
        answer: (line, side) => {
          if (!/^QUIT/.test(line)) return undefined;
          setTimeout(() => side.hangUp(), 50);
          return null;
        },
      },
      { maxSessions: 1 },
    );
    for (let n = 0; n < 4; n++) expect((await prober.probe(ask(`user${n}@d.test`))).reply?.code).toBe(450);
    expect(server.mostAtOnce).toBe(1);
  });

  it('never more sessions in all than the ceiling, lingering ones too', async () => {
    const { server, prober } = await start(
      {
        answer: (line, side) => {
          if (!/^QUIT/.test(line)) return undefined;
          setTimeout(() => {
            side.write('221 2.0.0 Bye\r\n');
            side.hangUp();
          }, 20);
          return null;
        },
      },
      { maxSessions: 5, maxSessionsPerExchange: 4, timeouts: { shareMs: 20 } },
    );
    const evidence = await Promise.all(
      Array.from({ length: 400 }, (_, n) =>
        prober.probe(ask(`user${n}@d.test`, { exchanges: makeExchanges(`mx${n % 20}.test`) })),
      ),
    );
    expect(new Set(evidence.map(({ reply }) => reply?.code))).toEqual(new Set([250]));
    expect(server.mostAtOnce).toBeLessThanOrEqual(5);
  });
});
