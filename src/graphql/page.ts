import { refuse } from './refusal.ts';

/** The runaway: one page that holds a whole list of millions in memory. */
export const largestPage = 100;

/** @throws BAD_PAGE_SIZE */
export const readPageSize = (first: number, most = largestPage): number => {
  if (first < 1 || first > most)
    throw refuse('BAD_PAGE_SIZE', `first must be 1 to ${most}, got ${first}.`, {
      argument: 'first',
      limit: most,
    });
  return first;
};

/** A cursor carries the name of its list, so that one list's cursor is refused by another. */
export const writeCursor = (list: string, place: string): string =>
  Buffer.from(`${list}:${place}`, 'utf8').toString('base64url');

/** @throws BAD_CURSOR when the cursor is not of this list */
export const readCursor = (list: string, cursor: string, shape: RegExp): string => {
  const decoded = cursor.length <= 256 ? Buffer.from(cursor, 'base64url').toString('utf8') : '';
  const place = decoded.startsWith(`${list}:`) ? decoded.slice(list.length + 1) : null;
  if (place === null || !shape.test(place))
    throw refuse('BAD_CURSOR', `after is not a cursor of ${list}.`, {
      argument: 'after',
      cursor: cursor.slice(0, 100),
    });
  return place;
};

export type Edge<Node> = { readonly cursor: string; readonly node: Node };

/** What a connection's `pageInfo` says about a page that was read forwards. */
export const pageInfoOf = (edges: readonly Edge<unknown>[], hasNextPage: boolean, after: string | null) => ({
  hasNextPage,
  hasPreviousPage: after !== null,
  startCursor: edges[0]?.cursor ?? null,
  endCursor: edges.at(-1)?.cursor ?? null,
});
