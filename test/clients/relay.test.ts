/** Relay's runtime, with artifacts of its compiler. */
import { readFileSync } from 'node:fs';
import { buildSchema, parse, validate } from 'graphql';
import { expect, test } from 'vitest';
import { openRelaySse, openRelayWebSocket } from './adapters/relay.ts';
import { describeClient } from './contract.ts';
import { useGateway } from './gateway.ts';
import bulkJobProgress from './relay/artifacts/RcptBulkJobProgressSubscription.graphql.ts';
import bulkJobResults from './relay/artifacts/RcptBulkJobResultsSubscription.graphql.ts';
import startBulkJob from './relay/artifacts/RcptStartBulkJobMutation.graphql.ts';
import verifyEmail from './relay/artifacts/RcptVerifyEmailQuery.graphql.ts';

const world = useGateway();

describeClient('Relay with a WebSocket', world, openRelayWebSocket);
describeClient('Relay with server-sent events', world, openRelaySse);

test.each([verifyEmail, startBulkJob, bulkJobProgress, bulkJobResults])(
  'the artifact is of this schema: $params.name',
  ({ params }) => {
    const sdl = readFileSync(new URL('../../schema/schema.graphql', import.meta.url), 'utf8');
    expect(validate(buildSchema(sdl), parse(params.text ?? ''))).toEqual([]);
  },
);
