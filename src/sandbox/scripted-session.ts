/**
 * One connection of a scripted server: reads lines, performs what the script says, and never outlives its socket.
 *
 * LISTENING takes the next line as soon as it is there; while BUSY (a delay, a slow or endless reply, a client that
 * does not read) lines wait; MUTE drops what it reads; OVER is over.
 */
import type { Socket } from 'node:net';
import { type SecureContext, TLSSocket } from 'node:tls';
import { IDLE_MS, type Premises } from './mail-server.ts';
import { type MailPath, parsePath } from './mailbox.ts';
import type { SessionRecord } from './recorder.ts';
import type { Act, Manner, Script, Told, Verb } from './script.ts';

const LINE_CEILING = 4_096;
/** A client that writes on while a reply takes its time is read to here, and then hung up on. */
const AHEAD_CEILING = 65_536;
/** What a client lets pile up unread: past it we stop reading, as a full window would make us. */
const BEHIND_CEILING = 1_048_576;
/** An endless reply to a client that reads for ever must end some day. */
const ENDLESS_CEILING = 256 * 1_048_576;
const ENDLESS_BLOCK = 16_384;
const MEMORY_CEILING = 100_000;

const LF = 10;
const TWO = 50;
const NOTHING = Buffer.alloc(0);
const NO_PATH: MailPath = { localPart: '', domain: '' };
const verbs: ReadonlySet<string> = new Set(['EHLO', 'HELO', 'MAIL', 'RCPT', 'RSET', 'NOOP', 'DATA', 'QUIT']);

/** What all sessions of a server share. */
export type Part = {
  readonly script: Script;
  readonly manners: Readonly<Record<Verb, Manner>>;
  readonly premises: Premises;
  readonly secureContext: SecureContext;
  readonly memory: Map<string, number>;
};

export class ScriptedSession {
  readonly #part: Part;
  readonly #record: SessionRecord;
  readonly #leave: () => void;
  readonly #tcp: Socket;
  #socket: Socket;
  #state: 'LISTENING' | 'BUSY' | 'MUTE' | 'OVER' = 'BUSY';
  #ahead: Buffer = NOTHING;
  #timer: NodeJS.Timeout | undefined;
  #isSecure = false;
  #reversePath: string | null = null;
  #recipients = 0;
  #refusals = 0;
  #asked = 0;

  constructor(socket: Socket, part: Part, leave: () => void) {
    this.#part = part;
    this.#leave = leave;
    this.#tcp = socket;
    this.#socket = socket;
    this.#record = part.premises.recorder.open(part.premises.ip);
    socket.setTimeout(IDLE_MS, () => this.hangUp());
    // That a client has gone, however rudely, is no fault of the server's.
    socket.on('error', () => this.hangUp());
    socket.on('close', () => this.hangUp());
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
  }

  greet(): void {
    const { script, premises } = this.#part;
    const { greeting = `220 ${premises.name} ESMTP` } = script;
    this.#perform(typeof greeting === 'function' ? greeting(premises.name) : greeting);
  }

