/** What a lane learns from its exchanges, uses for an hour, and then tries anew. */
import { afterEach, describe, expect, it } from 'vitest';
import { LEARNED_LIFE_MS } from '../../src/smtp/limits.ts';
import { HONEST, type Scenario, type ServerSide, startServer } from './scripted-server.ts';
import { ask, eventually, makeProber, type World } from './world.ts';

const running: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of running.splice(0).reverse()) await one.close();
});

const start = async (scenario: Scenario, world: Partial<World> = {}) => {
  const server = await startServer(scenario);
  const clock = { now: 1_700_000_000_000 };
  const prober = makeProber({ port: server.port, now: () => clock.now, ...world });
  running.push(server, prober);
  const probe = (text: string) => prober.probe(ask(text, { deadline: clock.now + 10_000 }));
  return { server, clock, prober, probe };
};
const names = (prefix: string, count: number): string[] =>
  Array.from({ length: count }, (_, n) => `${prefix}${n}@d.test`);

/** Reads one command of each chunk: what came behind it in one write is lost. */
const losesPipelined = (): Scenario => {
  const seen = new Map<ServerSide, number>();
  let chunksOf: (number: number) => number = () => 0;
  const scenario: Scenario = {
    answer: (_line, side) => {
      const chunk = chunksOf(side.number);
      if (seen.get(side) === chunk) return null;
      seen.set(side, chunk);
      return undefined;
    },
  };
  return Object.assign(scenario, {
    watch: (server: { chunks: string[][] }) => {
      chunksOf = (number) => server.chunks[number]?.length ?? 0;
    },
  });
};

describe('an exchange that refuses EHLO', () => {
  it('is greeted with HELO at once for an hour, and then asked anew', async () => {
    const { server, clock, prober, probe } = await start(
      { answer: (line) => (/^EHLO/.test(line) ? '502 5.5.1 What?' : undefined) },
      { timeouts: { idleMs: 20 } },
    );
    const openings = [];
    for (const [n, later] of [0, 1_000, LEARNED_LIFE_MS].entries()) {
      clock.now += later;
      expect((await probe(`user${n}@d${n}.test`)).reply?.code).toBe(250);
      openings.push(server.lines[n]?.slice(0, 2).map((line) => line.slice(0, 4)));
      await eventually(() => prober.lanes().every(({ sessions }) => sessions === 0));
    }
    expect(openings).toEqual([
      ['EHLO', 'HELO'],
      ['HELO', 'MAIL'],
      ['EHLO', 'HELO'],
    ]);
  });
});

describe('PIPELINING that loses commands', () => {
  const open = async (timeouts: World['timeouts'] = { pipelineMs: 100 }) => {
    const scenario = losesPipelined() as Scenario & { watch(server: { chunks: string[][] }): void };
    const world = await start(scenario, { timeouts });
    scenario.watch(world.server);
    return world;
  };

  it('is found out by its silence, and everybody is asked one at a time in a new session', async () => {
    const { server, probe } = await open();
    const evidence = await Promise.all(['user1', 'nobody', 'user2'].map((name) => probe(`${name}@d.test`)));
    expect(evidence.map(({ reply }) => reply?.code)).toEqual([250, 550, 250]);
    expect(evidence[0]?.catchAll?.answer).toBe('NO');
    expect(server.lines).toHaveLength(2);
    for (const chunk of server.chunks[1] ?? []) expect(chunk.match(/\r\n/g)).toHaveLength(1);
  });

  it('is remembered for an hour, RSET between domains included', async () => {
    const { server, clock, probe } = await open();
    await probe('user1@d.test');
    expect((await probe('user1@e.test')).reply?.code).toBe(250);
    expect(server.lines).toHaveLength(2);
    for (const chunk of server.chunks[1] ?? []) expect(chunk.match(/\r\n/g)).toHaveLength(1);
    clock.now += LEARNED_LIFE_MS;
    expect((await probe('user1@f.test')).reply?.code).toBe(250);
    expect(server.lines.length).toBeGreaterThan(2);
  });

  it('an honest server that has answered once is not doubted when it falls silent', async () => {
    let isSilent = false;
    const { server, probe } = await start(
      { answer: (line) => (/^RCPT/.test(line) && isSilent ? null : undefined) },
      { timeouts: { pipelineMs: 60, rcptToMs: 300 } },
    );
    await probe('user1@d.test');
    isSilent = true;
    expect(await probe('user2@d.test')).toMatchObject({ fault: { kind: 'timeout', phase: 'RCPT_TO' } });
    expect(server.lines).toHaveLength(1);
  });

  it('one that is silent either way ends as a timeout', async () => {
    const { server, probe } = await start(
      { answer: (line) => (/^RCPT/.test(line) ? null : undefined) },
      { timeouts: { pipelineMs: 60, rcptToMs: 200 } },
    );
    expect(await probe('user2@d.test')).toMatchObject({ fault: { kind: 'timeout', phase: 'RCPT_TO' } });
    expect(server.lines).toHaveLength(2);
  });

  it('one that is only slow is trusted again', async () => {
    let isSlow = true;
    const { server, probe } = await start(
      {
        answer: (line, side) => {
          if (!/^RCPT/.test(line) || !isSlow) return undefined;
          setTimeout(() => side.write('250 2.1.5 Ok\r\n'), 150);
          return null;
        },
      },
      { timeouts: { pipelineMs: 100, rcptToMs: 2_000 } },
    );
    expect((await probe('user1@d.test')).reply?.code).toBe(250);
    isSlow = false;
    const sessions = server.lines.length;
    await Promise.all(names('user', 4).map((text) => probe(text.replace('d.test', 'e.test'))));
    expect(server.lines).toHaveLength(sessions);
    const last = server.chunks.at(-1)?.at(-1) ?? '';
    expect(last.match(/RCPT/g)?.length).toBeGreaterThan(1);
  });
});

