/** What exchanges say of themselves, remembered for minutes, so that a page of aliases does not hammer one server. */
import { LRUCache } from 'lru-cache';
import type { ExchangeHost } from '../address/index.ts';
import type { ConnectAttempt, Greeting, Prober } from '../smtp/index.ts';
import { createFlights } from './flight.ts';

/** A few KB each, certificates included. */
const mostRemembered = 1_000;
const lifeMs = 5 * 60_000;
/** Whoever was not reached or broke off may be back soon. */
const faultLifeMs = 30_000;

export const createGreetings = (options: {
  readonly greet: Prober['greet'];
  readonly budgetMs: number;
  readonly now: () => number;
  /** Told of what came of connecting. */
  readonly learn: (attempts: readonly ConnectAttempt[]) => void;
}) => {
  const { greet, budgetMs, now, learn } = options;
  const remembered = new LRUCache<ExchangeHost, { readonly greeting: Greeting; readonly until: number }>({
    max: mostRemembered,
  });
  const flights = createFlights<ExchangeHost, Greeting | null>();

  const ask = async (host: ExchangeHost, deadline: number, signal: AbortSignal): Promise<Greeting | null> => {
    const greeting = await greet({ host, deadline, signal });
    learn(greeting.attempts);
    // Our own lack of time or room tells nothing of the exchange.
    if (greeting.fault?.kind === 'budget') return null;
    const life = greeting.reply !== null && greeting.fault === null ? lifeMs : faultLifeMs;
    remembered.set(host, { greeting, until: now() + life });
    return greeting;
  };

  return async (host: ExchangeHost, signal: AbortSignal): Promise<Greeting | null> => {
    const known = remembered.get(host);
    if (known && now() < known.until) return known.greeting;
    const asker = { signal, isUrgent: true, deadline: now() + budgetMs };
    try {
      return await flights.join(host, asker, (flight) => ask(host, flight.deadline, flight.signal));
    } catch (error) {
      if (signal.aborted) return null;
      throw error;
    }
  };
};
