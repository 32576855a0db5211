/**
 * Greetings for whoever asks. One exchange is visited once at a time, and what it said is believed for a minute: a
 * client that asks the same thing in a loop must not become somebody's flood, and lanes' limits do not see visits.
 *
 * A visit has the time of any opening (`openMs`); an asker whose deadline comes first is told what there is by then. It
 * ends when the last asker leaves.
 */
import type { ExchangeHost } from '../address/index.ts';
import type { ConnectOptions } from './connect.ts';
import { type GreetingSlots, startVisit, UNASKED, type Visit } from './greeting.ts';
import type { Greeting, Prober } from './types.ts';

const GREETING_LIFE_MS = 60_000;
/** Exchanges that are remembered; the one visited longest ago is forgotten first. */
const MAX_REMEMBERED = 1_000;
/** Exchanges that are visited, or wait for a session: past it one is told at once that there is no room. */
const MAX_VISITS = 1_000;
/** What a timer can count. */
const MAX_TIMER_MS = 2 ** 31 - 1;

export type Greeter = {
  readonly greet: Prober['greet'];
  /** Ends those under way; resolves when their connections are gone. */
  close(): Promise<void>;
};

type Shared = { readonly visit: Visit; askers: number };

export const createGreeter = (options: ConnectOptions, slots: GreetingSlots): Greeter => {
  const { now } = options;
  const visits = new Map<ExchangeHost, Shared>();
  const remembered = new Map<ExchangeHost, { readonly greeting: Greeting; readonly until: number }>();
  const leaving = new Set<Promise<void>>();
  let isClosed = false;

  const recall = (host: ExchangeHost): Greeting | null => {
    const known = remembered.get(host);
    return known && known.until > now() ? known.greeting : null;
  };
  const remember = (host: ExchangeHost, greeting: Greeting): void => {
    remembered.delete(host);
    remembered.set(host, { greeting, until: now() + GREETING_LIFE_MS });
    const [oldest] = remembered.keys();
    if (remembered.size > MAX_REMEMBERED && oldest !== undefined) remembered.delete(oldest);
  };

  const start = (host: ExchangeHost): Shared => {
    const visit = startVisit(host, options, slots);
    const shared = { visit, askers: 0 };
    const forget = (): void => {
      if (visits.get(host) === shared) visits.delete(host);
    };
    visits.set(host, shared);
    const gone = visit.gone.then(() => {
      leaving.delete(gone);
    });
    leaving.add(gone);
    visit.greeting.then(
      (greeting) => {
        forget();
        if (greeting) remember(host, greeting);
      },
      // A bug: whoever asked is told by the same promise.
      forget,
    );
    return shared;
  };

  const share = async (
    host: ExchangeHost,
    shared: Shared,
    deadline: number,
    signal: AbortSignal,
  ): Promise<Greeting> => {
    const { visit } = shared;
    const hasLeft = Promise.withResolvers<null>();
    const leave = (): void => hasLeft.resolve(null);
    const timer = setTimeout(leave, Math.min(deadline - now(), MAX_TIMER_MS));
    signal.addEventListener('abort', leave, { once: true });
    shared.askers++;
    try {
      return (await Promise.race([visit.greeting, hasLeft.promise])) ?? visit.describe();
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', leave);
      shared.askers--;
      if (shared.askers === 0) {
        if (visits.get(host) === shared) visits.delete(host);
        visit.abort();
      }
    }
  };

  return {
    greet: async ({ host, deadline, signal }) => {
      if (isClosed || signal.aborted || deadline <= now()) return UNASKED;
      const known = recall(host);
      if (known) return known;
      const shared = visits.get(host);
      if (!shared && visits.size >= MAX_VISITS) return UNASKED;
      return share(host, shared ?? start(host), deadline, signal);
    },
    async close() {
      isClosed = true;
      for (const { visit } of visits.values()) visit.abort();
      await Promise.all(leaving);
    },
  };
};
