import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { printCommandLine } from './command.ts';
import { Dialogue } from './dialogue.ts';
import type { DialogueEvent } from './types.ts';

type Event = DialogueEvent<string>;
const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const lines = (...texts: readonly string[]): Uint8Array =>
  encode(texts.map((text) => `${text}\r\n`).join(''));

/** An event as a line of a table. */
const show = (event: Event): string => {
  switch (event.kind) {
    case 'send':
      return `> ${printCommandLine(event.command)}`;
    case 'answered':
      return `${event.recipient.tag}: ${event.reply.code}`;
    case 'refused':
    case 'closing':
      return `${event.kind} ${event.phase} ${event.reply.code}`;
    case 'envelopeRefused':
      return `${event.kind} ${event.reply.code}`;
    case 'fault':
      return `fault ${event.phase}`;
    default:
      return event.kind;
  }
};
const shown = (events: readonly Event[]): string[] =>
  events.filter(({ kind }) => kind !== 'received').map(show);

const PIPELINING = ['220 mx', '250-mx', '250-PIPELINING', '250-STARTTLS', '250 SMTPUTF8'] as const;
const PLAIN = ['220 mx', '250-mx', '250 STARTTLS'] as const;
const open = (said: readonly string[]): Dialogue<string> => {
  const dialogue = new Dialogue<string>('me.test');
  dialogue.receive(lines(...said));
  expect(dialogue.state).toBe('READY');
  return dialogue;
};
const recipients = (...tags: readonly string[]) => tags.map((tag) => ({ forwardPath: `${tag}@d.test`, tag }));
const envelope = { reversePath: '', usesSmtpUtf8: false };

describe('Dialogue: opening', () => {
  const rows: readonly [name: string, said: readonly string[], events: readonly string[], state: string][] = [
    ['greets after the greeting', ['220 mx'], ['> EHLO me.test'], 'EHLO'],
    ['is ready after EHLO', ['220 mx', '250 mx'], ['> EHLO me.test', 'ready'], 'READY'],
    [
      'falls back to HELO',
      ['220 mx', '502 no', '250 mx'],
      ['> EHLO me.test', '> HELO me.test', 'ready'],
      'READY',
    ],
    [
      'does not fall back from 4xx',
      ['220 mx', '451 later'],
      ['> EHLO me.test', 'refused EHLO 451'],
      'REFUSED',
    ],
    [
      'ends when HELO is refused too',
      ['220 mx', '550 no', '550 no'],
      ['> EHLO me.test', '> HELO me.test', 'refused EHLO 550'],
      'REFUSED',
    ],
    ['keeps a 554 greeting', ['554 no'], ['refused GREETING 554'], 'REFUSED'],
    ['keeps a 421 greeting', ['421 busy'], ['refused GREETING 421'], 'REFUSED'],
    ['faults 354 as greeting', ['354 go on'], ['fault GREETING'], 'ENDED'],
    ['faults garbage', ['hello there'], ['fault GREETING'], 'ENDED'],
    [
      'faults a reply before a command',
      ['220 mx', '250 mx', '250 again'],
      ['> EHLO me.test', 'ready', 'fault RCPT_TO'],
      'ENDED',
    ],
    [
      'ends with 421 while nothing is asked',
      ['220 mx', '250 mx', '421 idle'],
      ['> EHLO me.test', 'ready', 'closing RCPT_TO 421'],
      'ENDED',
    ],
  ];
  it.each(rows)('%s', (_name, said, events, state) => {
    const dialogue = new Dialogue<string>('me.test');
    expect(shown(dialogue.receive(lines(...said)))).toEqual(events);
    expect(dialogue.state).toBe(state);

    const slow = new Dialogue<string>('me.test');
    const heard = [...lines(...said)].flatMap((octet) => slow.receive(Uint8Array.of(octet)));
    expect(shown(heard)).toEqual(events);
    expect(slow.state).toBe(state);
  });

  it('says nothing before the greeting is whole', () => {
    const dialogue = new Dialogue<string>('me.test');
    expect(dialogue.receive(lines('220-wait', '220-for it'))).toEqual([]);
    expect(dialogue.quit()).toEqual([]);
  });
});

