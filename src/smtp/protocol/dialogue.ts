/**
 * The client's side of one conversation (RFC 5321 §3, §4.1.4): octets in, events out, commands among them. It holds
 * no socket and no clock; whoever drives it writes what it says, in the order it says it. What is true in each state, and
 * how it is left, is in `states`.
 *
 * 421 ends the conversation whenever it comes (RFC 5321 §3.8). A reply that nobody asked for, and octets that are
 * no reply, are a fault and end it too; the former also takes back the answers that came in the same octets.
 */
import { NO_CAPABILITIES, parseCapabilities } from './capabilities.ts';
import { createReplyReader } from './reply-reader.ts';
import { planStep } from './states.ts';
import type {
  Capabilities,
  Command,
  DialogueEvent,
  DialoguePhase,
  DialogueState,
  Envelope,
  Recipient,
  Reply,
} from './types.ts';

type Transaction = { isRefused: boolean };
type Line<Tag> = {
  readonly command: Command;
  readonly recipient: Recipient<Tag> | null;
  readonly transaction: Transaction;
};

export class Dialogue<Tag> {
  readonly #heloName: string;
  #knowsEhlo: boolean;
  readonly #reader = createReplyReader();
  #state: DialogueState = 'GREETING';
  #capabilities: Capabilities = NO_CAPABILITIES;
  #isSecure = false;
  /** The server knows of a transaction that the next MAIL FROM must clear first (RFC 5321 §4.1.1.5). */
  #needsReset = false;
  #transaction: Transaction = { isRefused: true };
  #isUnpipelined = false;
  /** Commands whose replies are to come. As long as what `ask` was given: the caller's window bounds it. */
  #awaited: Line<Tag>[] = [];
  /** Commands that may not go out yet, since the server did not offer PIPELINING. */
  #heldBack: Line<Tag>[] = [];

  /** @param knowsEhlo false when the server is known to refuse EHLO: then HELO is said at once */
  constructor(heloName: string, knowsEhlo = true) {
    this.#heloName = heloName;
    this.#knowsEhlo = knowsEhlo;
  }

  /** False once EHLO was refused. */
  get knowsEhlo(): boolean {
    return this.#knowsEhlo;
  }

  get state(): DialogueState {
    return this.#state;
  }
  get capabilities(): Capabilities {
    return this.#capabilities;
  }
  get isSecure(): boolean {
    return this.#isSecure;
  }
  /** Can the open transaction take more recipients? */
  get canAsk(): boolean {
    return !this.#transaction.isRefused && (this.#state === 'READY' || this.#state === 'ASKING');
  }
  get phase(): DialoguePhase {
    switch (this.#state) {
      case 'GREETING':
      case 'STARTTLS':
      case 'TLS_HANDSHAKE':
        return this.#state;
      case 'EHLO':
      case 'HELO':
        return 'EHLO';
      default:
        return this.#awaited[0] && this.#awaited[0].command.verb !== 'RCPT' ? 'MAIL_FROM' : 'RCPT_TO';
    }
  }

  /** Takes what the server said. Never throws for it, never looks past what it was given. */
  receive(bytes: Uint8Array): DialogueEvent<Tag>[] {
    const events: DialogueEvent<Tag>[] = [];
    if (this.#state === 'ENDED') return events;
    if (this.#state === 'TLS_HANDSHAKE') {
      this.#fault('plain text during the TLS handshake', events);
      return events;
    }
    const { replies, fault } = this.#reader.push(bytes);
    for (const reply of replies) {
      this.#step(reply, events);
      const { state } = this;
      if (state === 'ENDED') return events.at(-1)?.kind === 'fault' ? withdrawAnswers(events) : events;
      if (state === 'TLS_HANDSHAKE') {
        this.#reader.discard();
        return events;
      }
    }
    if (fault) this.#fault(fault.detail, events);
    return events;
  }

  /**
   * Opens a transaction and asks its first recipients; ends the one before with RSET when there was one.
   * @throws a bug: the state is not READY
   */
  begin(envelope: Envelope, recipients: readonly Recipient<Tag>[]): DialogueEvent<Tag>[] {
    this.#demand('READY');
    if (envelope.usesSmtpUtf8 && !this.#capabilities.offersSmtpUtf8)
      throw new Error('SMTPUTF8 is not offered');
    const transaction = { isRefused: false };
    this.#transaction = transaction;
    const { reversePath, usesSmtpUtf8, isUnpipelined = false } = envelope;
    this.#isUnpipelined = isUnpipelined;
    if (this.#needsReset) this.#heldBack.push({ command: { verb: 'RSET' }, recipient: null, transaction });
    this.#heldBack.push({
      command: { verb: 'MAIL', reversePath, usesSmtpUtf8 },
      recipient: null,
      transaction,
    });
    return this.#queueRecipients(recipients);
  }

  /**
   * Asks more recipients in the open transaction.
   * @throws a bug: there is none, or its MAIL FROM was refused
   */
  ask(recipients: readonly Recipient<Tag>[]): DialogueEvent<Tag>[] {
    if (!this.canAsk) throw new Error(`no transaction is open in ${this.#state}`);
    return this.#queueRecipients(recipients);
  }

  /** @throws a bug: the state is not READY */
  startTls(): DialogueEvent<Tag>[] {
    this.#demand('READY');
    this.#state = 'STARTTLS';
    return [send({ verb: 'STARTTLS' })];
  }

  /** The handshake is done: everything known of the server is asked again. */
  secured(): DialogueEvent<Tag>[] {
    this.#demand('TLS_HANDSHAKE');
    this.#isSecure = true;
    this.#capabilities = NO_CAPABILITIES;
    this.#needsReset = false;
    this.#transaction = { isRefused: true };
    this.#state = 'EHLO';
    return [send({ verb: 'EHLO', name: this.#heloName })];
  }

  /** Gives QUIT where it may be said, and nothing where only hanging up is left. */
  quit(): DialogueEvent<Tag>[] {
    if (this.#state !== 'READY' && this.#state !== 'REFUSED') {
      this.#state = 'ENDED';
      return [];
    }
    this.#state = 'QUIT';
    return [send({ verb: 'QUIT' })];
  }

  #queueRecipients(recipients: readonly Recipient<Tag>[]): DialogueEvent<Tag>[] {
    const transaction = this.#transaction;
    for (const recipient of recipients)
      this.#heldBack.push({
        command: { verb: 'RCPT', forwardPath: recipient.forwardPath },
        recipient,
        transaction,
      });
    const events: DialogueEvent<Tag>[] = [];
    this.#sendHeldBack(events);
    return events;
  }

  #sendHeldBack(events: DialogueEvent<Tag>[]): void {
    const pipelines = this.#capabilities.offersPipelining && !this.#isUnpipelined;
    const room = pipelines ? this.#heldBack.length : 1 - this.#awaited.length;
    for (const line of this.#heldBack.splice(0, Math.max(0, room))) {
      this.#awaited.push(line);
      events.push({ kind: 'send', command: line.command, recipient: line.recipient });
    }
    this.#state = this.#awaited.length > 0 ? 'ASKING' : 'READY';
  }