  hangUp(): void {
    if (this.#state === 'OVER') return;
    this.#state = 'OVER';
    clearTimeout(this.#timer);
    // The upper one first: a TLS socket must not lose its ground in mid-handshake.
    this.#socket.destroy();
    this.#tcp.destroy();
    this.#ahead = NOTHING;
    this.#leave();
  }

  #read(chunk: Buffer): void {
    if (this.#state === 'OVER' || this.#state === 'MUTE') return;
    this.#record.chunk();
    const { losesPipelined } = this.#part.script;
    const end = chunk.indexOf(LF) + 1;
    const heard = losesPipelined && end > 0 ? chunk.subarray(0, end) : chunk;
    this.#ahead = this.#ahead.length === 0 ? heard : Buffer.concat([this.#ahead, heard]);
    if (this.#state === 'LISTENING') this.#work();
    else if (this.#ahead.length > AHEAD_CEILING) this.hangUp();
  }

  /** Answers every line that is there, in one write, until one of them takes time. */
  #work(): void {
    let text = '';
    let from = 0;
    const bytes = this.#ahead;
    for (let end = bytes.indexOf(LF); end >= 0; end = bytes.indexOf(LF, from)) {
      const line = bytes.toString('utf8', from, end > from && bytes[end - 1] === 13 ? end - 1 : end);
      from = end + 1;
      const act = this.#answer(line);
      if (typeof act === 'string') {
        text += printAct(act);
        continue;
      }
      this.#ahead = bytes.subarray(from);
      this.#write(text);
      this.#perform(act);
      return;
    }
    this.#ahead = from === bytes.length ? NOTHING : bytes.subarray(from);
    if (this.#ahead.length > LINE_CEILING) {
      this.#perform({ say: '500 5.5.2 Error: line too long', next: 'HANG_UP' });
      return;
    }
    if (!this.#write(text)) this.#waitForReader();
  }

  #answer(line: string): Act {
    const { premises, memory, script } = this.#part;
    this.#record.line(line);
    const verb = readVerb(line);
    const path = verb === 'MAIL' || verb === 'RCPT' ? parsePath(line) : NO_PATH;
    const fault = this.#checkOrder(verb, path);
    if (fault !== null || path === null) return fault ?? '501 5.5.4 Error: syntax error in parameters';
    if (verb === 'RCPT') this.#asked += 1;
    const manner = this.#part.manners[verb];
    const act =
      typeof manner === 'function'
        ? manner({
            line,
            path,
            reversePath: this.#reversePath ?? '',
            clientIp: this.#tcp.remoteAddress ?? '',
            serverName: premises.name,
            isSecure: this.#isSecure,
            recipients: this.#recipients,
            refusals: this.#refusals,
            asked: this.#asked,
            nowMs: Date.now(),
            paced: (ms) => ms * premises.pace,
            memory,
          } satisfies Told)
        : manner;
    if (memory.size > MEMORY_CEILING) memory.clear();
    this.#follow(verb, path, typeof act === 'string' ? act : act.say);
    return script.waitMs === undefined
      ? act
      : { waitMs: script.waitMs, ...(typeof act === 'string' ? { say: act } : act) };
  }

  /** Null when the command may be said now (RFC 5321 §4.1.4). */
  #checkOrder(verb: Verb, path: MailPath | null): string | null {
    if (verb === 'MAIL' && this.#reversePath !== null) return '503 5.5.1 Error: nested MAIL command';
    if (verb === 'RCPT' && this.#reversePath === null) return '503 5.5.1 Error: need MAIL command';
    if (path === null || (verb === 'RCPT' && path.domain === ''))
      return '501 5.1.3 Error: bad address syntax';
    return null;
  }

  /** What the reply has made of the transaction. */
  #follow(verb: Verb, path: MailPath, said: string | Uint8Array | undefined): void {
    const isGood = (typeof said === 'string' ? said.charCodeAt(0) : said?.[0]) === TWO;
    switch (verb) {
      case 'MAIL':
        if (isGood) this.#reversePath = path.domain === '' ? '' : `${path.localPart}@${path.domain}`;
        break;
      case 'RCPT':
        if (isGood) this.#recipients += 1;
        else this.#refusals += 1;
        break;
      case 'EHLO':
      case 'HELO':
      case 'RSET':
        this.#reversePath = null;
        this.#recipients = 0;
        break;
    }
  }

  /** What cannot be done by adding to the write that is being put together. */
  #perform(act: Act): void {
    this.#state = 'BUSY';
    const { waitMs, ...rest } = typeof act === 'string' ? { say: act, waitMs: undefined } : act;
    if (waitMs === undefined) this.#say(rest);
    else this.#timer = setTimeout(() => this.#say(rest), waitMs * this.#part.premises.pace);
  }

  #say({ say, isEndless, octetEveryMs, next }: Exclude<Act, string>): void {
    const { pace } = this.#part.premises;
    const bytes = Buffer.from(typeof say === 'string' ? printAct(say) : (say ?? ''));
    if (octetEveryMs !== undefined) this.#dribble(bytes, octetEveryMs * pace);
    else if (isEndless)
      this.#flood(Buffer.concat(Array(Math.ceil(ENDLESS_BLOCK / bytes.length)).fill(bytes)));
    else if (next === 'HANG_UP') {
      this.#state = 'MUTE';
      this.#socket.end(bytes);
      // Reads on until the client has closed its side too, so that the last reply is not lost to a reset.
      this.#socket.setTimeout(1_000, () => this.hangUp());
    } else {
      const isRead = this.#write(bytes);
      if (next === 'SILENCE') this.#state = 'MUTE';
      else if (next === 'START_TLS') this.#startTls();
      else if (next === 'BREAK_TLS') this.#breakTls();
      // Not at once: a thousand such acts in one chunk must not become a thousand calls deep.
      else if (isRead) setImmediate(() => this.#listen());
      else this.#waitForReader();
    }
  }

  #listen(): void {
    if (this.#state === 'OVER') return;
    this.#state = 'LISTENING';
    this.#work();
  }

  /** False when the client does not read and must be waited for. */
  #write(data: string | Uint8Array): boolean {
    if (data.length === 0) return true;
    return this.#socket.write(data) || this.#socket.writableLength < BEHIND_CEILING;
  }

  #waitForReader(): void {
    if (this.#state === 'OVER') return;
    this.#state = 'BUSY';
    this.#socket.pause();
    this.#socket.once('drain', () => {
      this.#socket.resume();
      this.#listen();
    });
  }

  #flood(block: Buffer, sent = 0): void {
    if (this.#state === 'OVER') return;
    if (sent > ENDLESS_CEILING) this.hangUp();
    else if (this.#socket.write(block))
      this.#timer = setTimeout(() => this.#flood(block, sent + block.length), 1);
    else this.#socket.once('drain', () => this.#flood(block, sent + block.length));
  }

  #dribble(bytes: Buffer, everyMs: number, index = 0): void {
    this.#timer = setTimeout(() => {
      this.#write(bytes.subarray(index, index + 1));
      this.#dribble(bytes, everyMs, (index + 1) % bytes.length);
    }, everyMs);
  }

  /** Everything known of the client is forgotten (RFC 3207 §4.2), what it said too early included. */
  #startTls(): void {
    const { secureContext } = this.#part;
    this.#tcp.removeAllListeners('data');
    this.#ahead = NOTHING;
    const socket = new TLSSocket(this.#tcp, { isServer: true, secureContext });
    this.#socket = socket;
    this.#isSecure = true;
    this.#reversePath = null;
    this.#recipients = 0;
    this.#tcp.setTimeout(0);
    socket.setTimeout(IDLE_MS, () => this.hangUp());
    socket.on('error', () => this.hangUp());
    socket.on('close', () => this.hangUp());
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    this.#state = 'LISTENING';
  }

  #breakTls(): void {
    this.#state = 'MUTE';
    this.#socket.once('data', () => this.#socket.end('This is no handshake.\r\n'));
  }
}

const readVerb = (line: string): Verb => {
  const verb = line.slice(0, 4).toUpperCase();
  if (verbs.has(verb)) return verb as Verb;
  return /^STARTTLS\s*$/i.test(line) ? 'STARTTLS' : 'UNKNOWN';
};

const printAct = (say: string): string => `${say.includes('\n') ? say.replaceAll('\n', '\r\n') : say}\r\n`;
