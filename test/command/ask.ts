import { expect } from 'vitest';
import type { RunningGateway } from './process.ts';

/** One document over HTTP, with a key or none. */
export const post = (
  { url }: Pick<RunningGateway, 'url'>,
  query: string,
  {
    key = null,
    variables = {},
    headers = {},
  }: {
    readonly key?: string | null;
    readonly variables?: object;
    readonly headers?: Readonly<Record<string, string>>;
  } = {},
): Promise<Response> =>
  fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(key === null ? {} : { authorization: `Bearer ${key}` }),
      ...headers,
    },
    body: JSON.stringify({ query, variables }),
    signal: AbortSignal.timeout(60_000),
  });

/** One operation over HTTP; what it answers must be without errors. */
export const ask = async <Data>(
  { url, key }: Pick<RunningGateway, 'url'> & { readonly key?: string },
  query: string,
  variables: object,
): Promise<Data> => {
  const response = await post({ url }, query, { key: key ?? null, variables });
  const { data, errors } = (await response.json()) as { data: Data; errors?: unknown };
  expect(errors).toBeUndefined();
  return data;
};