describe('recipients of a session', () => {
  it('are counted when it ends by 421, and the next session leaves before that', async () => {
    const { server, probe } = await start({
      answer: (line, side) => {
        if (!/^RCPT/.test(line) || side.recipients < 4) return undefined;
        side.write('421 4.7.0 Too many recipients in this session\r\n');
        side.hangUp();
        return null;
      },
    });
    const evidence = await Promise.all(names('user', 14).map(probe));
    expect(evidence.map(({ reply }) => reply?.code)).toEqual(Array(14).fill(250));
    await eventually(() => server.open === 0 || server.lines.length > 3);
    const told = server.lines.map((lines) => lines.filter((line) => line.startsWith('RCPT')).length);
    expect(told[0]).toBeGreaterThan(4);
    for (const count of told.slice(1)) expect(count).toBeLessThanOrEqual(4);
  });

  it('a 421 that echoes the first shows its address to nobody else', async () => {
    const { probe } = await start({
      answer: (line, side) => {
        if (!/^RCPT/.test(line)) return undefined;
        side.write(`421 4.3.2 ${line.slice(8)}: shutting down\r\n`);
        side.hangUp();
        return null;
      },
    });
    const texts = names('somebody', 4);
    const evidence = await Promise.all(texts.map(probe));
    for (const [index, one] of evidence.entries())
      for (const [other, text] of texts.entries())
        if (other !== index) expect(JSON.stringify(one)).not.toContain(text);
  });
});

describe('refusals of a session', () => {
  it('fewer than eight where the server hangs up earlier, for an hour', async () => {
    const { server, clock, probe } = await start(
      {
        capabilities: HONEST,
        answer: (line, side) => {
          if (!/^RCPT/.test(line) || side.recipients < 2) return undefined;
          side.write('421 4.7.0 Too many errors\r\n');
          side.hangUp();
          return null;
        },
      },
      { timeouts: { idleMs: 20 } },
    );
    await Promise.all(names('no', 6).map(probe));
    const before = server.lines.length;
    await Promise.all(names('nox', 4).map(probe));
    for (const lines of server.lines.slice(before))
      expect(lines.filter((line) => line.startsWith('RCPT')).length).toBeLessThanOrEqual(2);
    await eventually(() => server.open === 0);
    clock.now += LEARNED_LIFE_MS;
    const later = server.lines.length;
    await Promise.all(names('noy', 4).map(probe));
    expect(
      Math.max(
        ...server.lines.slice(later).map((lines) => lines.filter((line) => line.startsWith('RCPT')).length),
      ),
    ).toBeGreaterThan(2);
  });
});
