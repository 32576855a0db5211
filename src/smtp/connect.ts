/**
 * From a domain's exchanges to one session that is ready: exchanges by preference, the addresses of each, every
 * address judged by the guard before it is connected to (RFC 5321 §5.1).
 *
 * What a failure says is decided here once, as Postfix's smtp_trouble does: no connection, the next address; an
 * exchange that spoke but does not want us (a refused greeting or EHLO, silence, garbage, failed TLS), the next
 * exchange, since its other addresses are the same server. When none is left, the best evidence is kept: a reply
 * before a fault, a fault before the list of attempts; the most preferred exchange's among equals.
 */
import type { ExchangeHost } from '../address/index.ts';
import type { HostAddresses, MailExchange } from '../dns/index.ts';
import type { Guard } from './guard.ts';
import {
  MAX_ADDRESSES_PER_EXCHANGE,
  MAX_EXCHANGES,
  MAX_REFUSALS_WHILE_OPENING,
  type Timeouts,
} from './limits.ts';
import { classifyReply } from './meaning/index.ts';
import type { Outcome } from './outcome.ts';
import { type Asked, type Opening, Session, type SessionStats } from './session.ts';
import { SessionLog } from './transcript.ts';
import type { ConnectAttempt, Phase } from './types.ts';

export type LookupAddresses = (host: ExchangeHost, signal: AbortSignal) => Promise<HostAddresses>;

export type ConnectOptions = {
  readonly lookupAddresses: LookupAddresses;
  readonly guard: Guard;
  readonly port: number;
  readonly heloName: string;
  readonly timeouts: Timeouts;
  readonly now: () => number;
  readonly stats: SessionStats;
};

export type ConnectPlan = {
  /** In the order of trying. */
  readonly exchanges: readonly MailExchange[];
  readonly providerId: string | null;
  /** Secure the session before anything is asked, where STARTTLS is offered. */
  readonly wantsTls: boolean;
};

export type Opened<Ask extends Asked> =
  | { readonly kind: 'session'; readonly session: Session<Ask>; readonly attempts: readonly ConnectAttempt[] }
  | { readonly kind: 'failed'; readonly outcome: Outcome }
  | { readonly kind: 'aborted' };

/** One opening under way. Its owner may look at any time what it would have to show if it ended now. */
export class SessionOpening<Ask extends Asked> {
  readonly #options: ConnectOptions;
  readonly #plan: ConnectPlan;
  readonly #log: SessionLog;
  readonly #attempts: ConnectAttempt[] = [];
  readonly #abort = new AbortController();
  #session: Session<Ask> | null = null;
  #best: Outcome | null = null;
  #hasTimedOut = false;

  constructor(options: ConnectOptions, plan: ConnectPlan) {
    this.#options = options;
    this.#plan = plan;
    this.#log = new SessionLog(options.now);
  }

  abort(): void {
    this.#abort.abort();
  }

  get phase(): Phase {
    return this.#session?.phase ?? 'RESOLVE';
  }

