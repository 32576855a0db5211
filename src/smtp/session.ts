/**
 * One TCP connection to one address of one exchange: the dialogue's socket, clock and log. It takes the connection that
 * `dial` opened, keeps a deadline for each phase and one for its life, upgrades to TLS when told to, and ends in exactly
 * one way, which it reports once.
 *
 * Refuses to decide whom to ask, what a reply means, or whether to try again: that is the lane's.
 * Limits: `Timeouts`, 8 MB read. What is waiting to be written is bounded by the recipients that its owner lets
 * be outstanding (MAX_REFUSALS_PER_SESSION), some 3 KB, so a peer that does not read costs that and a deadline.
 */
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { ExchangeHost } from '../address/index.ts';
import { Deadline } from './deadline.ts';
import { type Introduction, IntroductionRecord, type OnProgress } from './introduction.ts';
import { MAX_SESSION_OCTETS, type Timeouts } from './limits.ts';
import {
  type Capabilities,
  Dialogue,
  type DialogueEvent,
  type Envelope,
  printCommandLine,
  type Recipient,
  type Reply,
} from './protocol/index.ts';
import { printTls, readTlsFacts, startTls } from './tls.ts';
import type { LogLine, SessionLog } from './transcript.ts';
import type { Phase, SessionFault } from './types.ts';

export type SessionTarget = { readonly host: ExchangeHost; readonly ip: string; readonly port: number };

/** Counted since start, over all sessions. */
export type SessionStats = { sessionsOpened: number; commandsSent: number };

export type SessionOptions = {
  readonly heloName: string;
  readonly timeouts: Timeouts;
  readonly log: SessionLog;
  readonly stats: SessionStats;
  /** False: the exchange refused EHLO lately, so HELO is said at once. */
  readonly knowsEhlo: boolean;
  /** Told of each stage until the session is ready. */
  readonly onProgress?: OnProgress | undefined;
};

/** What the owner hangs on a recipient; the session notes in it when the command went out. */
export type Asked = { sent: LogLine | null };

/** How opening a session, or securing it, went. */
export type Opening =
  | { readonly kind: 'ready' }
  | { readonly kind: 'refused'; readonly phase: Phase; readonly reply: Reply }
  | { readonly kind: 'fault'; readonly fault: SessionFault }
  | { readonly kind: 'aborted' };

/** Why a session that was open ended without our doing: 421, or a fault. */
export type SessionEnd =
  | { readonly kind: 'closing'; readonly phase: Phase; readonly reply: Reply }
  | { readonly kind: 'fault'; readonly phase: Phase; readonly fault: SessionFault };

/** Called from the socket's events. None of these may call back into the session, but for `advanced`. */
export type SessionListener<Ask extends Asked> = {
  answered(ask: Ask, reply: Reply): void;
  envelopeRefused(reply: Reply): void;
  /** Everything that arrived has been reported: time to give the session more, or to leave it. */
  advanced(): void;
  ended(end: SessionEnd): void;
  /** A bug of ours came up while the session was served; it is closed. */
  broke(error: unknown): void;
};

export class Session<Ask extends Asked> {
  readonly target: SessionTarget;
  readonly log: SessionLog;
  /** Resolves once the connection is gone, however it went. */
  readonly closed: Promise<void>;

  readonly #dialogue: Dialogue<Ask>;
  readonly #timeouts: Timeouts;
  readonly #stats: SessionStats;
  /** Null once somebody is to be asked: then only what was offered counts. */
  #introduction: IntroductionRecord | null;
  readonly #deadline = new Deadline(() => this.#timeOut());
  readonly #markClosed: () => void;
  #tcp: Socket | null = null;
  #socket: Socket | TLSSocket | null = null;
  #isOver = false;
  #openedAt = performance.now();
  #octetsRead = 0;
  #settleOpening: ((opening: Opening) => void) | null = null;
  #breakOpening: ((error: unknown) => void) | null = null;
  #listener: SessionListener<Ask> | null = null;
  /** How it ended, kept for a listener that comes too late: a peer may hang up in the same packet as its EHLO reply. */
  #unheardEnd: SessionEnd | null = null;

  constructor(
    target: SessionTarget,
    { heloName, timeouts, log, stats, knowsEhlo, onProgress }: SessionOptions,
  ) {
    this.target = target;
    this.log = log;
    this.#timeouts = timeouts;
    this.#stats = stats;
    this.#introduction = new IntroductionRecord(target.host, onProgress);
    this.#dialogue = new Dialogue<Ask>(heloName, knowsEhlo);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.closed = promise;
    this.#markClosed = resolve;
  }

