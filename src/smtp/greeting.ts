/**
 * What an exchange says of itself: connect, banner, EHLO, STARTTLS where it is offered, EHLO again, QUIT. Nobody is
 * asked about. One visit is a session like any other and takes its place among RCPT_MAX_SESSIONS.
 *
 * Refuses to share, to remember and to try twice: that is the greeter's.
 */
import type { ExchangeHost } from '../address/index.ts';
import { type ConnectOptions, SessionOpening } from './connect.ts';
import type { Outcome } from './outcome.ts';
import type { Asked } from './session.ts';
import type { Greeting } from './types.ts';

/** Longer than anybody waits for a place, and within what a timer can count. */
const MAX_WAIT_MS = 10 * 60_000;

/** Who waits for one of the process's sessions; it is told by `schedule` when one is free. */
export type SlotWaiter = { readonly wantsSession: boolean; schedule(): void };
export type GreetingSlots = { take(waiter: SlotWaiter): boolean; release(): void };

const describeGreeting = (opening: SessionOpening<Asked>, outcome: Outcome): Greeting => {
  const { banner, ehlo, capabilities, offeredStartTls, tls } = opening.introduction ?? {};
  return {
    attempts: outcome.attempts,
    ip: outcome.ip,
    banner: banner && banner.code < 300 ? banner.text : null,
    capabilities: capabilities?.lines ?? [],
    supportsStartTls: offeredStartTls ?? false,
    supportsPipelining: capabilities?.offersPipelining ?? false,
    supportsSmtpUtf8: capabilities?.offersSmtpUtf8 ?? false,
    maxMessageBytes: capabilities?.maxMessageBytes ?? null,
    tls: tls ?? null,
    reply: outcome.reply ?? ehlo ?? null,
    fault: outcome.fault,
  };
};

/** Its turn never came. */
export const UNASKED: Greeting = {
  attempts: [],
  ip: null,
  banner: null,
  capabilities: [],
  supportsStartTls: false,
  supportsPipelining: false,
  supportsSmtpUtf8: false,
  maxMessageBytes: null,
  tls: null,
  reply: null,
  fault: { kind: 'budget', phase: 'CONNECT' },
};

/** False when the signal aborts first. */
const takeSlot = (slots: GreetingSlots, signal: AbortSignal): Promise<boolean> => {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const giveUp = (): void => resolve(false);
  const waiter: SlotWaiter = {
    get wantsSession() {
      return !signal.aborted;
    },
    schedule: () => {
      if (signal.aborted || !slots.take(waiter)) return;
      signal.removeEventListener('abort', giveUp);
      resolve(true);
    },
  };
  signal.addEventListener('abort', giveUp, { once: true });
  if (signal.aborted) giveUp();
  else waiter.schedule();
  return promise;
};

/** One conversation with one exchange, under way. */
export type Visit = {
  /** Null: it was aborted, or found no place among the sessions. */
  readonly greeting: Promise<Greeting | null>;
  /** Resolves when the connection is gone and its place given back. */
  readonly gone: Promise<void>;
  /** What there is to show for it when its time is over now. */
  describe(): Greeting;
  abort(): void;
};

export const startVisit = (host: ExchangeHost, options: ConnectOptions, slots: GreetingSlots): Visit => {
  const stop = new AbortController();
  const left = Promise.withResolvers<void>();
  let opening: SessionOpening<Asked> | null = null;

  const visit = async (): Promise<Greeting | null> => {
    const timer = setTimeout(() => stop.abort(), MAX_WAIT_MS);
    const hasSlot = await takeSlot(slots, stop.signal).finally(() => clearTimeout(timer));
    if (!hasSlot) {
      left.resolve();
      return null;
    }
    const plan = { exchanges: [{ host, preference: 0 }], providerId: null, wantsTls: true, knowsEhlo: true };
    const one = new SessionOpening<Asked>(options, plan);
    opening = one;
    stop.signal.addEventListener('abort', () => one.abort(), { once: true });
    try {
      const opened = await one.run();
      if (opened.kind === 'aborted') return null;
      if (opened.kind === 'failed') return describeGreeting(one, opened.outcome);
      opened.session.quit();
      return describeGreeting(one, one.describe());
    } finally {
      void one.closed.then(() => {
        slots.release();
        left.resolve();
      });
    }
  };

  return {
    greeting: visit(),
    gone: left.promise,
    describe: () =>
      opening
        ? describeGreeting(opening, opening.describe({ fault: { kind: 'timeout', phase: opening.phase } }))
        : UNASKED,
    abort: () => stop.abort(),
  };
};
