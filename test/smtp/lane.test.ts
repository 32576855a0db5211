/** What a lane shows of itself, what those who watch a probe are told, and who is served when. */
import { afterEach, describe, expect, it } from 'vitest';
import type { ProbeEvent, ProbeRequest } from '../../src/smtp/index.ts';
import { type Scenario, startServer } from './scripted-server.ts';
import { ask, eventually, makeProber, type World } from './world.ts';

const running: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of running.splice(0).reverse()) await one.close();
});

const start = async (scenario: Scenario, world: Partial<World> = {}) => {
  const server = await startServer(scenario);
  const prober = makeProber({ port: server.port, ...world });
  running.push(server, prober);
  const watch = async (text: string, fields: Partial<ProbeRequest> = {}) => {
    const events: ProbeEvent[] = [];
    const evidence = await prober.probe(ask(text, { ...fields, observe: (event) => events.push(event) }));
    return { evidence, events, asked: events.filter(({ phase }) => phase === 'RCPT_TO') };
  };
  return { server, prober, watch };
};

describe('snapshot', () => {
  it.each([
    [0, null],
    [20, 20],
  ])('a setting of %d is shown as %j', async (probesPerSecondPerExchange, probesPerSecond) => {
    const { prober } = await start({}, { probesPerSecondPerExchange });
    await prober.probe(ask('real@d.test'));
    expect(prober.lanes()).toEqual([
      {
        exchanges: ['mx.test'],
        state: 'ACTIVE',
        sessions: 1,
        queued: 0,
        probesPerSecond,
        pausedUntil: null,
        lastReply: null,
      },
    ]);
  });
});

describe('watching a probe', () => {
  it('tells of the question, the answer and the made-up mailbox, with the replies', async () => {
    const { watch } = await start({});
    const { asked } = await watch('real@d.test');
    expect(asked.map(({ message, reply }) => [message, reply?.code ?? null])).toEqual([
      ['asking about the mailbox', null],
      ['the exchange accepts the mailbox', 250],
      ['a made-up mailbox of the domain is refused', 550],
    ]);
    for (const { exchange, at } of asked) {
      expect(exchange).toBe('mx.test');
      expect(at).toBeInstanceOf(Date);
    }
    expect((await watch('nobody@d.test')).asked.map(({ message }) => message)).toEqual([
      'asking about the mailbox in a session that was kept',
      'the exchange knows no such mailbox',
    ]);
  });

  it('tells of the opening of the session to all who wait for it', async () => {
    const { watch } = await start({});
    const watched = await Promise.all([watch('user1@d.test'), watch('user2@e.test')]);
    for (const { events } of watched) {
      const phases = events.map(({ phase }) => phase).filter((phase, index, all) => phase !== all[index - 1]);
      expect(phases).toEqual(['CONNECT', 'GREETING', 'EHLO', 'RCPT_TO']);
      expect(events.find(({ phase }) => phase === 'GREETING')?.exchange).toBe('mx.test');
      expect(JSON.stringify(events.filter(({ phase }) => phase !== 'RCPT_TO'))).not.toContain('user');
    }
  });

  it('tells of greylisting and of another session', async () => {
    let sessions = 0;
    const { watch } = await start({
      onConnect: () => {
        sessions++;
      },
      answer: (line, side) => {
        if (/^RCPT TO:<real/.test(line)) return '451 4.7.1 Greylisted, please come back in 90 seconds';
        if (!/^RCPT TO:<user/.test(line)) return undefined;
        if (sessions > 1) return '250 2.1.5 Ok';
        side.write('421 4.3.2 Shutting down\r\n');
        side.hangUp();
        return null;
      },
    });
    const [, { asked }] = await Promise.all([watch('real@d.test'), watch('user@d.test')]);
    expect(asked.map(({ message }) => message).slice(0, 3)).toEqual([
      'asking about the mailbox',
      'not answered for reasons of the session: to be asked again',
      'asking about the mailbox',
    ]);
    expect((await watch('real@d.test')).asked.at(-1)?.message).toBe(
      'greylisted: the exchange wants to be asked again in 90 s',
    );
  });

  it('tells each of its own mailbox and of nobody else’s', async () => {
    const { watch } = await start({
      answer: (line) => (/^RCPT/.test(line) ? `550 5.1.1 ${line.slice(8)}: User unknown` : undefined),
    });
    const texts = Array.from({ length: 12 }, (_, n) => `somebody${n}x@d.test`);
    const watched = await Promise.all(texts.map((text) => watch(text)));
    for (const [index, { events }] of watched.entries()) {
      for (const { message } of events) expect(message).not.toContain('somebody');
      const named = JSON.stringify(events).match(/somebody\d+x/g) ?? [];
      expect(new Set(named)).toEqual(new Set([`somebody${index}x`]));
    }
  });

  it('is over with the evidence', async () => {
    const { watch, prober } = await start({ greeting: null }, { timeouts: { greetingMs: 80 } });
    const leave = new AbortController();
    const watched = watch('real@d.test', { signal: leave.signal });
    await eventually(() => prober.lanes()[0]?.state === 'ACTIVE');
    leave.abort();
    const { events } = await watched;
    const count = events.length;
    await eventually(() => prober.lanes()[0]?.sessions === 0);
    expect(events).toHaveLength(count);
  });

  it('a watcher that throws fails its own question alone', async () => {
    const { prober } = await start({});
    const observe = (): never => {
      throw new Error('the watcher is broken');
    };
    const [broken, other] = await Promise.allSettled([
      prober.probe(ask('user1@d.test', { observe })),
      prober.probe(ask('user2@d.test')),
    ]);
    expect(broken).toMatchObject({ status: 'rejected', reason: { message: 'the watcher is broken' } });
    expect(other).toMatchObject({ status: 'fulfilled', value: { reply: { code: 250 } } });
  });
});