  get capabilities(): Capabilities {
    return this.#dialogue.capabilities;
  }
  get knowsEhlo(): boolean {
    return this.#dialogue.knowsEhlo;
  }
  get isSecure(): boolean {
    return this.#dialogue.isSecure;
  }
  get introduction(): Introduction | null {
    return this.#introduction?.facts ?? null;
  }
  /** Nothing is awaited: a transaction may begin, or the session end politely. */
  get isQuiet(): boolean {
    return this.#dialogue.state === 'READY';
  }
  /** Can the open transaction take more recipients? */
  get canAsk(): boolean {
    return this.#dialogue.canAsk;
  }
  get phase(): Phase {
    return this.#dialogue.phase;
  }
  get octetsRead(): number {
    return this.#octetsRead;
  }
  get ageMs(): number {
    return performance.now() - this.#openedAt;
  }

  /** Waits for the greeting and says EHLO. To be called once, with a connection to the target, in the turn it came. */
  open(socket: Socket, signal: AbortSignal): Promise<Opening> {
    this.#openedAt = performance.now();
    this.#tcp = socket;
    this.#socket = socket;
    this.#stats.sessionsOpened++;
    // Never taken away: an error after the end must not become an exception.
    socket.removeAllListeners('error').on('error', (error: NodeJS.ErrnoException) => this.#fail(error));
    socket.on('close', () => {
      this.#end(this.#closedFault());
      this.#deadline.stop();
      this.#markClosed();
    });
    const opening = this.#expectOpening(signal);
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    this.#awaitReply();
    return opening;
  }

  /** Who hears what follows, from the next turn on. An end that came before is told then. */
  attach(listener: SessionListener<Ask>): void {
    this.#listener = listener;
    this.#introduction = null;
    queueMicrotask(() => {
      if (this.#unheardEnd) listener.ended(this.#unheardEnd);
      this.#unheardEnd = null;
    });
  }

  /** STARTTLS, the handshake and EHLO again. The session must be quiet. */
  secure(signal: AbortSignal): Promise<Opening> {
    // What came in the same packet as the reply to EHLO may have ended it before its owner's turn.
    if (this.#isOver)
      return Promise.resolve(this.#unheardEnd ? openingOf(this.#unheardEnd) : { kind: 'aborted' });
    const opening = this.#expectOpening(signal);
    this.log.endTransaction();
    this.#handle(this.#dialogue.startTls());
    return opening;
  }

  begin(envelope: Envelope, recipients: readonly Recipient<Ask>[]): void {
    this.log.beginTransaction();
    this.#handle(this.#dialogue.begin(envelope, recipients));
  }

  ask(recipients: readonly Recipient<Ask>[]): void {
    this.#handle(this.#dialogue.ask(recipients));
  }

  /** Leaves politely where QUIT may be said, else hangs up. Nothing is reported any more. */
  quit(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#listener = null;
    const events = this.#dialogue.quit();
    if (events.length === 0) {
      this.destroy();
      return;
    }
    this.#handle(events);
    this.#deadline.move(this.#timeouts.quitMs);
  }

  /** Hangs up. Nothing is reported any more. */
  destroy(): void {
    this.#isOver = true;
    this.#listener = null;
    this.#deadline.stop();
    this.#socket?.destroy();
    this.#tcp?.destroy();
    if (!this.#tcp) this.#markClosed();
  }

  #expectOpening(signal: AbortSignal): Promise<Opening> {
    const { promise, resolve, reject } = Promise.withResolvers<Opening>();
    this.#breakOpening = reject;
    const abort = (): void => {
      this.#settle({ kind: 'aborted' });
      this.destroy();
    };
    this.#settleOpening = (opening) => {
      signal.removeEventListener('abort', abort);
      resolve(opening);
    };
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
    return promise;
  }

  #settle(opening: Opening): void {
    this.#settleOpening?.(opening);
    this.#settleOpening = null;
    this.#breakOpening = null;
  }

  #read(chunk: Uint8Array): void {
    this.#guardBugs(() => this.#readOctets(chunk));
  }

  /** What a peer says never throws; what does is a bug, and must not leave a socket's event as an exception. */
  #guardBugs(run: () => void): void {
    try {
      run();
    } catch (error) {
      const listener = this.#listener;
      this.destroy();
      if (this.#breakOpening) this.#breakOpening(error);
      else listener?.broke(error);
    }
  }

  #readOctets(chunk: Uint8Array): void {
    this.#octetsRead += chunk.length;
    if (this.#octetsRead > MAX_SESSION_OCTETS) {
      const detail = `more than ${MAX_SESSION_OCTETS} octets in one session`;
      this.#end({ kind: 'protocol', phase: this.phase, detail });
      return;
    }
    const events = this.#dialogue.receive(chunk);
    if (events.length === 0) return;
    this.#handle(events);
    this.#awaitReply();
    if (!this.#isOver && this.#settleOpening === null) this.#listener?.advanced();
  }

  #handle(events: readonly DialogueEvent<Ask>[]): void {
    let text = '';
    for (const event of events) {
      switch (event.kind) {
        case 'send': {
          const line = printCommandLine(event.command);
          text += `${line}\r\n`;
          this.#stats.commandsSent++;
          this.#introduction?.sent(event.command);
          if (event.recipient) event.recipient.tag.sent = this.log.line('CLIENT', line);
          else this.log.sent(line);
          break;
        }
        case 'received':
          if (!event.recipient) this.log.received(event.reply);
          if (this.#settleOpening) this.#introduction?.received(event.reply);
          break;
        case 'ready':
          this.#introduction?.offered(this.capabilities);
          this.#settle({ kind: 'ready' });
          break;
        case 'refused':
          this.#settle({ kind: 'refused', phase: event.phase, reply: event.reply });
          this.quit();
          break;
        case 'answered':
          this.#listener?.answered(event.recipient.tag, event.reply);
          break;
        case 'envelopeRefused':
          this.#listener?.envelopeRefused(event.reply);
          break;
        case 'startTls':
          this.#startHandshake();
          break;
        case 'closing':
          this.#finish({ kind: 'closing', phase: event.phase, reply: event.reply });
          break;
        case 'fault':
          this.#end({ kind: 'protocol', phase: event.phase, detail: event.detail });
          break;
        case 'ended':
          this.destroy();
          break;
      }
    }
    if (text === '' || !this.#socket?.writable) return;
    this.#socket.write(text);
    if (!this.#isOver) this.#awaitReply();
  }

  /** The deadline of the next reply: counted from the last whole one, so that an octet a second buys no time. */
  #awaitReply(): void {
    if (this.#isOver) return;
    this.#deadline.move(Math.max(0, Math.min(this.#phaseMs(), this.#timeouts.sessionMs - this.ageMs)));
  }

  #phaseMs(): number {
    if (this.isQuiet) return this.#timeouts.sessionMs;
    switch (this.#dialogue.phase) {
      case 'GREETING':
        return this.#timeouts.greetingMs;
      case 'EHLO':
        return this.#timeouts.ehloMs;
      case 'STARTTLS':
        return this.#timeouts.startTlsMs;
      case 'TLS_HANDSHAKE':
        return this.#timeouts.tlsHandshakeMs;
      case 'MAIL_FROM':
        return this.#timeouts.mailFromMs;
      case 'RCPT_TO':
        return this.#timeouts.rcptToMs;
    }
  }

  #startHandshake(): void {
    const tcp = this.#tcp;
    if (!tcp) return;
    tcp.removeAllListeners('data');
    const socket = startTls(tcp, this.target.host);
    this.#socket = socket;
    socket.once('secureConnect', () => {
      if (this.#isOver) return;
      this.#guardBugs(() => {
        const tls = readTlsFacts(socket);
        this.#introduction?.secured(tls);
        this.log.note(printTls(tls, socket));
        this.#handle(this.#dialogue.secured());
      });
    });
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('error', (error) => this.#fail(error));
    socket.once('close', () => this.#end(this.#closedFault()));
    this.#awaitReply();
  }

  #fail(error: NodeJS.ErrnoException): void {
    this.#end(
      this.phase === 'TLS_HANDSHAKE'
        ? { kind: 'tls', phase: 'TLS_HANDSHAKE', detail: (error.code ?? error.message).slice(0, 200) }
        : this.#closedFault(),
    );
  }

