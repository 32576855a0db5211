import { EventSourceParserStream } from 'eventsource-parser/stream';
import type { Result } from './resubscribe.ts';

/** One subscription as server-sent events, for `resubscribe`: throws when they end before the subscription does. */
export async function* subscribeByFetch<Data>(
  url: string,
  query: string,
  variables: Readonly<Record<string, unknown>>,
  key?: string,
): AsyncGenerator<Result<Data>, void, void> {
  const hangUp = new AbortController();
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'text/event-stream',
      ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
    },
    body: JSON.stringify({ query, variables }),
    signal: hangUp.signal,
  });
  if (!response.body || !response.headers.get('content-type')?.startsWith('text/event-stream')) {
    yield (await response.json()) as Result<Data>;
    return;
  }
  try {
    const events = response.body
      .pipeThrough(new TextDecoderStream())
      .pipeThrough(new EventSourceParserStream());
    for await (const { event, data } of events) {
      if (event === 'next') yield JSON.parse(data) as Result<Data>;
      if (event === 'complete') return;
    }
  } finally {
    hangUp.abort();
  }
  throw new Error('The stream broke off.');
}
