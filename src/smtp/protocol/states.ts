/**
 * What a reply leads to, by the state in which it comes.
 *
 * What is true in each state, and how it is left:
 *
 *   GREETING       connected; nothing may be said yet (RFC 5321 §4.3.1). 2xx: EHLO goes out.
 *   EHLO           EHLO is out. 2xx: what is offered is known, READY. 5xx: HELO goes out (RFC 5321 §3.2).
 *   HELO           HELO is out. 2xx: READY, and nothing is offered.
 *   READY          no reply is awaited. `begin` opens a transaction, `ask` adds recipients to the open one,
 *                  `startTls` and `quit` leave.
 *   ASKING         replies to RSET, MAIL FROM or RCPT TO are awaited, in the order of the commands. Left to READY
 *                  with the last of them. With PIPELINING (RFC 2920) more may be asked meanwhile; without it one
 *                  command is out and the rest is held back here.
 *   STARTTLS       STARTTLS is out. 2xx: TLS_HANDSHAKE, and whatever was read after that reply is thrown away
 *                  (CVE-2011-0411): it was said by anyone on the way, not by the peer of the handshake.
 *   TLS_HANDSHAKE  the socket is not ours. `secured`: EHLO goes out again, what was offered before is forgotten
 *                  (RFC 3207 §4.2).
 *   REFUSED        the server does not want the conversation. Only QUIT is left to say.
 *   QUIT           QUIT is out. Any reply: ENDED.
 *   ENDED          nothing is read or said any more.
 */
import type { DialogueState } from './types.ts';

/** What is done about a reply. */
type Step =
  | 'greet'
  | 'learn'
  | 'fallBack'
  | 'settle'
  | 'answer'
  | 'upgrade'
  | 'refuse'
  | 'close'
  | 'end'
  | 'fault'
  | 'ignore';
type ReplyClass = '2xx' | '3xx' | '4xx' | '5xx' | '421';

const transitions = {
  GREETING: { '2xx': 'greet', '3xx': 'fault', '4xx': 'refuse', '5xx': 'refuse', '421': 'refuse' },
  EHLO: { '2xx': 'learn', '3xx': 'fault', '4xx': 'refuse', '5xx': 'fallBack', '421': 'refuse' },
  HELO: { '2xx': 'settle', '3xx': 'fault', '4xx': 'refuse', '5xx': 'refuse', '421': 'refuse' },
  READY: { '2xx': 'fault', '3xx': 'fault', '4xx': 'fault', '5xx': 'fault', '421': 'close' },
  ASKING: { '2xx': 'answer', '3xx': 'answer', '4xx': 'answer', '5xx': 'answer', '421': 'close' },
  STARTTLS: { '2xx': 'upgrade', '3xx': 'fault', '4xx': 'refuse', '5xx': 'refuse', '421': 'refuse' },
  TLS_HANDSHAKE: { '2xx': 'fault', '3xx': 'fault', '4xx': 'fault', '5xx': 'fault', '421': 'fault' },
  REFUSED: { '2xx': 'fault', '3xx': 'fault', '4xx': 'fault', '5xx': 'fault', '421': 'close' },
  QUIT: { '2xx': 'end', '3xx': 'end', '4xx': 'end', '5xx': 'end', '421': 'end' },
  ENDED: { '2xx': 'ignore', '3xx': 'ignore', '4xx': 'ignore', '5xx': 'ignore', '421': 'ignore' },
} as const satisfies Record<DialogueState, Record<ReplyClass, Step>>;

const classes = { 2: '2xx', 3: '3xx', 4: '4xx', 5: '5xx' } as const;
const classifyCode = (code: number): ReplyClass =>
  code === 421 ? '421' : (classes[Math.trunc(code / 100) as keyof typeof classes] ?? '5xx');

export const planStep = (state: DialogueState, code: number): Step => transitions[state][classifyCode(code)];
