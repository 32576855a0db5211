/** What exchanges say of themselves, within the budget. Sharing and remembering is the prober's. */
import type { ExchangeHost } from '../address/index.ts';
import type { ConnectAttempt, Greeting, Prober } from '../smtp/index.ts';

export const createGreetings = (options: {
  readonly greet: Prober['greet'];
  readonly budgetMs: number;
  readonly now: () => number;
  /** Told of what came of connecting. */
  readonly learn: (attempts: readonly ConnectAttempt[]) => void;
}) => {
  const { greet, budgetMs, now, learn } = options;
  /** One greeting is given to many: what came of connecting once is learned once, and at the time. */
  const learned = new WeakSet<Greeting>();

  /** Null when the asker left, or there was no time or room of ours: that tells nothing of the exchange. */
  return async (host: ExchangeHost, signal: AbortSignal): Promise<Greeting | null> => {
    const greeting = await greet({ host, deadline: now() + budgetMs, signal });
    if (!learned.has(greeting)) {
      learned.add(greeting);
      learn(greeting.attempts);
    }
    return signal.aborted || greeting.fault?.kind === 'budget' ? null : greeting;
  };
};
