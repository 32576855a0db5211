import { EventSourceParserStream } from 'eventsource-parser/stream';

/** One subscription as server-sent events. Throws when they end before the subscription does. */
export async function* subscribeByFetch<Result>(
  url: string,
  query: string,
  variables: Readonly<Record<string, unknown>>,
  key?: string,
): AsyncGenerator<Result, void, void> {
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
  try {
    const events = (response.body ?? new Blob().stream())
      .pipeThrough(new TextDecoderStream())
      .pipeThrough(new EventSourceParserStream());
    for await (const { event, data } of events) {
      if (event === 'next') yield JSON.parse(data) as Result;
      if (event === 'complete') return;
    }
  } finally {
    hangUp.abort();
  }
  throw new Error(`The stream broke off (status ${response.status}).`);
}
