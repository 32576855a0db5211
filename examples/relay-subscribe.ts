import {
  type Environment,
  type GraphQLTaggedNode,
  type OperationType,
  requestSubscription,
} from 'relay-runtime';
import { iterate } from './iterate.ts';
import type { Result } from './resubscribe.ts';

/** One subscription, for `resubscribe` and `followResults`. */
export const subscribeByRelay = <Operation extends OperationType>(
  environment: Environment,
  subscription: GraphQLTaggedNode,
  variables: Operation['variables'],
): AsyncGenerator<Result<Operation['response']>, void> =>
  iterate<Result<Operation['response']>>((sink) => {
    const { dispose } = requestSubscription<Operation>(environment, {
      subscription,
      variables,
      onNext: (data) => sink.next({ data: data as Operation['response'] }),
      // Relay wraps what the gateway refused.
      onError: (error: Error & { readonly source?: Result<never> }) => {
        if (error.source) sink.next({ errors: error.source.errors });
        else sink.error(error);
      },
      onCompleted: sink.complete,
    });
    return dispose;
  });