  #closedFault(): SessionFault & { readonly phase: Phase } {
    const { phase } = this;
    return phase === 'TLS_HANDSHAKE'
      ? { kind: 'tls', phase, detail: 'closed during the handshake' }
      : { kind: 'closed', phase };
  }

  #timeOut(): void {
    const { phase } = this;
    if (this.#isOver) this.destroy();
    // Whoever agreed to TLS and then is silent cannot do it: that is known of it, and not only that we waited.
    else if (phase === 'TLS_HANDSHAKE' && this.ageMs + 1 < this.#timeouts.sessionMs)
      this.#end({ kind: 'tls', phase, detail: 'silent during the handshake' });
    else this.#end({ kind: 'timeout', phase });
  }

  #end(fault: SessionFault & { readonly phase: Phase }): void {
    this.#finish({ kind: 'fault', phase: fault.phase, fault });
  }

  #finish(end: SessionEnd): void {
    if (this.#isOver) return;
    const listener = this.#listener;
    this.destroy();
    if (this.#settleOpening) this.#settle(openingOf(end));
    else if (listener) listener.ended(end);
    else this.#unheardEnd = end;
  }
}

const openingOf = (end: SessionEnd): Opening =>
  end.kind === 'closing'
    ? { kind: 'refused', phase: end.phase, reply: end.reply }
    : { kind: 'fault', fault: end.fault };
