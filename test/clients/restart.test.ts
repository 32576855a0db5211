/** A gateway that closes in order while clients listen, and one that takes its place: GATEWAY_CLOSING, 1001, and nobody there. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { followResults } from '../../examples/follow-results.ts';
import { ask } from '../command/ask.ts';
import { type RunningGateway, startRcpt } from '../command/process.ts';
import { readOperation } from '../graphql/run.ts';
import { openApolloHttp, openApolloWebSocket } from './adapters/apollo.ts';
import { openEventSource, openPlainFetch, openSse, openWebSocket } from './adapters/protocols.ts';
import { openRelaySse, openRelayWebSocket } from './adapters/relay.ts';
import { openUrqlFetch, openUrqlWebSocket } from './adapters/urql.ts';
import { type ClientUnderTest, followProgress } from './contract.ts';
import { addresses } from './gateway.ts';
import { createLine } from './line.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

const opens = {
  openApolloHttp,
  openApolloWebSocket,
  openEventSource,
  openPlainFetch,
  openRelaySse,
  openRelayWebSocket,
  openSse,
  openUrqlFetch,
  openUrqlWebSocket,
  openWebSocket,
};

test('every client goes on with the gateway that comes after', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'rcpt-restart-'));
  closers.push(() => rm(dir, { recursive: true }));
  const env = { RCPT_DATA_DIR: dir, RCPT_GREYLIST_RETRY: '4s', RCPT_MAX_PROBES_PER_SECOND_PER_EXCHANGE: '0' };
  const first = await startRcpt('sandbox', env);
  let running: RunningGateway | null = first;
  closers.push(() => running?.stop('SIGKILL'));
  const line = await createLine(first.url);
  closers.push(() => line.close());

  const { startBulkJob } = await ask<{ startBulkJob: { id: string } }>(first, readOperation('StartBulkJob'), {
    input: { source: { addresses } },
  });
  const { id } = startBulkJob;
  const control = (gateway: RunningGateway, operationName: string) =>
    fetch(gateway.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: readOperation('ControlBulkJob'), operationName, variables: { id } }),
    });
  // Whatever has settled by now, the rest waits for the second gateway.
  await control(first, 'PauseBulkJob');

  const follow = (client: ClientUnderTest) => {
    closers.push(() => client.close());
    const progress = followProgress(client, id)[Symbol.asyncIterator]();
    return {
      begun: progress.next(),
      ended: async () => {
        const positions: number[] = [];
        let state = '';
        const readResults = async () => {
          for await (const rows of followResults(client.subscribe, id))
            positions.push(...rows.map(({ position }) => position));
        };
        const readProgress = async () => {
          for (let item = await progress.next(); !item.done; item = await progress.next())
            state = item.value.job.state;
        };
        await Promise.all([readResults(), readProgress()]);
        return { state, positions };
      },
    };
  };
  const followed = Object.values(opens).map((open) => follow(open(line.url)));
  for (const { begun } of followed)
    expect(await begun).toMatchObject({ done: false, value: { job: { state: 'PAUSED' } } });
  const ended = followed.map((client) => client.ended());
  await first.stop('SIGTERM');
  running = await startRcpt('sandbox', env);
  line.lead(running.url);
  await control(running, 'ResumeBulkJob');

  const expected = { state: 'COMPLETED', positions: addresses.map((_, index) => index + 1) };
  const found = await Promise.all(ended);
  expect(Object.fromEntries(Object.keys(opens).map((name, index) => [name, found[index]]))).toEqual(
    Object.fromEntries(Object.keys(opens).map((name) => [name, expected])),
  );
}, 60_000);