describe('Dialogue: asking', () => {
  it('writes a transaction at once where PIPELINING is offered', () => {
    const dialogue = open(PIPELINING);
    expect(shown(dialogue.begin(envelope, recipients('a', 'b')))).toEqual([
      '> MAIL FROM:<>',
      '> RCPT TO:<a@d.test>',
      '> RCPT TO:<b@d.test>',
    ]);
    expect(shown(dialogue.receive(lines('250 ok', '250 ok')))).toEqual(['a: 250']);
    expect(shown(dialogue.ask(recipients('c')))).toEqual(['> RCPT TO:<c@d.test>']);
    expect(shown(dialogue.receive(lines('550 no', '450 later')))).toEqual(['b: 550', 'c: 450']);
    expect(dialogue.state).toBe('READY');
  });

  it('writes one command at a time where it is not', () => {
    const dialogue = open(PLAIN);
    expect(shown(dialogue.begin(envelope, recipients('a', 'b')))).toEqual(['> MAIL FROM:<>']);
    expect(shown(dialogue.receive(lines('250 ok')))).toEqual(['> RCPT TO:<a@d.test>']);
    expect(shown(dialogue.receive(lines('550 no')))).toEqual(['a: 550', '> RCPT TO:<b@d.test>']);
    expect(shown(dialogue.receive(lines('250 ok')))).toEqual(['b: 250']);
    expect(dialogue.state).toBe('READY');
  });

  it('clears a transaction before the next', () => {
    const dialogue = open(PIPELINING);
    dialogue.begin(envelope, recipients('a'));
    dialogue.receive(lines('250 ok', '250 ok'));
    expect(shown(dialogue.begin(envelope, recipients('b')))).toEqual([
      '> RSET',
      '> MAIL FROM:<>',
      '> RCPT TO:<b@d.test>',
    ]);
    expect(shown(dialogue.receive(lines('250 ok', '250 ok', '550 no')))).toEqual(['b: 550']);
  });

  it('answers nobody of a transaction whose MAIL FROM was refused', () => {
    const dialogue = open(PIPELINING);
    dialogue.begin(envelope, recipients('a', 'b'));
    expect(shown(dialogue.receive(lines('550 you', '503 no MAIL', '250 what')))).toEqual([
      'envelopeRefused 550',
    ]);
    expect(dialogue.state).toBe('READY');
    expect(dialogue.canAsk).toBe(false);
    expect(shown(dialogue.begin(envelope, recipients('c')))[0]).toBe('> MAIL FROM:<>');
  });

  it('sends no RCPT TO after a refused MAIL FROM without PIPELINING', () => {
    const dialogue = open(PLAIN);
    dialogue.begin(envelope, recipients('a'));
    expect(shown(dialogue.receive(lines('451 later')))).toEqual(['envelopeRefused 451']);
    expect(dialogue.state).toBe('READY');
  });

  it('says once that a transaction is refused when RSET and MAIL FROM both are', () => {
    const dialogue = open(PIPELINING);
    dialogue.begin(envelope, recipients('a'));
    dialogue.receive(lines('250 ok', '250 ok'));
    dialogue.begin(envelope, recipients('b'));
    expect(shown(dialogue.receive(lines('502 no RSET', '503 nested', '250 hm')))).toEqual([
      'envelopeRefused 502',
    ]);
  });

  it('ends with 421 in the middle, and hears nothing after it', () => {
    const dialogue = open(PIPELINING);
    dialogue.begin(envelope, recipients('a', 'b'));
    expect(shown(dialogue.receive(lines('250 ok', '550 no', '421 too many errors', '250 ok')))).toEqual([
      'a: 550',
      'closing RCPT_TO 421',
    ]);
    expect(dialogue.receive(lines('250 ok'))).toEqual([]);
  });

  it('faults more replies than commands', () => {
    const dialogue = open(PIPELINING);
    dialogue.begin(envelope, recipients('a'));
    expect(shown(dialogue.receive(lines('250 ok', '250 ok', '250 ok')))).toEqual(['fault RCPT_TO']);
  });

  it('throws for what only a bug would do', () => {
    const dialogue = new Dialogue<string>('me.test');
    expect(() => dialogue.begin(envelope, [])).toThrow('GREETING');
    expect(() => dialogue.ask(recipients('a'))).toThrow('GREETING');
    expect(() => dialogue.secured()).toThrow('GREETING');
    expect(() => open(PLAIN).begin({ reversePath: '', usesSmtpUtf8: true }, [])).toThrow('SMTPUTF8');
  });

  it('takes back what was answered in one breath with a reply too many', () => {
    // MAIL FROM is answered twice: each later reply now stands beside the wrong recipient.
    const dialogue = open(PIPELINING);
    dialogue.begin(envelope, recipients('gone', 'made-up'));
    expect(shown(dialogue.receive(lines('250 ok', '250 ok', '550 no', '550 no')))).toEqual(['fault RCPT_TO']);
    expect(dialogue.state).toBe('ENDED');
  });

  it('keeps what was answered before that breath, and before octets that are no reply', () => {
    const dialogue = open(PIPELINING);
    dialogue.begin(envelope, recipients('a', 'b'));
    expect(shown(dialogue.receive(lines('250 ok', '250 ok')))).toEqual(['a: 250']);
    expect(shown(dialogue.receive(lines('550 no', '550 no')))).toEqual(['fault RCPT_TO']);
    const other = open(PIPELINING);
    other.begin(envelope, recipients('a'));
    expect(shown(other.receive(lines('250 ok', '250 ok', 'garbage')))).toEqual(['a: 250', 'fault RCPT_TO']);
  });

  it('leaves politely only where QUIT may be said', () => {
    const ready = open(PIPELINING);
    expect(shown(ready.quit())).toEqual(['> QUIT']);
    expect(shown(ready.receive(lines('221 bye')))).toEqual(['ended']);
    const asking = open(PIPELINING);
    asking.begin(envelope, recipients('a'));
    expect(asking.quit()).toEqual([]);
  });
});

