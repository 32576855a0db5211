import { backOff } from './back-off.ts';

type GraphQLFault = { readonly message: string; readonly extensions?: { readonly code?: unknown } };
type Batch<Row> = { readonly bulkJobResults: { readonly cursor: string; readonly results: readonly Row[] } };
type Result<Row> = {
  readonly data?: Batch<Row> | null | undefined;
  readonly errors?: readonly GraphQLFault[] | undefined;
};

/** One subscription to `bulkJobResults`, by whatever client: it throws when the connection is lost. */
export type Subscribe<Row> = (variables: { readonly id: string; after: string | null }) => AsyncIterable<
  Result<Row>
>;

/** The gateway refused: asking again would not help. */
export class Refusal extends Error {
  readonly code: unknown;
  constructor({ message, extensions }: GraphQLFault) {
    super(message);
    this.code = extensions?.code;
  }
}

const mostRetries = 10;

/**
 * Every result of a job, each once, whatever happens to connections and gateways in between. `variables.after` moves on with
 * each batch, so that clients that retry by themselves and print their variables anew go on from there too; what is
 * repeated all the same is left out by its position.
 */
export async function* followResults<Row extends { readonly position: number }>(
  subscribe: Subscribe<Row>,
  id: string,
): AsyncGenerator<readonly Row[], void, void> {
  const variables = { id, after: null as string | null };
  let last = -1;
  for (let retries = 0; ; retries += 1) {
    try {
      let isClosing = false;
      for await (const { data, errors } of subscribe(variables)) {
        const [fault] = errors ?? [];
        isClosing = fault?.extensions?.code === 'GATEWAY_CLOSING';
        if (isClosing) break;
        if (fault || !data) throw new Refusal(fault ?? { message: 'There is no data.' });
        retries = 0;
        variables.after = data.bulkJobResults.cursor;
        const fresh = data.bulkJobResults.results.filter(({ position }) => position > last);
        last = fresh.at(-1)?.position ?? last;
        if (fresh.length > 0) yield fresh;
      }
      if (!isClosing) return;
    } catch (error) {
      if (error instanceof Refusal || retries >= mostRetries) throw error;
    }
    await backOff(retries);
  }
}
