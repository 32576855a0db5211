import { commitMutation, type Environment, fetchQuery } from 'relay-runtime';
import { createRelayEnvironment } from '../../../examples/relay.ts';
import { createRelaySseEnvironment } from '../../../examples/relay-sse.ts';
import { subscribeByRelay } from '../../../examples/relay-subscribe.ts';
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

const openRelay =
  (create: (url: string, key?: string) => Environment): Open =>
  (url, key) => {
    const environment = create(url, key);
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
        subscribeByRelay<RcptBulkJobProgressSubscription>(environment, bulkJobProgress, variables),
      subscribe: (variables) =>
        subscribeByRelay<RcptBulkJobResultsSubscription>(environment, bulkJobResults, variables),
      close: () => undefined,
    };
  };

export const openRelayWebSocket = openRelay(createRelayEnvironment);

export const openRelaySse = openRelay(createRelaySseEnvironment);
