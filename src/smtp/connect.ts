/**
 * From a domain's exchanges to one session that is ready: exchanges by preference, the addresses of each, every
 * address judged by the guard before it is connected to (RFC 5321 §5.1).
 *
 * What a failure says is decided here once, as Postfix's smtp_trouble does: no connection, the next exchange (`dial`
 * has gone through its addresses); an exchange that spoke but does not want us (a refused greeting or EHLO, silence, garbage, failed TLS), the next
 * exchange, since its other addresses are the same server. When none is left, the best evidence is kept: a reply
 * before a fault, a fault before the list of attempts; the most preferred exchange's among equals.
 */
import type { Socket } from 'node:net';
import type { ExchangeHost } from '../address/index.ts';
import type { MailExchange } from '../dns/index.ts';
import type { Introduction } from './introduction.ts';
import { MAX_EXCHANGES, MAX_REFUSALS_WHILE_OPENING } from './limits.ts';
import { classifyReply } from './meaning/index.ts';
import type { Outcome } from './outcome.ts';
import type { Reply } from './protocol/index.ts';
import { Reach, type ReachOptions } from './reach.ts';
import { type Asked, type Opening, Session, type SessionStats } from './session.ts';
import { SessionLog } from './transcript.ts';
import type { ConnectAttempt, Phase, ProbeEvent } from './types.ts';

export type ConnectOptions = ReachOptions & {
  readonly heloName: string;
  readonly stats: SessionStats;
};

export type ConnectPlan = {
  /** In the order of trying. */
  readonly exchanges: readonly MailExchange[];
  readonly providerId: string | null;
  /** Secure the session before anything is asked, where STARTTLS is offered. */
  readonly wantsTls: boolean;
  /** False: EHLO was refused lately, so HELO is said at once. */
  readonly knowsEhlo: boolean;
  /** Told of each stage of the opening. Must not throw, and must not call back. */
  readonly onProgress?: ((event: ProbeEvent) => void) | undefined;
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
  readonly #reach: Reach;
  readonly #abort = new AbortController();
  #session: Session<Ask> | null = null;
  #phase: 'RESOLVE' | 'CONNECT' = 'RESOLVE';
  #best: Outcome | null = null;
  #hasTimedOut = false;
  #mayFallBack: boolean;

  constructor(options: ConnectOptions, plan: ConnectPlan) {
    this.#options = options;
    this.#plan = plan;
    this.#mayFallBack = plan.knowsEhlo;
    this.#log = new SessionLog(options.now);
    this.#reach = new Reach(options, {
      exchanges: plan.exchanges,
      log: this.#log,
      signal: this.#abort.signal,
      tell: (phase, message, host) => this.#tell(phase, message, host),
    });
  }

  abort(): void {
    this.#abort.abort();
  }

  get phase(): Phase {
    return this.#session?.phase ?? this.#phase;
  }

  /** What the exchange that was spoken to last said of itself; null when none was. */
  get introduction(): Introduction | null {
    return this.#session?.introduction ?? null;
  }

  /** Resolves once the connection of the session that was spoken to last is gone; at once when there was none. */
  get closed(): Promise<void> {
    return this.#session?.closed ?? Promise.resolve();
  }

  /** What there is to show for it now. */
  describe(fields: Partial<Outcome> = {}): Outcome {
    const target = this.#session?.target ?? null;
    return {
      attempts: this.#reach.attempts,
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
      this.#phase = 'RESOLVE';
      const opening = await this.#tryExchange(host, await this.#reach.lookup(host));
      if (this.#abort.signal.aborted) return this.#stop();
      if (opening?.kind === 'ready') return this.#succeed();
      if (opening) this.#keep(host, opening);
      if (opening?.kind === 'refused') refusals++;
      if (refusals === MAX_REFUSALS_WHILE_OPENING) break;
    }
    return { kind: 'failed', outcome: this.#conclude() };
  }

  /** Null when it could not be connected to. */
  async #tryExchange(host: ExchangeHost, ips: readonly string[]): Promise<Opening | null> {
    if (ips.length === 0) return null;
    this.#phase = 'CONNECT';
    const spoken = await this.#reach.connect(host, ips);
    if (!spoken) return null;
    const opening = await this.#introduce(host, spoken, this.#plan.knowsEhlo);
    const first = this.#session;
    if (!first || !this.#isDeafToEhlo(opening, first)) return opening;
    this.#mayFallBack = false;
    await first.closed;
    this.#log.note('the connection was closed upon EHLO: trying HELO in another one');
    const again = await this.#reach.connect(host, [spoken.ip]);
    return again ? this.#introduce(host, again, false) : opening;
  }

  /** Some old servers hang up on what they do not know. Tried once in an opening, since others mean it. */
  #isDeafToEhlo(opening: Opening, { knowsEhlo, isSecure }: Session<Ask>): boolean {
    const isHungUp =
      opening.kind === 'fault' && opening.fault.kind === 'closed' && opening.fault.phase === 'EHLO';
    return isHungUp && this.#mayFallBack && knowsEhlo && !isSecure && !this.#abort.signal.aborted;
  }

  async #introduce(
    host: ExchangeHost,
    { socket, ip }: { readonly socket: Socket; readonly ip: string },
    knowsEhlo: boolean,
  ): Promise<Opening> {
    const { port, heloName, timeouts, stats } = this.#options;
    const { signal } = this.#abort;
    const session = new Session<Ask>(
      { host, ip, port },
      {
        heloName,
        timeouts,
        log: this.#log,
        stats,
        knowsEhlo,
        onProgress: (phase, message, reply) => this.#tell(phase, message, host, reply),
      },
    );
    this.#session = session;
    const opening = await session.open(socket, signal);
    return opening.kind === 'ready' && this.#plan.wantsTls && session.capabilities.offersStartTls
      ? session.secure(signal)
      : opening;
  }

  #tell(phase: Phase, message: string, exchange: ExchangeHost, reply: Reply | null = null): void {
    this.#plan.onProgress?.({ at: new Date(this.#options.now()), phase, message, exchange, reply });
  }

  #succeed(): Opened<Ask> {
    if (!this.#session) throw new Error('no session is open');
    return { kind: 'session', session: this.#session, attempts: this.#reach.attempts };
  }

  #stop(): Opened<Ask> {
    this.#session?.destroy();
    return this.#hasTimedOut ? { kind: 'failed', outcome: this.#conclude() } : { kind: 'aborted' };
  }

  #keep(host: ExchangeHost, opening: Opening): void {
    if (opening.kind === 'refused') {
      const { phase, reply } = opening;
      this.#tell(phase, `${host} refuses us: ${reply.code}`, host, reply);
      if (this.#best?.reply) return;
      const meaning = classifyReply({ phase, reply, recipient: null, providerId: this.#plan.providerId });
      this.#best = this.describe({ phase, reply, meaning });
    } else if (opening.kind === 'fault') {
      const { fault } = opening;
      const phase = 'phase' in fault ? fault.phase : this.phase;
      this.#tell(phase, `${host} is given up: ${fault.kind}`, host);
      this.#best ??= this.describe({ phase, fault });
    }
  }

  #conclude(): Outcome {
    const wasConnecting = this.#reach.attempts.some(
      ({ outcome }) => outcome.kind === 'connectFailed' || outcome.kind === 'connectTimeout',
    );
    const nobody = { exchange: null, ip: null, phase: wasConnecting ? 'CONNECT' : 'RESOLVE' } as const;
    return {
      ...(this.#best ?? this.describe(nobody)),
      attempts: this.#reach.attempts,
      transcript: this.#log.print(),
    };
  }
}
