/**
 * What an exchange says of itself: connect, banner, EHLO, STARTTLS where it is offered, EHLO again, QUIT. Nobody is
 * asked about. For ExchangeProfile's `greeting` and whoever looks at one server by hand.
 *
 * Each of these is a session like any other and takes its place among RCPT_MAX_SESSIONS, after the lanes that waited
 * before. Refuses to keep what it learned, and to try twice.
 */
import type { ExchangeHost } from '../address/index.ts';
import { type ConnectOptions, SessionOpening } from './connect.ts';
import type { Outcome } from './outcome.ts';
import type { Asked } from './session.ts';
import type { Greeting, Prober } from './types.ts';

/** Requests waiting for a session: past it one is told at once that there is no room. */
const MAX_WAITING = 1_000;
/** Longer than anybody waits, and within what a timer can count. */
const MAX_WAIT_MS = 10 * 60_000;

/** Who waits for one of the process's sessions; it is told by `schedule` when one is free. */
export type SlotWaiter = { readonly wantsSession: boolean; schedule(): void };
export type GreetingSlots = { take(waiter: SlotWaiter): boolean; release(): void };

export type Greeter = {
  readonly greet: Prober['greet'];
  /** Ends those under way; resolves when their connections are gone. */
  close(): Promise<void>;
};

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
const UNASKED: Greeting = {
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

const endOf = (opening: SessionOpening<Asked>, { kind }: { readonly kind: 'session' | 'aborted' }): Outcome =>
  opening.describe(kind === 'aborted' ? { fault: { kind: 'budget', phase: opening.phase } } : {});

export const createGreeter = (options: ConnectOptions, slots: GreetingSlots): Greeter => {
  const stop = new AbortController();
  const leaving = new Set<Promise<void>>();
  let waiting = 0;

  /** False when the time is over first. */
  const takeSlot = (signal: AbortSignal): Promise<boolean> => {
    const { promise, resolve } = Promise.withResolvers<boolean>();
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
    const giveUp = (): void => resolve(false);
    signal.addEventListener('abort', giveUp, { once: true });
    if (signal.aborted) giveUp();
    else waiter.schedule();
    return promise;
  };

  const greet = async (host: ExchangeHost, deadline: number, signal: AbortSignal): Promise<Greeting> => {
    if (waiting >= MAX_WAITING || signal.aborted || deadline <= options.now()) return UNASKED;
    waiting++;
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), Math.min(deadline - options.now(), MAX_WAIT_MS));
    const hasSlot = await takeSlot(AbortSignal.any([signal, late.signal])).finally(() => {
      clearTimeout(timer);
      waiting--;
    });
    if (!hasSlot) return UNASKED;
    const openMs = Math.max(1, Math.min(options.timeouts.openMs, deadline - options.now()));
    const opening = new SessionOpening<Asked>(
      { ...options, timeouts: { ...options.timeouts, openMs } },
      { exchanges: [{ host, preference: 0 }], providerId: null, wantsTls: true },
    );
    const abort = (): void => opening.abort();
    signal.addEventListener('abort', abort, { once: true });
    try {
      const opened = await opening.run();
      if (opened.kind === 'session') opened.session.quit();
      return describeGreeting(opening, opened.kind === 'failed' ? opened.outcome : endOf(opening, opened));
    } finally {
      signal.removeEventListener('abort', abort);
      const left = opening.closed.then(() => {
        leaving.delete(left);
        slots.release();
      });
      leaving.add(left);
    }
  };

  return {
    greet: ({ host, deadline, signal }) => greet(host, deadline, AbortSignal.any([signal, stop.signal])),
    async close() {
      stop.abort();
      await Promise.all(leaving);
    },
  };
};
