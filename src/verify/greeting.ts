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
  const flights = createFlights<ExchangeHost, Greeting>();

  return async (host: ExchangeHost, signal: AbortSignal): Promise<Greeting> => {
    const known = remembered.get(host);
    if (known && now() < known.until) return known.greeting;
    const asker = { signal, isUrgent: true, deadline: now() + budgetMs };
    return flights.join(host, asker, async (flight) => {
      const greeting = await greet({ host, deadline: flight.deadline, signal: flight.signal });
      learn(greeting.attempts);
      // Our own lack of time or room tells nothing of the exchange.
      if (greeting.fault?.kind !== 'budget')
        remembered.set(host, {
          greeting,
          until: now() + (greeting.reply !== null && greeting.fault === null ? lifeMs : faultLifeMs),
        });
      return greeting;
    });
  };
};
