import { expect } from 'vitest';
import type { RunningGateway } from './process.ts';

/** One operation over HTTP; what it answers must be without errors. */
export const ask = async <Data>(
  { url, key }: Pick<RunningGateway, 'url'> & { readonly key?: string },
  query: string,
  variables: object,
): Promise<Data> => {
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
    },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = (await response.json()) as { data: Data; errors?: unknown };
  expect(errors).toBeUndefined();
  return data;
};
