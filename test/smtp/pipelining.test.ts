/** PIPELINING that is offered and loses commands: found out by what stays unanswered, and asked again one by one. */
import { afterEach, describe, expect, it } from 'vitest';
import { LEARNED_LIFE_MS } from '../../src/smtp/limits.ts';
import { type Scenario, type ServerSide, startServer } from './scripted-server.ts';
import { ask, makeProber, type World } from './world.ts';

const running: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of running.splice(0).reverse()) await one.close();
});

const start = async (scenario: Scenario, timeouts: NonNullable<World['timeouts']>) => {
  const server = await startServer(scenario);
  const clock = { now: 1_700_000_000_000 };
  const prober = makeProber({ port: server.port, now: () => clock.now, timeouts });
  running.push(server, prober);
  const probe = (text: string) => prober.probe(ask(text, { deadline: clock.now + 10_000 }));
  return { server, clock, prober, probe };
};

type Loss = {
  /** Commands of one chunk that are answered; what comes behind them in it is lost. */
  readonly keeps: number;
  /** Lost is only what comes behind a refusal. */
  readonly afterRefusal?: boolean;
};

/** Reads the beginning of each chunk and throws the rest away. */
const open = async ({ keeps, afterRefusal = false }: Loss, timeouts: World['timeouts'] = {}) => {
  const seen = new Map<ServerSide, { chunk: number; commands: number; isLosing: boolean }>();
  let chunks: string[][] = [];
  const world = await start(
    {
      answer: (line, side) => {
        const chunk = chunks[side.number]?.length ?? 0;
        const known = seen.get(side);
        const reading = known?.chunk === chunk ? known : { chunk, commands: 0, isLosing: false };
        seen.set(side, reading);
        reading.commands++;
        if (reading.isLosing) return null;
        if (afterRefusal) reading.isLosing = line.startsWith('RCPT TO:<no');
        else if (reading.commands > keeps) return null;
        return undefined;
      },
    },
    { pipelineMs: 100, ...timeouts },
  );
  chunks = world.server.chunks;
  return world;
};

const names = (prefix: string, count: number, domain = 'd.test'): string[] =>
  Array.from({ length: count }, (_, n) => `${prefix}${n}@${domain}`);
const commandsOf = (chunks: readonly string[] | undefined): number[] =>
  (chunks ?? []).map((chunk) => chunk.match(/\r\n/g)?.length ?? 0);

describe('an exchange that loses the later commands of a write', () => {
  it.each([
    ['all but MAIL FROM and the first RCPT TO', 2],
    ['all but the first three', 3],
    ['the last', 5],
  ])('%s: the lost are asked one by one in another session', async (_, keeps) => {
    const { server, probe } = await open({ keeps });
    const texts = [...names('user', 3), 'nobody@d.test'];
    const evidence = await Promise.all(texts.map(probe));
    expect(evidence.map(({ reply }) => reply?.code)).toEqual([250, 250, 250, 550]);
    expect(evidence[0]?.catchAll?.answer).toBe('NO');
    expect(server.lines).toHaveLength(2);
    expect(new Set(commandsOf(server.chunks[1]))).toEqual(new Set([1]));
  });

  it('when only the made-up mailbox is lost, it is asked again', async () => {
    const { server, probe } = await open({ keeps: 2 });
    const evidence = await probe('user1@d.test');
    expect(evidence).toMatchObject({ reply: { code: 250 }, catchAll: { answer: 'NO' }, fault: null });
    expect(server.lines).toHaveLength(2);
    expect(server.recipients().filter((path) => path === 'user1@d.test')).toHaveLength(1);
  });

  it('those answered before the loss are not asked twice', async () => {
    const { server, probe } = await open({ keeps: 3 });
    await Promise.all(names('user', 4).map(probe));
    const asked = (server.lines[1] ?? []).filter((line) => line.startsWith('RCPT'));
    expect(asked).not.toContain('RCPT TO:<user0@d.test>');
    expect(asked).toContain('RCPT TO:<user3@d.test>');
  });

  it('is found out by a longer write than those that were answered', async () => {
    const { server, probe } = await open({ keeps: 5 });
    expect((await probe('user0@d.test')).catchAll?.answer).toBe('NO');
    const evidence = await Promise.all(names('user', 7).map(probe));
    expect(evidence.map(({ reply }) => reply?.code)).toEqual(Array(7).fill(250));
    expect(server.lines).toHaveLength(2);
  });

  it('behind a refusal: the same', async () => {
    const { server, probe } = await open({ keeps: 0, afterRefusal: true });
    const evidence = await Promise.all(
      ['user1', 'nobody', 'user2', 'user3'].map((n) => probe(`${n}@d.test`)),
    );
    expect(evidence.map(({ reply }) => reply?.code)).toEqual([250, 550, 250, 250]);
    expect(server.lines).toHaveLength(2);
  });

  it('is remembered for an hour, and then tried anew', async () => {
    const { server, clock, probe } = await open({ keeps: 2 });
    const mostAtOnce = (from: number): number => Math.max(...commandsOf(server.chunks.flat().slice(from)));
    await probe('user1@d.test');
    const known = server.chunks.flat().length;
    const evidence = await Promise.all(names('user', 4, 'e.test').map(probe));
    expect(evidence.map(({ reply }) => reply?.code)).toEqual(Array(4).fill(250));
    expect(mostAtOnce(known)).toBe(1);
    clock.now += LEARNED_LIFE_MS;
    await Promise.all(names('user', 4, 'f.test').map(probe));
    expect(mostAtOnce(known)).toBeGreaterThan(1);
  });
});

describe('an honest exchange', () => {
  it('that answered as long a write before is not doubted when it falls silent', async () => {
    let isSilent = false;
    const { server, probe } = await start(
      { answer: (line) => (/user[2-9]/.test(line) && isSilent ? null : undefined) },
      { pipelineMs: 60, rcptToMs: 400 },
    );
    await Promise.all(names('user', 6).map(probe));
    isSilent = true;
    const evidence = await Promise.all(names('user', 5).map(probe));
    expect(evidence.map(({ reply }) => reply?.code ?? null)).toEqual([250, 250, null, null, null]);
    expect(evidence[4]).toMatchObject({ fault: { kind: 'timeout', phase: 'RCPT_TO' } });
    expect(server.lines).toHaveLength(1);
  });

  it('that takes its time for the second recipient is doubted once, and then trusted', async () => {
    const slowly = (line: string, side: ServerSide): string | null | undefined => {
      if (!/^RCPT/.test(line) || /user0/.test(line)) return undefined;
      setTimeout(() => side.write('250 2.1.5 Ok\r\n'), 200 * (/user1/.test(line) ? 1 : 1.2));
      return null;
    };
    const { server, probe } = await start({ answer: slowly }, { pipelineMs: 100 });
    const evidence = await Promise.all(names('user', 2).map(probe));
    expect(evidence.map(({ reply }) => reply?.code)).toEqual([250, 250]);
    expect(server.lines).toHaveLength(2);
    await probe('user5@e.test');
    const last = server.chunks.at(-1)?.at(-1) ?? '';
    expect(last.match(/\r\n/g)?.length).toBeGreaterThan(1);
  });
});
