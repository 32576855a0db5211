/** What there is to show for a question asked in one session: the outcome, with the transcript that is the asker's. */
import type { ExchangeHost } from '../address/index.ts';
import type { Transaction } from './batch.ts';
import type { DomainQueue } from './lane-queue.ts';
import { classifyReply, type Meaning } from './meaning/index.ts';
import type { Outcome } from './outcome.ts';
import type { Probe } from './probe.ts';
import type { Reply } from './protocol/index.ts';
import type { Asked, Opening, Session, SessionEnd } from './session.ts';
import type { LogLine } from './transcript.ts';
import type { ConnectAttempt, Phase, SessionFault, TranscriptEntry } from './types.ts';

/** One RCPT TO: a mailbox that somebody asks about, or a made-up one (`probe` is null). */
export type Ask = Asked & {
  readonly probe: Probe | null;
  readonly queue: DomainQueue;
  readonly localPart: string;
  /** How many recipients were asked before it: in its transaction, and in earlier ones of the session. */
  readonly before: { readonly inTransaction: number; readonly inEarlier: number };
  readonly transaction: Transaction;
};

type Fields = Partial<Pick<Outcome, 'reply' | 'meaning' | 'fault' | 'transcript'>>;

export class Receipts {
  readonly #session: Session<Ask>;
  readonly #attempts: readonly ConnectAttempt[];

  constructor(session: Session<Ask>, attempts: readonly ConnectAttempt[]) {
    this.#session = session;
    this.#attempts = attempts;
  }

  get exchange(): ExchangeHost {
    return this.#session.target.host;
  }

  /** Of the session as such: its transcript names no recipient. */
  describe(phase: Phase, fields: Fields): Outcome {
    const { host, ip } = this.#session.target;
    return {
      attempts: this.#attempts,
      exchange: host,
      ip,
      phase,
      reply: null,
      meaning: null,
      fault: null,
      ...fields,
      transcript: fields.transcript ?? this.#session.log.print(),
    };
  }

  ofAnswer(ask: Ask, reply: Reply, meaning: Meaning): Outcome {
    const transcript = this.#session.log.printFor(this.#linesOf(ask, reply), ask.before);
    return this.describe('RCPT_TO', { reply, meaning, transcript });
  }

  /** The lines of one recipient alone: those of a canary belong to everybody who waited for it. */
  printOwn(ask: Ask, reply: Reply): readonly TranscriptEntry[] {
    return this.#linesOf(ask, reply).map(({ entry }) => entry);
  }

  /** The asker left, or its time is over, while its recipient was being asked. */
  ofAbandoned(ask: Ask): Outcome {
    const { phase, log } = this.#session;
    const fault = { kind: 'timeout', phase } as const;
    return ask.sent
      ? this.describe(phase, { fault, transcript: log.printFor([ask.sent], ask.before) })
      : this.describe(phase, { fault });
  }

  ofEnd(end: SessionEnd, providerId: string | null): Outcome {
    return end.kind === 'closing'
      ? this.ofRefusal(end.phase, end.reply, providerId)
      : this.describe(end.phase, { fault: end.fault });
  }

  /** Of a reply that is about no single recipient. */
  ofRefusal(phase: Phase, reply: Reply, providerId: string | null): Outcome {
    const meaning = classifyReply({ phase, reply, recipient: null, providerId });
    return this.describe(phase, { reply, meaning });
  }

  /** STARTTLS was demanded and did not come about. */
  ofUnsecured(opening: Exclude<Opening, { kind: 'ready' }>, providerId: string | null): Outcome {
    if (opening.kind === 'refused') return this.ofRefusal(opening.phase, opening.reply, providerId);
    const fault: SessionFault =
      opening.kind === 'fault' ? opening.fault : { kind: 'closed', phase: 'STARTTLS' };
    return this.describe('phase' in fault ? fault.phase : 'STARTTLS', { fault });
  }

  #linesOf(ask: Ask, reply: Reply): readonly LogLine[] {
    const lines = this.#session.log.replyLines(reply);
    return ask.sent ? [ask.sent, ...lines] : lines;
  }
}
