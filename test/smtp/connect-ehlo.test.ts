/** What becomes of an exchange that does not take our EHLO. */
import { afterEach, describe, expect, it } from 'vitest';
import { type Scenario, startServer } from './scripted-server.ts';
import { ask, eventually, makeExchanges, makeProber } from './world.ts';

const running: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of running.splice(0).reverse()) await one.close();
});

/** The first exchange does as the scenario says; the second one, at the same port, is honest. */
const start = async (answer: Scenario['answer']) => {
  const isFirst = new Map<number, boolean>();
  const server = await startServer({
    onConnect: ({ number }) => isFirst.set(number, number === 0),
    answer: (line, side) => (isFirst.get(side.number) ? answer?.(line, side) : undefined),
  });
  const prober = makeProber({ port: server.port });
  running.push(server, prober);
  const probe = (...hosts: readonly string[]) =>
    prober.probe(ask('real@d.test', { exchanges: makeExchanges('first.test', ...hosts) }));
  return { server, probe };
};
const toEhlo =
  (ehlo: string, helo?: string): Scenario['answer'] =>
  (line) =>
    /^EHLO/.test(line) ? ehlo : /^HELO/.test(line) ? helo : undefined;

describe('EHLO refused for good', () => {
  it.each([
    '500 Syntax error, command unrecognized',
    '501 5.5.4 Syntax error in parameters',
    '502 5.5.1 Command not implemented',
    '503 5.5.1 Bad sequence of commands',
    '504 5.5.4 Command parameter not implemented',
    '550 5.7.1 EHLO is not welcome here',
    '554 5.5.0 No ESMTP service here',
  ])('with %j: HELO is said, and then one command at a time', async (reply) => {
    const { server, probe } = await start(toEhlo(reply));
    expect(await probe('second.test')).toMatchObject({
      exchange: 'first.test',
      phase: 'RCPT_TO',
      reply: { code: 250 },
    });
    expect(server.lines[0]?.slice(0, 4)).toEqual([
      'EHLO prober.test',
      'HELO prober.test',
      'MAIL FROM:<>',
      'RCPT TO:<real@d.test>',
    ]);
    expect(server.chunks[0]?.[2]).toBe('MAIL FROM:<>\r\n');
    expect(server.lines).toHaveLength(1);
  });

  it.each(['550 5.7.1 You neither', '450 4.7.1 Later', '421 4.3.2 Closing'])(
    'and HELO with %j: the next exchange is asked',
    async (helo) => {
      const { server, probe } = await start(toEhlo('502 5.5.1 No', helo));
      const evidence = await probe('second.test');
      expect(evidence).toMatchObject({ exchange: 'second.test', reply: { code: 250 } });
      expect(evidence.transcript.map(({ text }) => text)).toContain(helo);
      expect(server.lines[0]?.slice(0, 3)).toEqual(['EHLO prober.test', 'HELO prober.test', 'QUIT']);
    },
  );
});

describe('EHLO refused for now', () => {
  it.each(['421 4.3.2 Too busy', '450 4.7.1 Slow down', '451 4.3.0 Look-up failed', '454 4.7.0 Not now'])(
    'with %j: no HELO, and the next exchange is asked',
    async (reply) => {
      const { server, probe } = await start(toEhlo(reply));
      expect(await probe('second.test')).toMatchObject({ exchange: 'second.test', reply: { code: 250 } });
      expect(server.lines[0]?.slice(0, 2)).toEqual(['EHLO prober.test', 'QUIT']);
    },
  );

  it('by the only exchange: its words are the evidence', async () => {
    const { server, probe } = await start(toEhlo('451 4.3.0 Look-up failed'));
    expect(await probe()).toMatchObject({
      exchange: 'first.test',
      phase: 'EHLO',
      reply: { code: 451, enhancedCode: '4.3.0' },
      fault: null,
    });
    expect(server.lines).toHaveLength(1);
  });
});

describe('EHLO answered by a hang-up', () => {
  /** Hangs up on EHLO, and on HELO when it is told to. */
  const startOld = async (toHelo?: string) => {
    const server = await startServer({
      answer: (line, side) => {
        if (/^EHLO/.test(line) || (/^HELO/.test(line) && toHelo === 'hang up')) {
          side.hangUp();
          return null;
        }
        return /^HELO/.test(line) ? toHelo : undefined;
      },
    });
    const prober = makeProber({ port: server.port, maxSessionsPerExchange: 1, timeouts: { idleMs: 20 } });
    running.push(server, prober);
    return { server, prober };
  };

  it('is followed by HELO in a new connection, and the lane remembers it', async () => {
    const { server, prober } = await startOld();
    const evidence = await prober.probe(ask('real@d.test'));
    expect(evidence).toMatchObject({ exchange: 'mx.test', phase: 'RCPT_TO', reply: { code: 250 } });
    expect(evidence.transcript.map(({ text }) => text)).toEqual(
      expect.arrayContaining(['EHLO prober.test', 'HELO prober.test']),
    );
    expect(evidence.attempts).toHaveLength(2);
    expect(server.lines.map(([first]) => first)).toEqual(['EHLO prober.test', 'HELO prober.test']);
    expect(server.mostAtOnce).toBe(1);

    await eventually(() => server.open === 0);
    await prober.probe(ask('user@other.test'));
    expect(server.lines.map(([first]) => first?.slice(0, 4))).toEqual(['EHLO', 'HELO', 'HELO']);
  });

  it.each([
    ['hung up on too', 'hang up', { reply: null, fault: { kind: 'closed', phase: 'EHLO' } }],
    ['refused', '550 5.7.1 Go away', { reply: { code: 550 }, fault: null }],
  ])('and HELO that is %s is the end of it', async (_what, toHelo, end) => {
    const { server, prober } = await startOld(toHelo);
    expect(await prober.probe(ask('real@d.test'))).toMatchObject({
      exchange: 'mx.test',
      phase: 'EHLO',
      ...end,
    });
    expect(server.lines.map(([first]) => first)).toEqual(['EHLO prober.test', 'HELO prober.test']);
  });

  it('is not when it is HELO that was hung up on', async () => {
    const server = await startServer({
      answer: (line, side) => {
        if (!/^HELO/.test(line)) return /^EHLO/.test(line) ? '502 5.5.1 No' : undefined;
        side.hangUp();
        return null;
      },
    });
    const prober = makeProber({ port: server.port });
    running.push(server, prober);
    expect(await prober.probe(ask('real@d.test'))).toMatchObject({
      fault: { kind: 'closed', phase: 'EHLO' },
    });
    expect(server.lines).toEqual([['EHLO prober.test', 'HELO prober.test']]);
  });

  it('costs one connection more in an opening, however many exchanges do it', async () => {
    const { server, prober } = await startOld('hang up');
    const exchanges = makeExchanges('a.test', 'b.test', 'c.test');
    expect(await prober.probe(ask('real@d.test', { exchanges }))).toMatchObject({
      exchange: 'a.test',
      fault: { kind: 'closed', phase: 'EHLO' },
    });
    expect(server.lines.map(([first]) => first?.slice(0, 4))).toEqual(['EHLO', 'HELO', 'EHLO', 'EHLO']);
  });
});
