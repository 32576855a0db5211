import { type Result, resubscribe } from './resubscribe.ts';

type Batch<Row> = { readonly bulkJobResults: { readonly cursor: string; readonly results: readonly Row[] } };

/** One subscription to BulkJobResults, by whatever client. */
export type SubscribeResults<Row> = (variables: {
  readonly id: string;
  after: string | null;
}) => AsyncIterable<Result<Batch<Row>>>;

/**
 * Every result of a job, each once, whatever happens to connections and gateways in between. `variables.after` moves on with
 * each batch, so that clients that retry by themselves and print their variables anew go on from there too; what is
 * repeated all the same is left out by its position.
 */
export async function* followResults<Row extends { readonly position: number }>(
  subscribe: SubscribeResults<Row>,
  id: string,
): AsyncGenerator<readonly Row[], void, void> {
  const variables = { id, after: null as string | null };
  let last = 0;
  for await (const { bulkJobResults } of resubscribe(() => subscribe(variables))) {
    variables.after = bulkJobResults.cursor;
    const fresh = bulkJobResults.results.filter(({ position }) => position > last);
    last = fresh.at(-1)?.position ?? last;
    if (fresh.length > 0) yield fresh;
  }
}
