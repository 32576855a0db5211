/**
 * The dialogue under four million octets, driven by an owner who wants everything: several transactions, TLS, QUIT.
 * What must be true of every conversation, whatever the peer says, is checked event by event and without asking the
 * dialogue itself: it is a second, simpler account of RFC 5321, RFC 2920 and RFC 3207.
 */
import { expect, it } from 'vitest';
import { Dialogue, type DialogueEvent, type Reply } from '../../src/smtp/protocol/index.ts';
import { runFuzz } from './fuzz.ts';
import type { Random } from './random.ts';
import { makeBentDialogue, makeLateNoise, split } from './streams.ts';

type Event = DialogueEvent<number>;

/** How often each kind of event was met: a fuzz that never gets anywhere proves nothing. */
const met: Record<string, number> = {};

const demand = (isTrue: boolean, what: string): void => {
  if (!isTrue) throw new Error(what);
};

/** Watches one conversation. */
const createWitness = () => {
  /** Verbs whose replies have not come. */
  const outstanding: string[] = [];
  const sent = new Set<number>();
  const answered = new Set<number>();
  let isGreeted = false;
  let isOver = false;
  let offersPipelining = false;
  let isRefused = false;

  const hearReply = (reply: Reply): void => {
    if (!isGreeted) {
      isGreeted = true;
      isRefused = reply.code >= 300;
      return;
    }
    const verb = outstanding.shift();
    if (verb === 'EHLO' && reply.code < 300)
      offersPipelining = reply.lines.slice(1).some((line) => /^PIPELINING(?:[ \t]|$)/i.test(line));
    if (verb === 'HELO') offersPipelining = false;
  };

  const watch = (event: Event): void => {
    met[event.kind] = (met[event.kind] ?? 0) + 1;
    demand(!isOver, `${event.kind} after the end`);
    switch (event.kind) {
      case 'send': {
        const { verb } = event.command;
        demand(isGreeted, `${verb} before the greeting`);
        demand(!isRefused || verb === 'QUIT', `${verb} to a server that refused`);
        const isAlone = verb !== 'RSET' && verb !== 'MAIL' && verb !== 'RCPT';
        if (outstanding.length > 0)
          demand(offersPipelining && !isAlone, `${verb} before the reply to ${outstanding[0]}`);
        outstanding.push(verb);
        if (!event.recipient) break;
        demand(!sent.has(event.recipient.tag), 'one recipient asked twice');
        sent.add(event.recipient.tag);
        break;
      }
      case 'received':
        demand(event.reply.code >= 200 && event.reply.code <= 599, `code ${event.reply.code}`);
        hearReply(event.reply);
        break;
      case 'answered':
        demand(sent.has(event.recipient.tag), 'an answer about nobody who was asked');
        demand(!answered.has(event.recipient.tag), 'one recipient answered twice');
        answered.add(event.recipient.tag);
        break;
      case 'refused':
        isRefused = true;
        break;
      case 'startTls':
        offersPipelining = false;
        break;
      case 'closing':
      case 'fault':
      case 'ended':
        isOver = true;
        break;
    }
  };

  return {
    watch,
    get isOver() {
      return isOver;
    },
  };
};

const converse = (octets: Uint8Array, random: Random): void => {
  const dialogue = new Dialogue<number>('prober.test');
  const witness = createWitness();
  const watchAll = (events: readonly Event[]): void => {
    for (const event of events) witness.watch(event);
    const last = events.at(-1);
    if (last?.kind === 'fault' && last.detail.includes('nobody asked'))
      demand(!events.some(({ kind }) => kind === 'answered'), 'an answer beside a reply too many');
    demand(witness.isOver === (dialogue.state === 'ENDED'), `it is ${dialogue.state}`);
  };
  let people = 0;
  const recruit = (count: number) =>
    Array.from({ length: count }, () => {
      people += 1;
      return { forwardPath: `user${people}@d.test`, tag: people };
    });
  /** What a session's owner does with what it has heard. */
  const act = (): readonly Event[] => {
    switch (dialogue.state) {
      case 'READY':
        if (dialogue.capabilities.offersStartTls && !dialogue.isSecure && random.oneIn(2))
          return dialogue.startTls();
        if (random.oneIn(20)) return dialogue.quit();
        return dialogue.begin({ reversePath: '', usesSmtpUtf8: false }, recruit(1 + random.below(4)));
      case 'ASKING':
        return dialogue.canAsk && random.oneIn(8) ? dialogue.ask(recruit(1)) : [];
      case 'TLS_HANDSHAKE':
        // Else what comes next is plain text in the place of a handshake.
        return random.oneIn(4) ? [] : dialogue.secured();
      case 'REFUSED':
        return dialogue.quit();
      default:
        return [];
    }
  };
  demand(dialogue.state === 'GREETING', 'it has begun without a greeting');
  for (const piece of split(octets, random)) {
    watchAll(dialogue.receive(piece));
    watchAll(act());
  }
  // Whatever state it was left in, it can be left; and then it is deaf and dumb.
  const farewell = dialogue.quit();
  demand(farewell.length <= 1, 'more than QUIT at the end');
  dialogue.receive(Buffer.from('221 bye\r\n250 ok\r\n'));
  demand(dialogue.state === 'ENDED', `quit, and it is ${dialogue.state}`);
  demand(dialogue.receive(octets).length === 0 && dialogue.quit().length === 0, 'it spoke after its end');
};

it('two million octets of noise, from every depth of a real dialogue', () => {
  runFuzz({ seed: 20_263, octets: 2_000_000, make: makeLateNoise, check: converse });
});

it('two million octets of bent dialogues', () => {
  runFuzz({ seed: 20_264, octets: 2_000_000, make: makeBentDialogue, check: converse });
});

it('every kind of event was met a hundred times', () => {
  const kinds = [
    'send',
    'received',
    'ready',
    'refused',
    'envelopeRefused',
    'answered',
    'startTls',
    'closing',
    'fault',
    'ended',
  ] as const satisfies readonly Event['kind'][];
  for (const kind of kinds) expect([kind, met[kind]]).toEqual([kind, expect.any(Number)]);
  for (const kind of kinds) expect(met[kind], kind).toBeGreaterThan(100);
});