  /** What there is to show for it now. */
  describe(fields: Partial<Outcome> = {}): Outcome {
    const target = this.#session?.target ?? null;
    return {
      attempts: [...this.#attempts],
      exchange: target?.host ?? null,
      ip: target?.ip ?? null,
      phase: this.phase,
      reply: null,
      meaning: null,
      fault: null,
      transcript: this.#log.print(),
      ...fields,
    };
  }

  /** Never rejects for a peer's doing. Under one deadline, `openMs`. */
  async run(): Promise<Opened<Ask>> {
    const timer = setTimeout(() => {
      this.#hasTimedOut = true;
      this.#best = this.describe({ fault: { kind: 'timeout', phase: this.phase } });
      this.#abort.abort();
    }, this.#options.timeouts.openMs);
    try {
      return await this.#tryExchanges();
    } finally {
      clearTimeout(timer);
    }
  }

  async #tryExchanges(): Promise<Opened<Ask>> {
    let refusals = 0;
    for (const { host } of this.#plan.exchanges.slice(0, MAX_EXCHANGES)) {
      this.#session = null;
      for (const ip of await this.#lookup(host)) {
        const opening = await this.#tryAddress(host, ip);
        if (this.#abort.signal.aborted) return this.#stop();
        if (opening.kind === 'ready') return this.#succeed();
        if (opening.kind === 'connectFailed' || opening.kind === 'connectTimeout') continue;
        this.#keep(opening);
        if (opening.kind === 'refused') refusals++;
        break;
      }
      if (this.#abort.signal.aborted) return this.#stop();
      if (refusals === MAX_REFUSALS_WHILE_OPENING) break;
    }
    return { kind: 'failed', outcome: this.#conclude() };
  }

  /** The addresses that may be connected to; the others are noted as attempts. */
  async #lookup(host: ExchangeHost): Promise<readonly string[]> {
    const answer = await this.#options.lookupAddresses(host, this.#abort.signal);
    if (this.#abort.signal.aborted) return [];
    if (answer.kind === 'none') {
      this.#note({ host, ip: null, outcome: { kind: 'noAddress' } }, `${host} has no address`);
      return [];
    }
    if (answer.kind === 'failure') {
      const { failure } = answer;
      this.#note(
        { host, ip: null, outcome: { kind: 'dnsFailure', failure } },
        `addresses of ${host}: ${failure}`,
      );
      return [];
    }
    return answer.addresses.slice(0, MAX_ADDRESSES_PER_EXCHANGE).flatMap(({ ip }) => {
      const { isRoutable, range } = this.#options.guard.classifyAddress(ip);
      if (isRoutable) return [ip];
      this.#note(
        { host, ip, outcome: { kind: 'unroutable', range } },
        `${host} [${ip}] is ${range}: not connected to`,
      );
      return [];
    });
  }

  async #tryAddress(host: ExchangeHost, ip: string): Promise<Opening> {
    const { port, heloName, timeouts, stats } = this.#options;
    const session = new Session<Ask>({ host, ip, port }, { heloName, timeouts, log: this.#log, stats });
    this.#session = session;
    let opening = await session.open(this.#abort.signal);
    if (opening.kind === 'connectFailed') {
      const { error } = opening;
      this.#note({ host, ip, outcome: { kind: 'connectFailed', error } }, `not connected: ${error}`);
      return opening;
    }
    if (opening.kind === 'connectTimeout') {
      this.#note({ host, ip, outcome: { kind: 'connectTimeout' } }, 'not connected: no answer in time');
      return opening;
    }
    if (session.phase !== 'CONNECT') this.#attempts.push({ host, ip, outcome: { kind: 'connected' } });
    if (opening.kind === 'ready' && this.#plan.wantsTls && session.capabilities.offersStartTls)
      opening = await session.secure(this.#abort.signal);
    return opening;
  }

  #succeed(): Opened<Ask> {
    if (!this.#session) throw new Error('no session is open');
    return { kind: 'session', session: this.#session, attempts: this.#attempts };
  }

  #stop(): Opened<Ask> {
    this.#session?.destroy();
    return this.#hasTimedOut ? { kind: 'failed', outcome: this.#conclude() } : { kind: 'aborted' };
  }

  #keep(opening: Opening): void {
    if (opening.kind === 'refused' && !this.#best?.reply) {
      const { phase, reply } = opening;
      const meaning = classifyReply({ phase, reply, recipient: null, providerId: this.#plan.providerId });
      this.#best = this.describe({ phase, reply, meaning });
    } else if (opening.kind === 'fault' && !this.#best) {
      const { fault } = opening;
      this.#best = this.describe({ phase: 'phase' in fault ? fault.phase : this.phase, fault });
    }
  }

  #conclude(): Outcome {
    const wasConnecting = this.#attempts.some(
      ({ outcome }) => outcome.kind === 'connectFailed' || outcome.kind === 'connectTimeout',
    );
    const nobody = { exchange: null, ip: null, phase: wasConnecting ? 'CONNECT' : 'RESOLVE' } as const;
    return {
      ...(this.#best ?? this.describe(nobody)),
      attempts: [...this.#attempts],
      transcript: this.#log.print(),
    };
  }

  #note(attempt: ConnectAttempt, text: string): void {
    this.#attempts.push(attempt);
    this.#log.note(text);
  }
}
