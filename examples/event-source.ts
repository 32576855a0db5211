import { EventSource } from 'eventsource';
import { iterate } from './iterate.ts';
import type { Result } from './resubscribe.ts';

/**
 * One subscription by EventSource, which reconnects by itself, three seconds later and with the same URL. That is right for
 * `bulkJobProgress` and `watchVerification`; `isOnce` makes a lost connection an error, for `followResults`.
 */
export const subscribeByEventSource = <Data>(
  url: string,
  query: string,
  variables: Readonly<Record<string, unknown>>,
  { isOnce }: { readonly isOnce: boolean },
): AsyncGenerator<Result<Data>, void> =>
  iterate<Result<Data>>((sink) => {
    const source = new EventSource(
      `${url}?${new URLSearchParams({ query, variables: JSON.stringify(variables) })}`,
    );
    source.addEventListener('next', ({ data }) => sink.next(JSON.parse(data)));
    // Whoever does not close it here begins again.
    source.addEventListener('complete', () => {
      source.close();
      sink.complete();
    });
    source.addEventListener('error', ({ message }) => {
      if (isOnce || source.readyState === source.CLOSED)
        sink.error(new Error(message ?? 'The stream broke off.'));
    });
    return () => source.close();
  });
