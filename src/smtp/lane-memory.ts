/**
 * What the exchanges of a lane taught us, believed for an hour (LEARNED_LIFE_MS) and then tried anew. What makes a
 * lane slower or stops it is in `back-off` and `stops`; for how long it greylists, in `greylist`.
 */
import type { ExchangeHost } from '../address/index.ts';
import type { MailExchange } from '../dns/index.ts';
import { FewMap } from './few.ts';
import { Greylist } from './greylist.ts';
import { LEARNED_LIFE_MS, MAX_RECIPIENTS_PER_TRANSACTION, MAX_REFUSALS_PER_SESSION } from './limits.ts';
import type { Capabilities } from './protocol/index.ts';
import type { ConnectAttempt } from './types.ts';

type Learned<Value> = { readonly value: Value; readonly until: number };

/** A host that could not be connected to is tried last for so long. */
const DEAD_HOST_MS = 60_000;

export class LaneMemory {
  readonly #now: () => number;
  readonly #deadHosts = new FewMap<ExchangeHost, number>();
  #recipients: Learned<number> | null = null;
  #refusals: Learned<number> | null = null;
  #sessions: Learned<number> | null = null;
  #tls: Learned<true> | null = null;
  #helo: Learned<true> | null = null;
  #recipientsOfSession: Learned<number> | null = null;
  #pipelineDepth: Learned<number> | null = null;
  readonly greylist: Greylist;

  constructor(now: () => number) {
    this.#now = now;
    this.greylist = new Greylist(now);
  }

  /** Refusals that a session may see before we leave it: ours, or fewer when the server hangs up earlier. */
  get refusalsPerSession(): number {
    return this.#read(this.#refusals) ?? MAX_REFUSALS_PER_SESSION;
  }
  /** Null when nothing was learned: then the setting decides. */
  get sessionsAtOnce(): number | null {
    return this.#read(this.#sessions);
  }
  get needsTls(): boolean {
    return this.#read(this.#tls) ?? false;
  }
  /** EHLO was refused. */
  get needsHelo(): boolean {
    return this.#read(this.#helo) ?? false;
  }
  /** Recipients after which the server says 421; Infinity when it never did. */
  get recipientsPerSession(): number {
    return this.#read(this.#recipientsOfSession) ?? Number.POSITIVE_INFINITY;
  }
  /**
   * Recipients of one pipelined write that are known to be answered to the last: 0 where PIPELINING loses commands,
   * Infinity where it is only slow. Null: not seen yet.
   */
  get pipelineDepth(): number | null {
    return this.#read(this.#pipelineDepth);
  }

  /** As many as the server takes, by what it stated (RFC 9422) or by what it did (452 4.5.3). */
  recipientsPerTransaction({ maxRecipientsPerTransaction }: Capabilities): number {
    return Math.min(
      MAX_RECIPIENTS_PER_TRANSACTION,
      maxRecipientsPerTransaction ?? MAX_RECIPIENTS_PER_TRANSACTION,
      this.#read(this.#recipients) ?? MAX_RECIPIENTS_PER_TRANSACTION,
    );
  }

  learnRecipientsPerTransaction(value: number): void {
    this.#recipients = this.#learn(Math.max(1, value));
  }
  learnRefusalsPerSession(value: number): void {
    this.#refusals = this.#learn(Math.max(1, Math.min(value, this.refusalsPerSession)));
  }
  learnSessionsAtOnce(value: number): void {
    this.#sessions = this.#learn(Math.max(1, value));
  }
  /** Once learned it is not said again: else it would never be tried anew. */
  learnHelo(): void {
    if (!this.needsHelo) this.#helo = this.#learn(true);
  }
  learnTls(): void {
    this.#tls = this.#learn(true);
  }
  learnRecipientsPerSession(value: number): void {
    this.#recipientsOfSession = this.#learn(Math.max(1, value));
  }
  learnPipelineDepth(value: number): void {
    this.#pipelineDepth = this.#learn(value);
  }

  /** A host is dead when none of its addresses could be connected to. */
  learnAttempts(attempts: readonly ConnectAttempt[]): void {
    const alive = new Set(
      attempts.filter(({ outcome }) => outcome.kind === 'connected').map(({ host }) => host),
    );
    for (const { host } of attempts)
      if (!alive.has(host)) this.#deadHosts.set(host, this.#now() + DEAD_HOST_MS);
  }

  /** By preference, but those that were dead a moment ago last: a session must not wait for them again. */
  planOrder(exchanges: readonly MailExchange[]): readonly MailExchange[] {
    const isDead = ({ host }: MailExchange): boolean => (this.#deadHosts.get(host) ?? 0) > this.#now();
    return [...exchanges.filter((exchange) => !isDead(exchange)), ...exchanges.filter(isDead)];
  }

  #learn<Value>(value: Value): Learned<Value> {
    return { value, until: this.#now() + LEARNED_LIFE_MS };
  }

  #read<Value>(learned: Learned<Value> | null): Value | null {
    return learned && learned.until > this.#now() ? learned.value : null;
  }
}
