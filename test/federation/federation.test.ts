/**
 * A company's `User.email` selects `verification`: rcpt as a subgraph, in the sandbox, behind Apollo's gateway, over
 * HTTP. The gateway is another package (`npm ci --prefix test/federation`), since it insists on graphql 16.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunningGateway, startRcpt } from '../command/process.ts';

type Answer = {
  readonly data?: Record<string, unknown> | null;
  readonly errors?: readonly { readonly message: string; readonly extensions: Record<string, unknown> }[];
};

const dataDir = mkdtempSync(join(tmpdir(), 'rcpt-federation-'));
let rcpt: RunningGateway;
let gateway: ChildProcess;
let composed: {
  readonly url?: string;
  readonly hints?: readonly string[];
  readonly errors?: readonly string[];
};

beforeAll(async () => {
  rcpt = await startRcpt('sandbox', { RCPT_FEDERATION: '1', RCPT_DATA_DIR: dataDir });
  gateway = fork(new URL('gateway.mjs', import.meta.url), [rcpt.url], { execArgv: [] });
  const [message] = await Promise.race([
    once(gateway, 'message'),
    once(gateway, 'exit').then(() => {
      throw new Error('the gateway did not start: is it there (npm ci --prefix test/federation)?');
    }),
  ]);
  composed = message as typeof composed;
}, 60_000);

afterAll(async () => {
  gateway?.disconnect();
  await rcpt?.stop('SIGTERM');
  rmSync(dataDir, { recursive: true, force: true });
});

const ask = async (query: string, variables: object = {}): Promise<Answer> => {
  const response = await fetch(composed.url ?? '', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables }),
  });
  return (await response.json()) as Answer;
};

const usersOf = ({ data }: Answer) => {
  const { users } = data as {
    readonly users: { readonly nodes: readonly { readonly email: Record<string, unknown> }[] };
  };
  return users.nodes.map(({ email }) => email);
};

test('it composes, without an error or a hint', () => {
  expect(composed).toEqual({ url: expect.stringMatching(/^http/), hints: [] });
});

test("a company's user with the verdict on the address", async () => {
  expect(await ask('{ user { email { address verification { status } } } }')).toEqual({
    data: { user: { email: { address: 'user1@accepts.test', verification: { status: 'DELIVERABLE' } } } },
  });
});

test('many users, each with a verdict; a bad address is a result', async () => {
  const addresses = [
    'user1@accepts.test',
    'nobody@accepts.test',
    'user1@catch-all.test',
    'not an address',
    '',
  ];
  const answer = await ask(
    `query ($addresses: [String!]!) { users(addresses: $addresses) {
      pageInfo { hasNextPage }
      nodes { email { address syntax { problem { code } } verification { reason } domain { name } } }
    } }`,
    { addresses },
  );
  expect(answer.errors).toBeUndefined();
  expect(usersOf(answer)).toMatchObject([
    { verification: { reason: 'MAILBOX_EXISTS' }, domain: { name: 'accepts.test' } },
    { verification: { reason: 'MAILBOX_NOT_FOUND' } },
    { verification: { reason: 'CATCH_ALL' } },
    { address: 'not an address', syntax: { problem: { code: 'SPACE_NOT_ALLOWED' } }, domain: null },
    { address: '', syntax: { problem: { code: 'EMPTY' } }, verification: { reason: 'INVALID_SYNTAX' } },
  ]);
});

test('101 users at once: their emails are refused with a code, the users stay', async () => {
  const addresses = Array.from({ length: 101 }, (_, index) => `user${index}@accepts.test`);
  const answer = await ask(
    'query ($addresses: [String!]!) { users(addresses: $addresses) { nodes { email { address verification { status } } } } }',
    { addresses },
  );
  expect(answer.errors?.map(({ extensions }) => extensions.code)).toEqual(['TOO_MANY_ADDRESSES']);
  expect(usersOf(answer).map(({ verification }) => verification)).toEqual(addresses.map(() => null));
});

test("rcpt's own documents pass the gateway unchanged", async () => {
  const source = readFileSync(
    new URL('../../schema/operations/VerifyEmail.graphql', import.meta.url),
    'utf8',
  );
  const { data, errors } = await ask(source, { address: 'user1@accepts.test' });
  expect(errors).toBeUndefined();
  expect(data?.email).toMatchObject({
    verification: { status: 'DELIVERABLE' },
    mailbox: { outcome: 'ACCEPTED' },
  });
});

test('global ids are no part of the supergraph', async () => {
  const { errors } = await ask('{ node(id: "x") { id } }');
  expect(errors?.[0]?.message).toMatch(/Cannot query field "node"/);
});

test('what the gateway does not know of @oneOf, rcpt does', async () => {
  const { errors } = await ask(
    'mutation ($input: StartBulkJobInput!) { startBulkJob(input: $input) { __typename } }',
    { input: { source: { addresses: ['user1@accepts.test'], uploadId: 'x' } } },
  );
  // Apollo's gateway hands on what came with a status of 400 or more as it came.
  expect(errors?.[0]?.extensions.response).toMatchObject({
    status: 400,
    body: { errors: [{ extensions: { code: 'BAD_INPUT' } }] },
  });
});

test('without the setting there is no subgraph', async () => {
  const plain = await startRcpt('sandbox', { RCPT_DATA_DIR: join(dataDir, 'plain') });
  try {
    const response = await fetch(plain.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: '{ _service { sdl } }' }),
    });
    const { errors } = (await response.json()) as Answer;
    expect(errors?.map(({ extensions }) => extensions.code)).toEqual(['VALIDATION_FAILED']);
  } finally {
    await plain.stop('SIGTERM');
  }
});

test('rcpt is down: one field is lost, not the user', async () => {
  await rcpt.stop('SIGTERM');
  const { data, errors } = await ask('{ user { id email { address verification { status } } } }');
  expect(errors).toHaveLength(1);
  expect(data).toEqual({ user: { id: '1', email: { address: 'user1@accepts.test', verification: null } } });
});
