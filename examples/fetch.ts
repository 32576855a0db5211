type Answer<Data> = {
  readonly data?: Data | null;
  readonly errors?: readonly {
    readonly message: string;
    readonly extensions?: { readonly code?: unknown };
  }[];
};

/** One query or mutation. What is wrong with the request is in `errors`, with any status. */
export const ask = async <Data>(
  url: string,
  query: string,
  variables: Readonly<Record<string, unknown>>,
  key?: string,
): Promise<Answer<Data>> => {
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/graphql-response+json',
      ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
    },
    body: JSON.stringify({ query, variables }),
  });
  return (await response.json()) as Answer<Data>;
};
