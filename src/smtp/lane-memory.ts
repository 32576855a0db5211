/**
 * What the exchanges of a lane taught us, believed for an hour (LEARNED_LIFE_MS) and then tried anew. What makes a
 * lane slower or stops it is in `back-off` and `stops`; for how long it greylists, in `greylist`.
 *
 * What is learned is told (`tell`), and what another process learned can be taken over (`adopt`); the newer one counts.
 */
import type { ExchangeHost } from '../address/index.ts';
import type { MailExchange } from '../dns/index.ts';
import { FewMap } from './few.ts';
import { Greylist } from './greylist.ts';
import {
  isLaneFactKind,
  type LaneFactKind,
  type LaneFactValue,
  laneFacts,
  printLaneValue,
} from './lane-facts.ts';
import { LEARNED_LIFE_MS, MAX_RECIPIENTS_PER_TRANSACTION, MAX_REFUSALS_PER_SESSION } from './limits.ts';
import type { Capabilities } from './protocol/index.ts';
import type { Learned } from './shared-facts.ts';
import type { ConnectAttempt } from './types.ts';

type Kept = { readonly value: number | true; readonly until: number };
/** All but the delay of greylisting, which is kept where it is learned. */
type KeptKind = Exclude<LaneFactKind, 'greylistDelayMs'>;

/** A host that could not be connected to is tried last for so long. */
const DEAD_HOST_MS = 60_000;

export class LaneMemory {
  readonly #now: () => number;
  readonly #deadHosts = new FewMap<ExchangeHost, number>();
  readonly #kept = new FewMap<KeptKind, Kept>();
  readonly #tell: ((fact: Learned) => void) | null;
  readonly greylist: Greylist;

  /** @param tell is told of everything that is learned here; null when nobody wants to know */
  constructor(now: () => number, tell: ((fact: Learned) => void) | null = null) {
    this.#now = now;
    this.#tell = tell;
    this.greylist = new Greylist(
      now,
      tell && ((value, until) => tell({ kind: 'greylistDelayMs', value, until })),
    );
  }

  /** Takes over what another process learned, if it is believable and newer than what is known here. */
  adopt({ kind, value, until }: Learned): void {
    if (!isLaneFactKind(kind)) return;
    const { lifeMs, read } = laneFacts[kind];
    const believed = read(value);
    const end = Math.min(until, this.#now() + lifeMs);
    if (believed === null) return;
    if (kind === 'greylistDelayMs') this.greylist.adopt(Number(believed), end);
    else if (end > (this.#kept.get(kind)?.until ?? 0)) this.#kept.set(kind, { value: believed, until: end });
  }

  /** Refusals that a session may see before we leave it: ours, or fewer when the server hangs up earlier. */
  get refusalsPerSession(): number {
    return this.#read('refusalsPerSession') ?? MAX_REFUSALS_PER_SESSION;
  }
  /** Null when nothing was learned: then the setting decides. */
  get sessionsAtOnce(): number | null {
    return this.#read('sessionsAtOnce');
  }
  get needsTls(): boolean {
    return this.#read('needsTls') ?? false;
  }
  /** EHLO was refused. */
  get needsHelo(): boolean {
    return this.#read('needsHelo') ?? false;
  }
  /** Recipients after which the server says 421; Infinity when it never did. */
  get recipientsPerSession(): number {
    return this.#read('recipientsPerSession') ?? Number.POSITIVE_INFINITY;
  }
  /**
   * Recipients of one pipelined write that are known to be answered to the last: 0 where PIPELINING loses commands,
   * Infinity where it is only slow. Null: not seen yet.
   */
  get pipelineDepth(): number | null {
    return this.#read('pipelineDepth');
  }

  /** As many as the server takes, by what it stated (RFC 9422) or by what it did (452 4.5.3). */
  recipientsPerTransaction({ maxRecipientsPerTransaction }: Capabilities): number {
    return Math.min(
      MAX_RECIPIENTS_PER_TRANSACTION,
      maxRecipientsPerTransaction ?? MAX_RECIPIENTS_PER_TRANSACTION,
      this.#read('recipientsPerTransaction') ?? MAX_RECIPIENTS_PER_TRANSACTION,
    );
  }

  learnRecipientsPerTransaction(value: number): void {
    this.#learn('recipientsPerTransaction', Math.max(1, value));
  }
  learnRefusalsPerSession(value: number): void {
    this.#learn('refusalsPerSession', Math.max(1, Math.min(value, this.refusalsPerSession)));
  }
  learnSessionsAtOnce(value: number): void {
    this.#learn('sessionsAtOnce', Math.max(1, value));
  }
  /** Once learned it is not said again: else it would never be tried anew. */
  learnHelo(): void {
    if (!this.needsHelo) this.#learn('needsHelo', true);
  }
  learnTls(): void {
    this.#learn('needsTls', true);
  }
  learnRecipientsPerSession(value: number): void {
    this.#learn('recipientsPerSession', Math.max(1, value));
  }
  learnPipelineDepth(value: number): void {
    this.#learn('pipelineDepth', value);
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

  #learn<Kind extends KeptKind>(kind: Kind, value: LaneFactValue<Kind>): void {
    const until = this.#now() + LEARNED_LIFE_MS;
    this.#kept.set(kind, { value, until });
    this.#tell?.({ kind, value: printLaneValue(value), until });
  }

  #read<Kind extends KeptKind>(kind: Kind): LaneFactValue<Kind> | null {
    const kept = this.#kept.get(kind);
    return kept && kept.until > this.#now() ? (kept.value as LaneFactValue<Kind>) : null;
  }
}
