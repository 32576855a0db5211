/** Greylisting servers: what is told to those who must come again, and what becomes of the made-up mailbox. */
import { afterEach, describe, expect, it } from 'vitest';
import { HONEST, honestly, type Scenario, startServer } from './scripted-server.ts';
import { ask, makeProber } from './world.ts';

const running: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of running.splice(0).reverse()) await one.close();
});

const DELAY_MS = 60_000;

const start = async (capabilities = HONEST, say = '450 4.2.0 Greylisted, come back later') => {
  const clock = { now: 1_700_000_000_000 };
  const firstAt = new Map<string, number>();
  const answer: Scenario['answer'] = (line) => {
    if (!/^RCPT/.test(line)) return undefined;
    const known = firstAt.get(line) ?? clock.now;
    firstAt.set(line, known);
    return clock.now - known >= DELAY_MS ? honestly(line, capabilities) : say;
  };
  const server = await startServer({ capabilities, answer });
  const prober = makeProber({ port: server.port, now: () => clock.now });
  running.push(server, prober);
  const probe = (text: string) => prober.probe(ask(text, { deadline: clock.now + 5_000 }));
  const canaries = () => server.recipients().filter((path) => !/^(user|real|no)/.test(path));
  return { clock, server, prober, probe, canaries };
};

describe.each([
  ['with PIPELINING', HONEST],
  ['without', ['8BITMIME']],
])('greylisting, %s', (_name, capabilities) => {
  it('the same triplet passes later, and the next ones are told the learned delay', async () => {
    const { clock, probe } = await start(capabilities);
    expect((await probe('user1@d.test')).meaning).toMatchObject({
      kind: 'GREYLISTED',
      retryAfterSeconds: null,
    });
    clock.now += DELAY_MS;
    expect((await probe('user1@d.test')).meaning?.kind).toBe('ACCEPTED');
    expect((await probe('user2@e.test')).meaning).toMatchObject({
      kind: 'GREYLISTED',
      retryAfterSeconds: DELAY_MS / 1_000,
    });
  });

  it('a greylisted made-up mailbox is no fact, and the same one is asked again', async () => {
    const { clock, probe, canaries } = await start(capabilities);
    await probe('user1@d.test');
    clock.now += DELAY_MS;
    const passed = await probe('user1@d.test');
    expect(passed.reply?.code).toBe(250);
    // Pipelined, it was put off beside the first question and has passed as well; else it was asked now for the first time.
    expect(passed.catchAll?.answer).toBe(canaries().length > 1 ? 'NO' : 'UNKNOWN');
    clock.now += 10 * DELAY_MS;
    expect((await probe('user1@d.test')).catchAll?.answer).toBe('NO');
    expect(new Set(canaries()).size).toBe(1);
    expect(canaries()).toHaveLength(2);
  });
});

describe('a stated delay', () => {
  it('is what those who come again find the made-up mailbox free after', async () => {
    const { clock, probe, canaries } = await start(HONEST, '451 4.7.1 Greylisted, come back in 60 seconds');
    expect((await probe('user1@d.test')).meaning?.retryAfterSeconds).toBe(60);
    await probe('user2@d.test');
    expect(canaries()).toHaveLength(1);
    clock.now += DELAY_MS;
    expect(await probe('user1@d.test')).toMatchObject({ reply: { code: 250 }, catchAll: { answer: 'NO' } });
  });
});

describe('beside a greylisted mailbox', () => {
  it('an accepted made-up one makes no catch-all', async () => {
    const server = await startServer({
      answer: (line) =>
        /^RCPT TO:<user/.test(line)
          ? '450 4.2.0 Greylisted'
          : /^RCPT/.test(line)
            ? '250 2.1.5 Ok'
            : undefined,
    });
    const prober = makeProber({ port: server.port });
    running.push(server, prober);
    const request = ask('user1@d.test');
    const [, finding] = await Promise.all([
      prober.probe(request),
      prober.probeCatchAll({ ...request, domain: request.address.domain }),
    ]);
    expect(finding.answer).toBe('UNKNOWN');
  });
});
