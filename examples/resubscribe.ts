import { backOff } from './back-off.ts';

type Fault = { readonly message: string; readonly extensions?: { readonly code?: unknown } | undefined };

export type Result<Data> = {
  readonly data?: Data | null | undefined;
  readonly errors?: readonly Fault[] | undefined;
};

/** The gateway refused: asking again would not help. */
export class Refusal extends Error {
  readonly code: unknown;
  constructor({ message, extensions }: Fault) {
    super(message);
    this.code = extensions?.code;
  }
}

const mostRetries = 10;

/**
 * What a subscription says until it has ended. Lost connections are what `subscribe` throws, and a gateway that closes says
 * so in a last result (GATEWAY_CLOSING): both begin anew. What clients do by themselves is left to them.
 */
export async function* resubscribe<Data>(
  subscribe: () => AsyncIterable<Result<Data>>,
): AsyncGenerator<Data, void, void> {
  for (let retries = 0; ; retries += 1) {
    try {
      let isClosing = false;
      for await (const { data, errors } of subscribe()) {
        const [fault] = errors ?? [];
        isClosing = fault?.extensions?.code === 'GATEWAY_CLOSING';
        if (isClosing) break;
        if (fault || !data) throw new Refusal(fault ?? { message: 'There is no data.' });
        retries = 0;
        yield data;
      }
      if (!isClosing) return;
    } catch (error) {
      // graphql-ws throws the errors of a refused operation as a list.
      if (Array.isArray(error)) throw new Refusal(error[0]);
      if (error instanceof Refusal || retries >= mostRetries) throw error;
    }
    await backOff(retries);
  }
}
