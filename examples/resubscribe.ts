import { backOff } from './back-off.ts';

export type Fault = {
  readonly message: string;
  readonly extensions?: { readonly code?: unknown; readonly retryAfterSeconds?: unknown } | undefined;
};

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

/** What the gateway says of itself and not of the request. */
const passing: readonly unknown[] = ['GATEWAY_CLOSING', 'STORAGE_UNAVAILABLE', 'THROTTLED'];

const mostRetries = 10;

/** What is thrown is a lost connection, but for what graphql-ws throws: a list of errors, or the event of a closed socket. */
const readRefusal = (error: unknown): Refusal | null => {
  if (error instanceof Refusal) return error;
  if (Array.isArray(error)) return new Refusal(error[0]);
  const { code, reason } = error as { readonly code?: unknown; readonly reason?: unknown };
  const isFinal = typeof code === 'number' && code >= 4400 && code < 4500;
  return isFinal ? new Refusal({ message: String(reason), extensions: { code: reason } }) : null;
};

/**
 * What a subscription says until it has ended, begun anew when the connection is lost and when the gateway closes, which
 * it says in a last result. What clients do about that by themselves is left to them.
 */
export async function* resubscribe<Data>(
  subscribe: () => AsyncIterable<Result<Data>>,
): AsyncGenerator<Data, void, void> {
  for (let retries = 0; ; retries += 1) {
    let waitMs = 0;
    try {
      let isEnded = true;
      for await (const { data, errors } of subscribe()) {
        const [fault] = errors ?? [];
        const { code, retryAfterSeconds } = fault?.extensions ?? {};
        isEnded = retries >= mostRetries || !passing.includes(code);
        if (!isEnded) {
          waitMs = Number(retryAfterSeconds ?? 0) * 1_000;
          break;
        }
        if (fault || !data) throw new Refusal(fault ?? { message: 'There is no data.' });
        retries = 0;
        yield data;
      }
      if (isEnded) return;
    } catch (error) {
      const refusal = readRefusal(error);
      if (refusal !== null || retries >= mostRetries) throw refusal ?? error;
    }
    await backOff(retries, waitMs);
  }
}
