/**
 * Who waits in one lane, and whose turn it is: interactive before bulk, the domains of a priority in turn, the
 * probes of a domain in the order they came. Also what each domain still owes its accepted mailboxes, a canary.
 */
import type { DomainName } from '../address/index.ts';
import type { CatchAllMemory } from './catch-all.ts';
import { FewMap, FewSet } from './few.ts';
import { MAX_CANARY_TRIES } from './limits.ts';
import type { Probe } from './probe.ts';
import type { Priority } from './types.ts';

export type DomainQueue = {
  readonly domain: DomainName;
  providerId: string | null;
  readonly queued: Record<Priority, FewSet<Probe>>;
  /** Accepted, or never to be asked themselves: they wait for the made-up mailbox. */
  readonly awaitingCanary: FewSet<Probe>;
  /** RCPT TOs that are out, the canary's too: the queue is not forgotten before they are answered. */
  inFlight: number;
  isCanaryAsked: boolean;
  canaryTries: number;
};

const priorities = ['interactive', 'bulk'] as const satisfies readonly Priority[];

export class LaneQueue {
  readonly #catchAll: CatchAllMemory;
  readonly #domains = new FewMap<DomainName, DomainQueue>();
  /** Domains with something to ask, in turn. A due canary is one RCPT for many waiting: it goes with the interactive. */
  readonly #turns: Record<Priority, FewSet<DomainQueue>> = { interactive: new FewSet(), bulk: new FewSet() };
  #size = 0;

  constructor(catchAll: CatchAllMemory) {
    this.#catchAll = catchAll;
  }

  /** Probes that wait for their RCPT TO. */
  get size(): number {
    return this.#size;
  }
  get hasWork(): boolean {
    return this.#turns.interactive.size > 0 || this.#turns.bulk.size > 0;
  }
  /** Does anybody wait here, for whatever? */
  get isEmpty(): boolean {
    return this.#domains.size === 0;
  }

  add(probe: Probe): void {
    const { domain, providerId, priority, address } = probe.question;
    let queue = this.#domains.get(domain);
    if (!queue) {
      queue = {
        domain,
        providerId,
        queued: { interactive: new FewSet(), bulk: new FewSet() },
        awaitingCanary: new FewSet(),
        inFlight: 0,
        isCanaryAsked: false,
        canaryTries: 0,
      };
      this.#domains.set(domain, queue);
    }
    queue.providerId ??= providerId;
    if (address === null) queue.awaitingCanary.add(probe);
    else {
      queue.queued[priority].add(probe);
      this.#size++;
    }
    this.refresh(queue);
  }

  /** Puts probes back where they came from, before those that came later. */
  putBack(queue: DomainQueue, probes: readonly Probe[]): void {
    for (const priority of priorities) {
      const again = probes.filter((probe) => !probe.isSettled && probe.question.priority === priority);
      if (again.length === 0) continue;
      const rest = [...queue.queued[priority]];
      queue.queued[priority].clear();
      for (const probe of [...again, ...rest]) queue.queued[priority].add(probe);
      this.#size += again.length;
    }
    this.refresh(queue);
  }

  /** The asker left. */
  remove(probe: Probe): void {
    const queue = this.#domains.get(probe.question.domain);
    if (!queue) return;
    if (queue.queued[probe.question.priority].delete(probe)) this.#size--;
    queue.awaitingCanary.delete(probe);
    this.refresh(queue);
  }

  /** The domain that is next, moved to the end of its line. */
  next(): DomainQueue | null {
    for (const priority of priorities) {
      const [queue] = this.#turns[priority];
      if (!queue) continue;
      this.#turns[priority].delete(queue);
      this.#turns[priority].add(queue);
      return queue;
    }
    return null;
  }

  /** What an open transaction of this domain may go on with: nothing while somebody interactive waits elsewhere. */
  goOn(domain: DomainName): DomainQueue | null {
    const queue = this.#domains.get(domain);
    if (!queue) return null;
    const isBulkTurn = this.#turns.bulk.has(queue) && this.#turns.interactive.size === 0;
    return this.#turns.interactive.has(queue) || isBulkTurn ? queue : null;
  }

  /**
   * Takes up to `most` probes of one domain that fit one envelope. The queue is to be refreshed once they are
   * counted as in flight, or settled: until then it looks as if nobody needed it.
   * @param needsSmtpUtf8 null when the first one taken decides
   */
  take(queue: DomainQueue, needsSmtpUtf8: boolean | null, most: number): Probe[] {
    const taken: Probe[] = [];
    let wanted = needsSmtpUtf8;
    for (const priority of priorities) {
      for (const probe of queue.queued[priority]) {
        const needs = probe.question.address?.requiresSmtpUtf8 ?? false;
        wanted ??= needs;
        if (taken.length >= most || needs !== wanted) break;
        queue.queued[priority].delete(probe);
        taken.push(probe);
      }
    }
    this.#size -= taken.length;
    return taken;
  }

  /** Is the domain's catch-all state unknown, and nobody asking? */
  wantsCanary(queue: DomainQueue): boolean {
    return (
      !queue.isCanaryAsked &&
      queue.canaryTries < MAX_CANARY_TRIES &&
      this.#catchAll.recall(queue.domain) === null
    );
  }

  /** Does somebody wait for the canary now? */
  isCanaryDue(queue: DomainQueue): boolean {
    return queue.awaitingCanary.size > 0 && this.wantsCanary(queue);
  }

  /** The canary is answered, or given up: everybody who waited for it is. */
  settleCanary(queue: DomainQueue, settle: (probe: Probe) => void): void {
    queue.isCanaryAsked = false;
    queue.canaryTries = 0;
    const waiting = [...queue.awaitingCanary];
    queue.awaitingCanary.clear();
    this.refresh(queue);
    for (const probe of waiting) settle(probe);
  }

  /** Takes out who waits for a made-up mailbox that nobody asks now, and need not any more. */
  takeAwaiting(domain: DomainName): readonly Probe[] {
    const queue = this.#domains.get(domain);
    if (!queue || queue.isCanaryAsked) return [];
    const waiting = [...queue.awaitingCanary];
    queue.awaitingCanary.clear();
    this.refresh(queue);
    return waiting;
  }

  /** Takes everybody out: of one domain, or of all. */
  drain(domain?: DomainName): Probe[] {
    const queues = [...this.#domains].flatMap(([name, queue]) =>
      domain === undefined || name === domain ? [queue] : [],
    );
    const probes = queues.flatMap(({ queued, awaitingCanary }) => [
      ...queued.interactive,
      ...queued.bulk,
      ...awaitingCanary,
    ]);
    for (const queue of queues) {
      this.#size -= queue.queued.interactive.size + queue.queued.bulk.size;
      queue.queued.interactive.clear();
      queue.queued.bulk.clear();
      queue.awaitingCanary.clear();
      this.refresh(queue);
    }
    return probes;
  }

  /** To be called after anything about the queue of a domain changed. */
  refresh(queue: DomainQueue): void {
    const isCanaryDue = this.isCanaryDue(queue);
    this.#setTurn('interactive', queue, queue.queued.interactive.size > 0 || isCanaryDue);
    this.#setTurn('bulk', queue, queue.queued.bulk.size > 0);
    const isIdle =
      queue.inFlight + queue.queued.interactive.size + queue.queued.bulk.size + queue.awaitingCanary.size ===
      0;
    if (isIdle) this.#domains.delete(queue.domain);
  }

  #setTurn(priority: Priority, queue: DomainQueue, hasWork: boolean): void {
    if (hasWork) this.#turns[priority].add(queue);
    else this.#turns[priority].delete(queue);
  }
}
