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
import { Deadline } from './deadline.ts';
import { type Introduction, IntroductionRecord } from './introduction.ts';
import { MAX_SESSION_OCTETS, type Timeouts } from './limits.ts';
import { PendingOpening } from './pending-opening.ts';
import {
  type Capabilities,
  Dialogue,
  type DialogueEvent,
  type Envelope,
  printCommandLine,
  type Recipient,
} from './protocol/index.ts';
import {
  faultOfClose,
  faultOfError,
  faultOfSilence,
  type Opening,
  openingOf,
  type PhaseFault,
  readPhaseMs,
  type SessionEnd,
} from './session-end.ts';
import type { Asked, SessionListener, SessionOptions, SessionStats, SessionTarget } from './session-terms.ts';
import { printTls, readTlsFacts, startTls } from './tls.ts';
import type { SessionLog } from './transcript.ts';
import type { Phase } from './types.ts';

export type { Opening, SessionEnd } from './session-end.ts';
export type { Asked, SessionListener, SessionStats, SessionTarget } from './session-terms.ts';

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
  /** Somebody waits for the session to be ready. */
  #opening: PendingOpening | null = null;
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
    socket
      .removeAllListeners('error')
      .on('error', (error: NodeJS.ErrnoException) => this.#end(faultOfError(this.phase, error)));
    socket.on('close', () => {
      this.#end(faultOfClose(this.phase));
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
    this.#opening = new PendingOpening(signal, () => {
      this.#opening = null;
      this.destroy();
    });
    return this.#opening.promise;
  }

  #settle(opening: Opening): void {
    const pending = this.#opening;
    this.#opening = null;
    pending?.settle(opening);
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
      if (this.#opening) this.#opening.fail(error);
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
    if (!this.#isOver && this.#opening === null) this.#listener?.advanced();
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
          if (this.#opening) this.#introduction?.received(event.reply);
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
    const { sessionMs } = this.#timeouts;
    const phaseMs = this.isQuiet ? sessionMs : readPhaseMs(this.phase, this.#timeouts);
    this.#deadline.move(Math.max(0, Math.min(phaseMs, sessionMs - this.ageMs)));
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
    socket.on('error', (error) => this.#end(faultOfError(this.phase, error)));
    socket.once('close', () => this.#end(faultOfClose(this.phase)));
    this.#awaitReply();
  }

  #timeOut(): void {
    if (this.#isOver) this.destroy();
    else this.#end(faultOfSilence(this.phase, this.ageMs + 1 < this.#timeouts.sessionMs));
  }

  #end(fault: PhaseFault): void {
    this.#finish({ kind: 'fault', phase: fault.phase, fault });
  }

  #finish(end: SessionEnd): void {
    if (this.#isOver) return;
    const listener = this.#listener;
    this.destroy();
    if (this.#opening) this.#settle(openingOf(end));
    else if (listener) listener.ended(end);
    else this.#unheardEnd = end;
  }
}
