import {
  commitMutation,
  type Environment,
  fetchQuery,
  type GraphQLTaggedNode,
  type OperationType,
  requestSubscription,
} from 'relay-runtime';
import { iterate } from '../../../examples/iterate.ts';
import { createRelayEnvironment } from '../../../examples/relay.ts';
import { createRelaySseEnvironment } from '../../../examples/relay-sse.ts';
import type { Result } from '../../../examples/resubscribe.ts';
import type { Open } from '../contract.ts';
import bulkJobProgress, {
  type RcptBulkJobProgressSubscription,
} from '../relay/artifacts/RcptBulkJobProgressSubscription.graphql.ts';
import bulkJobResults, {
  type RcptBulkJobResultsSubscription,
} from '../relay/artifacts/RcptBulkJobResultsSubscription.graphql.ts';
import startBulkJob, {
  type RcptStartBulkJobMutation,
} from '../relay/artifacts/RcptStartBulkJobMutation.graphql.ts';
import verifyEmail, { type RcptVerifyEmailQuery } from '../relay/artifacts/RcptVerifyEmailQuery.graphql.ts';

const subscribe = <Operation extends OperationType>(
  environment: Environment,
  subscription: GraphQLTaggedNode,
  variables: Operation['variables'],
) =>
  iterate<Result<Operation['response']>>((sink) => {
    const { dispose } = requestSubscription<Operation>(environment, {
      subscription,
      variables,
      onNext: (data) => sink.next({ data: data as Operation['response'] }),
      // Relay wraps what the gateway refused.
      onError: (error: Error & { source?: Result<never> }) => {
        if (error.source) sink.next({ errors: error.source.errors });
        else sink.error(error);
      },
      onCompleted: sink.complete,
    });
    return dispose;
  });

const openRelay =
  (create: (url: string) => Environment): Open =>
  (url) => {
    const environment = create(url);
    return {
      verify: (variables) =>
        fetchQuery<RcptVerifyEmailQuery>(environment, verifyEmail, variables).toPromise(),
      start: ({ input }) =>
        new Promise((resolve, reject) => {
          commitMutation<RcptStartBulkJobMutation>(environment, {
            mutation: startBulkJob,
            variables: { input: input as RcptStartBulkJobMutation['variables']['input'] },
            onCompleted: resolve,
            onError: reject,
          });
        }),
      watch: (variables) =>
        subscribe<RcptBulkJobProgressSubscription>(environment, bulkJobProgress, variables),
      subscribe: (variables) =>
        subscribe<RcptBulkJobResultsSubscription>(environment, bulkJobResults, variables),
      close: () => undefined,
    };
  };

export const openRelayWebSocket = openRelay(createRelayEnvironment);

export const openRelaySse = openRelay(createRelaySseEnvironment);