  #step(reply: Reply, events: DialogueEvent<Tag>[]): void {
    const { phase } = this;
    const step = planStep(this.#state, reply.code);
    const recipient = step === 'answer' ? (this.#awaited[0]?.recipient ?? null) : null;
    events.push({ kind: 'received', reply, recipient });
    switch (step) {
      case 'greet':
        this.#state = this.#knowsEhlo ? 'EHLO' : 'HELO';
        events.push(send({ verb: this.#state, name: this.#heloName }));
        return;
      case 'fallBack':
        this.#state = 'HELO';
        this.#knowsEhlo = false;
        events.push(send({ verb: 'HELO', name: this.#heloName }));
        return;
      case 'learn':
      case 'settle':
        this.#capabilities = step === 'learn' ? parseCapabilities(reply) : NO_CAPABILITIES;
        this.#state = 'READY';
        events.push({ kind: 'ready' });
        return;
      case 'answer':
        this.#answer(reply, events);
        return;
      case 'upgrade':
        this.#state = 'TLS_HANDSHAKE';
        events.push({ kind: 'startTls' });
        return;
      case 'refuse':
        this.#state = 'REFUSED';
        events.push({ kind: 'refused', phase, reply });
        return;
      case 'close':
        this.#state = 'ENDED';
        events.push({ kind: 'closing', phase, reply });
        return;
      case 'end':
        this.#state = 'ENDED';
        events.push({ kind: 'ended' });
        return;
      case 'fault':
        this.#fault(`a reply that nobody asked for: ${reply.code}`, events);
        return;
      case 'ignore':
        return;
    }
  }

  #answer(reply: Reply, events: DialogueEvent<Tag>[]): void {
    const line = this.#awaited.shift();
    if (!line) {
      this.#fault(`a reply that nobody asked for: ${reply.code}`, events);
      return;
    }
    const { command, recipient, transaction } = line;
    const isAccepted = reply.code < 300;
    if (recipient) {
      // After a refused MAIL FROM the server refuses each pipelined RCPT TO; that says nothing about them.
      if (!transaction.isRefused) events.push({ kind: 'answered', recipient, reply });
    } else if (isAccepted) {
      this.#needsReset = command.verb === 'MAIL';
    } else if (!transaction.isRefused) {
      transaction.isRefused = true;
      this.#heldBack = [];
      events.push({ kind: 'envelopeRefused', reply });
    }
    this.#sendHeldBack(events);
  }

  #fault(detail: string, events: DialogueEvent<Tag>[]): void {
    const { phase } = this;
    this.#state = 'ENDED';
    events.push({ kind: 'fault', phase, detail });
  }

  #demand(state: DialogueState): void {
    if (this.#state !== state) throw new Error(`the dialogue is in ${this.#state}, not in ${state}`);
  }
}

/**
 * A reply too many in one breath with others: each of them may have been meant for the command before it, and a refused
 * mailbox would pass for an accepted one. What was answered in an earlier breath was not followed by it, and stays.
 */
const withdrawAnswers = <Tag>(events: readonly DialogueEvent<Tag>[]): DialogueEvent<Tag>[] =>
  events.filter(({ kind }) => kind !== 'answered' && kind !== 'envelopeRefused');

const send = (command: Command): { kind: 'send'; command: Command; recipient: null } => ({
  kind: 'send',
  command,
  recipient: null,
});
