/**
 * A mutation with a file (GraphQL multipart request specification), whose variable is at `path`, such as
 * `variables.input.file`. The header makes browsers ask first, so that no page of a stranger can do it unasked.
 */
export const askWithFile = async (
  url: string,
  request: { readonly query: string; readonly variables: unknown },
  { path, file, name }: { readonly path: string; readonly file: Blob; readonly name: string },
  key?: string,
): Promise<unknown> => {
  const form = new FormData();
  form.append('operations', JSON.stringify(request));
  form.append('map', JSON.stringify({ 0: [path] }));
  form.append('0', file, name);
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'graphql-require-preflight': '1',
      ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
    },
    body: form,
  });
  return response.json();
};
