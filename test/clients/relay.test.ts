/** Relay's runtime, with artifacts of its compiler. */
import { buildSchema, parse, validate } from 'graphql';
import { readFileSync } from 'node:fs';
import {
  commitMutation,
  type Environment,
  fetchQuery,
  type GraphQLTaggedNode,
  type OperationType,
  requestSubscription,
} from 'relay-runtime';
import { expect, test } from 'vitest';
import { iterate } from '../../examples/iterate.ts';
import { createRelayEnvironment } from '../../examples/relay.ts';
import { createRelaySseEnvironment } from '../../examples/relay-sse.ts';
import { type ClientUnderTest, describeClient } from './contract.ts';
import { useGateway } from './gateway.ts';
import { progressOf } from './progress.ts';
import bulkJobProgress, {
  type RcptBulkJobProgressSubscription,
} from './relay/artifacts/RcptBulkJobProgressSubscription.graphql.ts';
import bulkJobResults, {
  type RcptBulkJobResultsSubscription,
} from './relay/artifacts/RcptBulkJobResultsSubscription.graphql.ts';
import startBulkJob, {
  type RcptStartBulkJobMutation,
} from './relay/artifacts/RcptStartBulkJobMutation.graphql.ts';
import verifyEmail, { type RcptVerifyEmailQuery } from './relay/artifacts/RcptVerifyEmailQuery.graphql.ts';

const world = useGateway();

const subscribe = <Operation extends OperationType>(
  environment: Environment,
  subscription: GraphQLTaggedNode,
  variables: Operation['variables'],
) =>
  iterate<{ data: Operation['response'] }>((sink) => {
    const { dispose } = requestSubscription<Operation>(environment, {
      subscription,
      variables,
      onNext: (data) => sink.next({ data: data as Operation['response'] }),
      onError: sink.error,
      onCompleted: sink.complete,
    });
    return dispose;
  });

const openRelay =
  (create: (url: string) => Environment) =>
  (url: string): ClientUnderTest => {
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
        progressOf(subscribe<RcptBulkJobProgressSubscription>(environment, bulkJobProgress, variables)),
      subscribe: (variables) =>
        subscribe<RcptBulkJobResultsSubscription>(environment, bulkJobResults, variables),
      close: () => undefined,
    };
  };

describeClient('Relay with a WebSocket', world, openRelay(createRelayEnvironment));

describeClient('Relay with server-sent events', world, openRelay(createRelaySseEnvironment));

test.each([verifyEmail, startBulkJob, bulkJobProgress, bulkJobResults])(
  'the artifact is of this schema: $params.name',
  ({ params }) => {
    const sdl = readFileSync(new URL('../../schema/schema.graphql', import.meta.url), 'utf8');
    expect(validate(buildSchema(sdl), parse(params.text ?? ''))).toEqual([]);
  },
);
