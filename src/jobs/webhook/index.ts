/**
 * Tells whoever asked for it that a job moved or ended: a POST a time, signed after Standard Webhooks 1.0.0, until the
 * receiver answers 2xx. What is to be told lies in the store, so that a crash or a restart forgets nothing: each event
 * arrives at least once, with the same `webhook-id` at each attempt, and those of one job in their order.
 *
 * Refuses: special-purpose addresses, at each attempt and at the address that is connected to; redirects; certificates
 * that are not the host's; to keep or log a word of the receiver's, the URL or the secret.
 *
 * Limits: 16 attempts at once and one a job; 15 s an attempt, of which 3.5 s to connect and 2 s for a body of 16 KiB;
 * 16 KiB of headers; 11 attempts in a day.
 *
 * A receiver that is down is a failed attempt and not an error: `onError` hears only of the store's trouble and of bugs.
 */
import type { Dns } from '../../dns/index.ts';
import type { Guard } from '../../smtp/index.ts';
import { createSteadyClock } from '../clock.ts';
import { pause } from '../patience.ts';
import type { DueDelivery, WebhookStore } from '../ports.ts';
import { createRounds, longestSleepMs } from '../rounds.ts';
import { checkWebhook } from './check.ts';
import { type DeliverOptions, deliver } from './deliver.ts';

export type WebhooksOptions = {
  readonly store: WebhookStore;
  readonly lookupAddresses: Dns['lookupAddresses'];
  readonly guard: Guard;
  /** The id that the API knows a job by. */
  readonly printJobId: (jobId: string) => string;
  readonly now?: () => Date;
  /** Told of bugs and of a store in trouble; never with a URL or a secret. */
  readonly onError?: (error: unknown) => void;
  /** From 0 up to, not including, 1; draws the jitter. */
  readonly random?: () => number;
  /** Milliseconds of one attempt. Default 15,000. */
  readonly timeoutMs?: number;
  /** Certificates to trust instead of Node's own, in PEM; for tests. */
  readonly ca?: string;
};

export type Webhooks = {
  /** One sentence when a webhook cannot be used; null when it can. */
  check(url: string, secret: string): string | null;
  /** There may be something to tell. */
  wake(): void;
  /**
   * Takes no more, gives what is under way a moment, and cuts it off. An attempt that was cut off counts as not made: it
   * may have arrived, so it is made again, but our own end must not use up the receiver's attempts.
   */
  close(): Promise<void>;
};

/** Sockets and bodies of receivers that do not answer: one that hangs takes a place for 15 s. */
const mostAtOnce = 16;
const defaultTimeoutMs = 15_000;
/** A lease outlives its attempt by this, for the look at the store before and the note after. */
const leaseMarginMs = 45_000;
/** What is due already and was not to be had is no reason to spin. */
const shortestSleepMs = 100;
const closeGraceMs = 1_000;
/** What the last notes get after that. */
const lastWritesMs = 500;

/** Starts at once with what the store holds. */
export const createWebhooks = (options: WebhooksOptions): Webhooks => {
  const { store, lookupAddresses, guard, printJobId } = options;
  const { now = () => new Date(), onError = () => undefined, random = Math.random } = options;
  const { timeoutMs = defaultTimeoutMs, ca } = options;
  const isAllowed = (ip: string): boolean => guard.classifyAddress(ip).isRoutable;
  // A clock that is set back must not make those wait who wait already.
  const steadyNow = createSteadyClock(now);
  const cut = new AbortController();
  const giveUp = new AbortController();
  const signals = { cut: cut.signal, giveUp: giveUp.signal };
  const deliverOptions: DeliverOptions = {
    store,
    post: { dns: { lookupAddresses }, isAllowed, timeoutMs, ...(ca === undefined ? {} : { ca }) },
    printJobId,
    now,
    steadyNow,
    random,
    onError,
  };
  const running = new Set<Promise<void>>();

  const start = (delivery: DueDelivery): void => {
    const run = deliver(delivery, deliverOptions, signals).catch(onError);
    running.add(run);
    void run.then(() => {
      running.delete(run);
      rounds.wake();
    });
  };

  const takeAll = async (): Promise<void> => {
    while (!rounds.isClosed && running.size < mostAtOnce) {
      const at = steadyNow();
      const delivery = await store.takeDelivery(at, new Date(at.getTime() + timeoutMs + leaseMarginMs));
      if (delivery === null) return;
      start(delivery);
    }
  };

  const sleepMs = async (): Promise<number> => {
    if (running.size >= mostAtOnce) return longestSleepMs;
    const next = await store.nextDeliveryAt();
    if (next === null) return longestSleepMs;
    return Math.min(Math.max(next.getTime() - steadyNow().getTime(), shortestSleepMs), longestSleepMs);
  };

  const rounds = createRounds({ take: takeAll, sleepMs, keepsAlive: false, onError });
  rounds.wake();

  return {
    check: (url, secret) => checkWebhook(url, secret, isAllowed),
    wake: rounds.wake,
    async close() {
      await rounds.close();
      const ended = new AbortController();
      const all = Promise.all(running).then(() => ended.abort());
      await pause(closeGraceMs, ended.signal);
      cut.abort();
      await pause(lastWritesMs, ended.signal);
      giveUp.abort();
      await all;
    },
  };
};