describe('Dialogue: STARTTLS', () => {
  it('throws away what came with the 220, and asks everything again (CVE-2011-0411)', () => {
    const dialogue = open(PIPELINING);
    expect(shown(dialogue.startTls())).toEqual(['> STARTTLS']);
    expect(shown(dialogue.receive(lines('220 go', '250-evil', '250 PIPELINING')))).toEqual(['startTls']);
    expect(shown(dialogue.secured())).toEqual(['> EHLO me.test']);
    expect(dialogue.capabilities.offersPipelining).toBe(false);
    expect(shown(dialogue.receive(lines('250 mx')))).toEqual(['ready']);
    expect(dialogue.isSecure).toBe(true);
    expect(dialogue.capabilities.offersPipelining).toBe(false);
  });

  it('throws away half a line that came with the 220', () => {
    const dialogue = open(PIPELINING);
    dialogue.startTls();
    dialogue.receive(encode('220 go\r\n250-ev'));
    dialogue.secured();
    expect(shown(dialogue.receive(lines('250 mx')))).toEqual(['ready']);
  });

  it('keeps the reply of a server that cannot after all', () => {
    const dialogue = open(PIPELINING);
    dialogue.startTls();
    expect(shown(dialogue.receive(lines('454 not now')))).toEqual(['refused STARTTLS 454']);
    expect(shown(dialogue.quit())).toEqual(['> QUIT']);
  });

  it('clears no transaction of the time before', () => {
    const dialogue = open(PIPELINING);
    dialogue.begin(envelope, recipients('a'));
    dialogue.receive(lines('250 ok', '530 STARTTLS first'));
    dialogue.startTls();
    dialogue.receive(lines('220 go'));
    dialogue.secured();
    dialogue.receive(lines('250 mx'));
    expect(shown(dialogue.begin(envelope, []))).toEqual(['> MAIL FROM:<>']);
  });
});

describe('Dialogue: anything', () => {
  it('never throws for what a server says, and never says more than it was asked to', () => {
    const said = fc.array(
      fc.oneof(
        fc.constantFrom(
          '220 a',
          '250 b',
          '250-c',
          '250-PIPELINING',
          '550 d',
          '421 e',
          '354 f',
          '530 g',
          '',
          'x',
        ),
        fc.string(),
      ),
      { maxLength: 30 },
    );
    fc.assert(
      fc.property(said, (texts) => {
        const dialogue = new Dialogue<string>('me.test');
        let asked = 0;
        let answered = 0;
        for (const text of texts) {
          const events = dialogue.receive(lines(text));
          answered += events.filter(({ kind }) => kind === 'answered').length;
          if (dialogue.state === 'READY') {
            dialogue.begin(envelope, recipients('a', 'b'));
            asked += 2;
          }
        }
        expect(answered).toBeLessThanOrEqual(asked);
      }),
      { numRuns: 500 },
    );
  });
});
